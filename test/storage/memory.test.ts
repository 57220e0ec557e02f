import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import type { MemoryFaults, MemoryStep } from "../../src/storage/memory/faults.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { frozenCopy } from "../../src/storage/memory/plain-copy.ts";
import { compareEntries, SortedEntries } from "../../src/storage/memory/sorted-entries.ts";
import { describeStorageContract } from "../../src/testing/storage-contract.ts";
import { counter, hookLog, increment, layout, rejection } from "./fixtures.ts";

describeStorageContract({ describe, it }, "memory", () => memory());
describeStorageContract({ describe, it }, "memory, as a slow disk,", () =>
  memory({ faults: { before: async () => {} } }),
);

test("stores live in the adapter: two of them share nothing, not even a scope", async () => {
  const [one, other] = [memory(), memory()];
  const connection = await one.open("till", layout, hookLog());
  await increment(connection);
  expect(await counter(await other.open("till", layout, hookLog()))).toBeUndefined();
  expect(await counter(await one.open("till", layout, hookLog()))).toBe(1);
  expect(one.scope("till")).not.toBe(other.scope("till"));
  expect(memory({ id: "a" }).scope("till")).toBe("memory:a:till");
});

/** Resolves when all work that can continue has done so: nothing in memory waits for anything but promises. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("snapshots", () => {
  test("are plain data, and restore what was there", async () => {
    const disk = memory();
    const connection = await disk.open("till", layout, hookLog());
    await increment(connection);
    const snapshot = structuredClone(disk.snapshot("till"));
    expect(snapshot).toEqual({
      layout: { format: 1, tables: { counters: "[]", sales: "[]" } },
      tables: { counters: [["n", 1]], sales: [] },
    });
    await increment(connection);
    disk.restore("till", snapshot);
    expect(await counter(connection)).toBe(1);
    expect(await increment(connection)).toBe(2);
    expect(snapshot.tables.counters).toEqual([["n", 1]]);
  });

  test("make a clone under another name, or in another adapter", async () => {
    const disk = memory();
    await increment(await disk.open("till", layout, hookLog()));
    disk.restore("clone", disk.snapshot("till"));
    expect(await increment(await disk.open("clone", layout, hookLog()))).toBe(2);
    const elsewhere = memory();
    elsewhere.restore("till", disk.snapshot("clone"));
    expect(await counter(await elsewhere.open("till", layout, hookLog()))).toBe(2);
    expect(disk.snapshot("never opened")).toEqual({ layout: undefined, tables: {} });
  });

  test("bring back tables that no open layout names", async () => {
    const disk = memory();
    await increment(await disk.open("till", layout, hookLog()));
    const snapshot = disk.snapshot("till");
    const other = memory();
    const without = await other.open("till", { format: 1, tables: [{ name: "sales", indexes: [] }] }, hookLog());
    other.restore("till", snapshot);
    expect(await without.count("sales", {})).toBe(0);
    expect(other.snapshot("till").tables).toEqual(snapshot.tables);
    await without.close();
    expect(await counter(await other.open("till", layout, hookLog()))).toBe(1);
  });

  test("of a newer format are refused by an older client, as a disk would be", async () => {
    const disk = memory();
    await increment(await disk.open("till", { ...layout, format: 2 }, hookLog()));
    const other = memory();
    await (await other.open("till", layout, hookLog())).close();
    other.restore("till", disk.snapshot("till"));
    expect((await rejection(other.open("till", layout, hookLog()))).code).toBe("storage_newer");
  });
});

describe("faults", () => {
  /** A store whose fault can be changed during the test. */
  function faulty() {
    const faults: { before: NonNullable<MemoryFaults["before"]> } = { before() {} };
    return { faults, disk: memory({ faults: { before: (step) => faults.before(step) } }) };
  }

  const failAt = (kind: MemoryStep["kind"]) => (step: MemoryStep) => {
    if (step.kind === kind) throw new Error(`the disk failed at ${kind}`);
  };

  test("are called before each step, which has a name", async () => {
    const { disk, faults } = faulty();
    const steps: MemoryStep[] = [];
    faults.before = (step) => void steps.push(step);
    const connection = await disk.open("till", layout, hookLog());
    await increment(connection);
    await counter(connection);
    await connection.scan("sales", {});
    await connection.count("sales", {});
    await connection.close();
    expect(steps.map(({ kind, table, label }) => [kind, table ?? label ?? ""].join(" ").trim())).toEqual([
      ...["open", "transact a sale", "commit a sale", "committed a sale"],
      ...["get counters", "scan sales", "count sales", "close"],
    ]);
    expect(steps.every(({ store }) => store === "till")).toBe(true);
  });

  test.each(["transact", "commit"] as const)("at `%s` nothing is stored, and the next one works", async (kind) => {
    const { disk, faults } = faulty();
    const connection = await disk.open("till", layout, hookLog());
    faults.before = failAt(kind);
    await expect(increment(connection)).rejects.toThrow(`the disk failed at ${kind}`);
    faults.before = () => {};
    expect(await increment(connection)).toBe(1);
  });

  test("at `committed` everything is stored, and yet the caller gets an error", async () => {
    const { disk, faults } = faulty();
    const connection = await disk.open("till", layout, hookLog());
    faults.before = failAt("committed");
    await expect(increment(connection)).rejects.toThrow("committed");
    expect(await counter(connection)).toBe(1);
  });

  test.each(["open", "get", "close", "destroy"] as const)("at `%s` fail that call", async (kind) => {
    const { disk, faults } = faulty();
    const connection = await disk.open("till", layout, hookLog());
    faults.before = failAt(kind);
    const calls = {
      open: () => disk.open("till", layout, hookLog()),
      get: () => counter(connection),
      close: () => connection.close(),
      destroy: () => connection.destroy(),
    };
    await expect(calls[kind]()).rejects.toThrow(`failed at ${kind}`);
  });

  test("a transaction that hangs keeps all others of its store waiting, until it fails", async () => {
    const { disk, faults } = faulty();
    const frozen = await disk.open("till", layout, hookLog());
    const other = await disk.open("till", layout, hookLog());
    const [fate, committing] = [deferred<void>(), deferred<void>()];
    let commits = 0;
    faults.before = ({ kind }) => {
      if (kind !== "commit") return undefined;
      commits += 1;
      committing.resolve();
      return fate.promise;
    };
    const hanging = rejection(increment(frozen));
    const waiting = increment(other);
    let isDone = false;
    void waiting.then(() => {
      isDone = true;
    });
    await committing.promise;
    await turn();
    expect([commits, isDone]).toEqual([1, false]);
    faults.before = () => {};
    fate.reject(new Error("killed"));
    expect((await hanging).message).toBe("killed");
    expect(await waiting).toBe(1);
  });
});

test("close waits for a transaction that hangs", async () => {
  const [fate, committing] = [deferred<void>(), deferred<void>()];
  const before = ({ kind }: MemoryStep) => {
    if (kind !== "commit") return undefined;
    committing.resolve();
    return fate.promise;
  };
  const connection = await memory({ faults: { before } }).open("till", layout, hookLog());
  const order: string[] = [];
  const begun = increment(connection).then(() => order.push("committed"));
  const closed = connection.close().then(() => order.push("closed"));
  await committing.promise;
  await turn();
  expect(order).toEqual([]);
  fate.resolve();
  await Promise.all([begun, closed]);
  expect(order).toContain("closed");
});

test("a value that is read can't be changed, and is the same object each time", async () => {
  const connection = await memory().open("till", layout, hookLog());
  // biome-ignore lint/correctness/useYield: it reads nothing
  await connection.transact({ tables: ["sales"], durability: "strict" }, function* () {
    return { value: 0, writes: [{ kind: "put", table: "sales", key: "s", value: { lines: [{ n: 1 }] } }] };
  });
  const [first] = await connection.get<{ lines: { n: number }[] }>("sales", ["s"]);
  const [second] = await connection.get("sales", ["s"]);
  expect(() => first!.lines.push({ n: 2 })).toThrow(TypeError);
  expect(second).toBe(first);
});

test("a copy is equal to a structured clone", () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: false, withDate: true, withTypedArray: true }), (value) => {
      expect(frozenCopy(value)).toStrictEqual(structuredClone(value));
    }),
  );
});

test("sorted entries stay in order through thousands of inserts and deletes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.nat(400), fc.nat(3)), { minLength: 500, maxLength: 2_000 }),
      (tape) => {
        const sorted = new SortedEntries();
        const model = new Map<string, { key: number; primary: string }>();
        for (const [isInsert, key, n] of tape) {
          const entry = { key, primary: `p${n}` };
          const id = `${key} ${n}`;
          if (!isInsert) sorted.delete(entry);
          else if (!model.has(id)) sorted.insert(entry);
          if (isInsert) model.set(id, entry);
          else model.delete(id);
        }
        const expected = [...model.values()].sort(compareEntries);
        const [none, all] = [() => false, () => true];
        expect(sorted.ascending(none, all, Number.POSITIVE_INFINITY)).toEqual(expected);
        expect(sorted.descending(all, all, Number.POSITIVE_INFINITY)).toEqual(expected.toReversed());
        const below = expected.filter(({ key }) => key < 200).length;
        expect(sorted.count(none, ({ key }) => (key as number) < 200)).toBe(below);
      },
    ),
    { numRuns: 30 },
  );
});
