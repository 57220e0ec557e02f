import { describe, expect, test } from "vitest";
import { Feed } from "../../../src/server/memory/feed.ts";
import { type MemoryStoreStep, memoryStore } from "../../../src/server/memory/index.ts";
import { read, SHOP, takePosition, upTo, write } from "../../../src/server/testing/calls.ts";
import { serverStoreContract } from "../../../src/server/testing/index.ts";
import { clockRow, operationRow, recordRow } from "../../../src/server/testing/rows.ts";
import { deepFreeze } from "../../../src/shared/json.ts";

describe("the contract", () => {
  for (const { name, run } of serverStoreContract({ persistent: false })) {
    test(name, () =>
      run(async () => {
        const store = memoryStore();
        return { store, cleanup: () => store.close() };
      }),
    );
  }
});

describe("snapshots", () => {
  test("a restored store is what it was: rows, feeds and secret", async () => {
    const store = memoryStore();
    await write(store, {
      clock: clockRow(2),
      records: [recordRow("tea", 1), recordRow("milk", 2)],
      operations: [operationRow("sale", 3)],
    });
    const backup = store.snapshot();
    const later = memoryStore();
    await write(later, { records: [recordRow("coffee", 9)] });
    later.restore(structuredClone(backup)); // plain data: it survives being sent or written to a file

    expect(await later.secret()).toBe(await store.secret());
    expect(await read(later, { kind: "clock" })).toEqual(clockRow(2));
    const changes = await read(later, {
      kind: "changes",
      collection: "products",
      scopes: "all",
      after: 0,
      upTo: 100,
      limit: 10,
      bytes: 10_000,
    });
    expect(changes.entries.map(({ row }) => row.id)).toEqual(["tea", "milk"]);
    await expect(write(later, { operations: [operationRow("fork", 3)] })).rejects.toThrow(
      "same incarnation and sequence",
    );
    expect(later.snapshot()).toEqual(backup);
  });

  test("what is committed after a snapshot does not reach it", async () => {
    const store = memoryStore();
    await write(store, { records: [recordRow("tea", 1)] });
    const backup = store.snapshot();
    await write(store, { records: [recordRow("tea", 2), recordRow("milk", 3)] });
    expect(backup.tenants[SHOP]?.records).toEqual([recordRow("tea", 1)]);
    store.restore(backup);
    await write(store, { records: [recordRow("tea", 4)] });
    expect(backup.tenants[SHOP]?.records).toEqual([recordRow("tea", 1)]);
  });

  test("a restore rejects the transaction it cuts off, and the tenant goes on", async () => {
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let crashed = false;
    const store = memoryStore({
      faults: {
        before(step) {
          if (step !== "commit" || crashed) return undefined;
          crashed = true;
          arrive();
          return new Promise<void>(() => {}); // a server that died: it never goes on
        },
      },
    });
    const backup = store.snapshot();
    void takePosition(store, "lost");
    await arrived;
    store.restore(backup);
    expect(await takePosition(store, "next")).toBe(1);
  });
});

describe("faults", () => {
  test.each<[MemoryStoreStep, number]>([
    ["begin", 0],
    ["commit", 0],
    ["answer", 1],
  ])("a crash before %s leaves the clock at %i", async (crashBefore, position) => {
    let down = true;
    const store = memoryStore({
      faults: {
        async before(step, tenant) {
          expect(tenant).toBe(SHOP);
          if (down && step === crashBefore) throw new Error("crash");
        },
      },
    });
    await expect(takePosition(store, "operation-1")).rejects.toThrow("crash");
    down = false;
    expect((await read(store, { kind: "clock" }))?.position ?? 0).toBe(position);
    expect(await takePosition(store, "operation-2")).toBe(position + 1);
  });

  test("transactions of a tenant stay serial while a fault waits; other tenants do not wait", async () => {
    const steps: string[] = [];
    const store = memoryStore({
      faults: {
        async before(step, tenant) {
          steps.push(`${tenant} ${step}`);
          await Promise.resolve();
        },
      },
    });
    await Promise.all([
      takePosition(store, "a", "north"),
      takePosition(store, "b", "north"),
      takePosition(store, "c", "south"),
    ]);
    expect(steps.filter((step) => step.startsWith("north"))).toEqual([
      "north begin",
      "north commit",
      "north answer",
      "north begin",
      "north commit",
      "north answer",
    ]);
    expect(steps.indexOf("south begin")).toBeLessThan(steps.lastIndexOf("north begin"));
  });
});

test("frozen rows are shared and not copied", async () => {
  const store = memoryStore();
  const row = deepFreeze(recordRow("tea", 1));
  await write(store, { records: [row] });
  const [stored] = await read(store, { kind: "records", keys: [row] });
  expect(stored).toBe(row);
});

test("a feed keeps its order through thousands of insertions and removals, in any order", () => {
  const feed = new Feed<number>();
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed % below;
  };
  const present = new Set<number>();
  for (const _ of upTo(20_000)) {
    const position = random(5_000);
    if (present.delete(position)) feed.remove(position, "key");
    else feed.add(position, "key", position);
    if (!present.has(position) && feed.count({ after: position - 1, upTo: position }) === 1) present.add(position);
  }
  const sorted = [...present].sort((a, b) => a - b);
  expect(sorted.length).toBeGreaterThan(1_000);
  expect(feed.page({ after: -1, upTo: 5_000 }, 5_000)).toEqual(sorted);
  for (const after of [0, 17, 2_500, 4_999]) {
    const behind = sorted.filter((position) => position > after && position <= after + 700);
    expect(feed.count({ after, upTo: after + 700 })).toBe(behind.length);
    expect(feed.page({ after, upTo: after + 700 }, 10)).toEqual(behind.slice(0, 10));
  }
});
