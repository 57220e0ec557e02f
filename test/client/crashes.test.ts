/**
 * A till that crashes, and a disk that fails: after every step either all of a sale is stored, or none of it (L1, L2).
 */
import { describe, expect, test } from "vitest";
import type { MemoryStep } from "../../src/storage/memory/faults.ts";
import { memory } from "../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../support/shop.ts";
import { bothCounts, ClientWorld, listen, metaIn, NAME, operationsIn, rowIn, type Till } from "./support/world.ts";

const sell = (till: Till) =>
  till.transaction((tx) => {
    const sale = tx.sales.create(saleOf(2, 1));
    tx.payments.create({ saleId: sale.id, amountCents: 10_000 });
    tx.products.increment("p-1", { stock: -2 });
    return sale.id;
  });
/** The till's disk as it was at this moment, on another machine: the process has died. */
function diskOf(storage: ReturnType<typeof memory>): ReturnType<typeof memory> {
  const disk = memory();
  disk.restore(NAME, storage.snapshot(NAME));
  return disk;
}

describe("after a crash at any moment of the way of a sale", () => {
  /** Runs a sale, and copies the disk after each step of the store's work. */
  async function disksOnTheWay(): Promise<
    readonly { readonly at: string; readonly disk: ReturnType<typeof memory>; readonly world: ClientWorld }[]
  > {
    const labels: string[] = [];
    {
      await using world = await opened(() => {});
      void world;
    }
    async function opened(look: (step: MemoryStep, storage: ReturnType<typeof memory>) => void): Promise<ClientWorld> {
      const world = new ClientWorld();
      await world.seed("products", { ...tea, stock: 10 });
      let storage: ReturnType<typeof memory> | undefined;
      let selling = false;
      storage = memory({
        faults: {
          before(step) {
            if (!selling || storage === undefined) return;
            labels.push(`${step.kind} ${step.label ?? step.table ?? ""}`.trim());
            look(step, storage);
          },
        },
      });
      const till = await world.open({ storage, device: { id: "till-1" } });
      selling = true;
      await sell(till);
      await world.clock.advance(5_000);
      selling = false;
      return world;
    }
    const steps = labels.length;
    const disks: { at: string; disk: ReturnType<typeof memory>; world: ClientWorld }[] = [];
    for (let crash = 0; crash < steps; crash += 1) {
      let seen = 0;
      let disk: ReturnType<typeof memory> | undefined;
      let at = "";
      const world = await opened((step, storage) => {
        if (seen === crash) {
          disk = diskOf(storage);
          at = `${step.kind} ${step.label ?? step.table ?? ""}`.trim();
        }
        seen += 1;
      });
      if (disk) disks.push({ at, disk, world });
    }
    return disks;
  }

  test("the sale is there whole or not at all, and comes to the server at most once", async () => {
    const disks = await disksOnTheWay();
    expect(disks.length).toBeGreaterThan(8);
    for (const { at, disk, world } of disks) {
      const collections = operationsIn(disk).map(({ collection }) => collection);
      expect([[], ["sales", "payments", "products"]], at).toContainEqual(collections);
      // The old process is dead; a new one starts from its disk.
      const till = await world.open({ storage: disk, device: { id: "till-1" } });
      await world.clock.advance(120_000);
      const sales = await world.rows("sales");
      const stock = (await world.rows("products"))[0]?.stock;
      expect({ at, sales: sales.length, stock }).toEqual({ at, sales: 1, stock: 8 });
      expect(await till.collections.products.get("p-1"), at).toMatchObject({ stock: 8 });
      expect(till.status.pending.count, at).toBe(0);
      expect(bothCounts(disk).stored, at).toEqual(bothCounts(disk).counted);
      await world[Symbol.asyncDispose]();
    }
  });
});

describe("a client that was never closed", () => {
  test("is followed by one on the same disk, which sends what was left", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const first = await world.open({ storage });
    world.network.offline();
    await sell(first);
    const disk = diskOf(storage);
    first.pause("dead");
    world.network.online();
    const second = world.till({ storage: disk });
    await second.start();
    await world.clock.advance(10_000);
    expect([second.status.pending.count, (await world.rows("sales")).length]).toEqual([0, 1]);
  });

  test("whose answer was on its way: the sale is not there twice, and counts once", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const first = await world.open({ storage });
    world.network.loseNextAnswer();
    await sell(first);
    await world.clock.settle();
    const disk = diskOf(storage);
    first.pause("dead");
    const second = world.till({ storage: disk });
    await second.start();
    await world.clock.advance(60_000);
    expect([(await world.rows("sales")).length, (await second.collections.products.get("p-1"))?.stock]).toEqual([1, 8]);
  });

  test("in the middle of a first pull: it goes on where the last page ended", async () => {
    await using world = new ClientWorld();
    await world.seed("products", ...Array.from({ length: 1_200 }, (_, n) => ({ ...tea, id: `p-${n}`, stock: 0 })));
    let pages = 0;
    let disk: ReturnType<typeof memory> | undefined;
    const storage: ReturnType<typeof memory> = memory({
      faults: {
        before({ kind, label }) {
          if (kind === "committed" && label === "answer" && ++pages === 1) disk = diskOf(storage);
        },
      },
    });
    await (await world.open({ storage })).close();
    if (disk === undefined) throw new Error("no page came");
    expect(disk.snapshot(NAME).tables["c:products"]).toHaveLength(1_000);
    const second = await world.open({ storage: disk });
    expect(await second.collections.products.count()).toBe(1_200);
  });
});

describe("a commit that fails", () => {
  const broken = async (
    label: string,
    run: (till: Till, world: ClientWorld, mend: () => void, storage: ReturnType<typeof memory>) => Promise<void>,
  ) => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    let isBroken = false;
    const storage = memory({
      faults: {
        before(step) {
          if (isBroken && step.kind === "commit" && step.label === label) throw new Error("the disk is full");
        },
      },
    });
    const till = await world.open({ storage });
    isBroken = true;
    await run(
      till,
      world,
      () => {
        isBroken = false;
      },
      storage,
    );
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
  };

  test("of a sale rejects it, and nothing is half there", () =>
    broken("local write", async (till, _, mend, storage) => {
      const { queued } = { queued: listen(till, "queued") };
      await expect(sell(till)).rejects.toThrow("the disk is full");
      expect([
        operationsIn(storage),
        await till.collections.products.get("p-1"),
        till.status.pending.count,
        queued.heard,
      ]).toEqual([[], { ...tea, stock: 10 }, 0, []]);
      mend();
      await sell(till);
      expect(operationsIn(storage).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    }));

  test("of an answer is told, and the answer is asked for again: the sale counts once", () =>
    broken("answer", async (till, world, mend, storage) => {
      const told = listen(till, "error");
      await sell(till);
      await world.clock.advance(5_000);
      expect(operationsIn(storage).map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
      expect(told.heard.length).toBeGreaterThan(0);
      mend();
      await world.clock.advance(120_000);
      expect([(await world.rows("sales")).length, (await till.collections.products.get("p-1"))?.stock]).toEqual([1, 8]);
      expect(till.status).toMatchObject({ phase: "online", pending: { count: 0 } });
    }));

  test("of a pull moves no cursor: its rows come again (L4)", () =>
    broken("answer", async (till, world, mend, storage) => {
      const before = metaIn<{ cursor: string }>(storage, "cursor:products")?.cursor;
      await world.seed("products", { ...tea, id: "p-2" });
      await world.clock.advance(60_000);
      expect(metaIn<{ cursor: string }>(storage, "cursor:products")?.cursor).toBe(before);
      expect(rowIn(storage, "products", "p-2")).toBeUndefined();
      mend();
      await world.clock.advance(120_000);
      expect(await till.collections.products.get("p-2")).toBeDefined();
    }));

  test("of the turn to sync is told, and the turn is taken later", async () => {
    await using world = new ClientWorld();
    let failures = 2;
    const storage = memory({
      faults: {
        before({ kind, label }) {
          if (kind === "commit" && label === "fence" && failures-- > 0) throw new Error("the disk is busy");
        },
      },
    });
    const till = world.till({ storage });
    const told = listen(till, "error");
    await till.start();
    await world.clock.advance(300_000);
    expect([told.heard.length, till.status.phase]).toEqual([2, "online"]);
  });

  test("of the registration is told, and tried again", async () => {
    await using world = new ClientWorld();
    let failures = 1;
    const storage = memory({
      faults: {
        before({ kind, label }) {
          if (kind === "commit" && label === "register" && failures-- > 0) throw new Error("the disk is busy");
        },
      },
    });
    const till = world.till({ storage });
    await till.start();
    await world.clock.advance(60_000);
    expect(till.status.phase).toBe("online");
  });
});

test("a process that dies between the commit and its caller's hearing of it has sold", async () => {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  let dies = false;
  const storage = memory({
    faults: {
      before({ kind, label }) {
        if (dies && kind === "committed" && label === "local write") throw new Error("power cut");
      },
    },
  });
  const till = await world.open({ storage });
  dies = true;
  await expect(sell(till)).rejects.toThrow("power cut");
  const second = await world.open({ storage: diskOf(storage) });
  await world.clock.advance(60_000);
  expect((await world.rows("sales")).length).toBe(1);
  expect((await second.collections.products.get("p-1"))?.stock).toBe(8);
});
