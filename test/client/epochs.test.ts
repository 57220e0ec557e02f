/**
 * A server that was restored from a backup, collections that must be pulled again, and how long the journal is kept.
 */
import { describe, expect, test } from "vitest";
import { memory } from "../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../support/shop.ts";
import { bothCounts, ClientWorld, conflictsIn, listen, operationsIn, rowIn, type Till } from "./support/world.ts";

type Storage = ReturnType<typeof memory>;
const DAY = 24 * 60 * 60 * 1_000;

describe("a server that was put back to its backup", () => {
  async function restored(
    between: (till: Till, world: ClientWorld) => Promise<void>,
    run: (till: Till, world: ClientWorld, told: ReturnType<typeof listen>, storage: Storage) => Promise<void>,
  ): Promise<void> {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 }, { ...tea, id: "p-2", stock: 0 });
    await world.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
    const storage = memory();
    const till = await world.open({ storage });
    const told = listen(till, "epoch_changed", "error", "pulled");
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(1_000);
    const backup = world.store.snapshot();
    await world.clock.advance(1_000);
    await between(till, world);
    await world.clock.advance(5_000);
    world.store.restore(backup);
    await world.clock.advance(300_000);
    await run(till, world, told, storage);
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
    expect(told.of("error")).toEqual([]);
  }
  const sold = async (till: Till) => {
    await till.transaction((tx) => {
      tx.sales.create(saleOf(2, 2));
      tx.products.increment("p-1", { stock: -2 });
    });
    await till.collections.products.update("p-2", { name: "Milk" });
  };

  test("gets back what it has lost: the sale, the stock, the edit", () =>
    restored(sold, async (till, world) => {
      expect((await world.rows("sales")).map(({ soldAt }) => soldAt).sort()).toEqual([1, 2]);
      const products = await world.rows("products");
      expect([products.find(({ id }) => id === "p-1")?.stock, products.find(({ id }) => id === "p-2")?.name]).toEqual([
        8,
        "Milk",
      ]);
      expect(till.status).toMatchObject({ phase: "online", pending: { count: 0 } });
    }));

  test("and the till shows the same as before, counted once", () =>
    restored(sold, async (till) => {
      expect((await till.collections.products.get("p-1"))?.stock).toBe(8);
      expect((await till.collections.products.get("p-2"))?.name).toBe("Milk");
      expect(await till.collections.sales.count()).toBe(2);
    }));

  test("and what goes back into the outbox is not told as pulled: the rows of the new history are", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 }, { ...tea, id: "p-2", stock: 0 });
    const till = await world.open();
    const backup = world.store.snapshot();
    await till.collections.sales.create(saleOf(1, 1));
    await till.collections.products.increment("p-1", { stock: -1 });
    await world.clock.advance(1_000);
    const told = listen(till, "pulled", "epoch_changed");
    world.store.restore(backup);
    await world.clock.advance(60_000);
    const events = told.heard.map(({ event }) => event);
    expect(events[0]).toBe("epoch_changed");
    // Whether p-1 comes with a page or with the result of its step is the line's doing.
    expect(told.of("pulled")).toContainEqual({ collection: "products", ids: expect.arrayContaining(["p-2"]) });
    expect(told.of("pulled")).not.toContainEqual(expect.objectContaining({ collection: "sales" }));
  });

  test("is told once, with how much is given back (L10)", () =>
    restored(sold, async (_till, _world, told) => {
      expect(told.of("epoch_changed")).toEqual([{ from: expect.any(String), to: expect.any(String), replaying: 4 }]);
    }));

  test("never makes a sale vanish from the till, or count twice, at any moment of it", () =>
    restored(
      async (till, world) => {
        await sold(till);
        const seen = { sales: new Set<number>(), stock: new Set<number | undefined>() };
        till.on("status", () => {
          void till.collections.sales.count().then((count) => seen.sales.add(count));
          void till.collections.products.get("p-1").then((product) => seen.stock.add(product?.stock));
        });
        await world.clock.advance(5_000);
        Object.assign(till, { seen });
      },
      async (till) => {
        const { seen } = till as unknown as { seen: { sales: Set<number>; stock: Set<number> } };
        expect([[...seen.sales], [...seen.stock]]).toEqual([[2], [8]]);
      },
    ));

  test("found by a till that was away: at its registration", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const before = await world.open({ storage });
    const backup = world.store.snapshot();
    await before.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(1_000);
    await before.close();
    world.store.restore(backup);
    const after = world.till({ storage });
    const told = listen(after, "epoch_changed");
    await after.start();
    await world.clock.advance(10_000);
    expect([told.heard.length, after.status.phase, (await world.rows("sales")).length]).toEqual([1, "online", 1]);
  });

  test("found by a till that holds work of its own: both come", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const till = await world.open({ storage });
    const backup = world.store.snapshot();
    await till.collections.products.increment("p-1", { stock: -1 });
    await world.clock.advance(1_000);
    world.network.offline();
    await till.collections.products.increment("p-1", { stock: -3 });
    world.store.restore(backup);
    world.network.online();
    await world.clock.advance(300_000);
    expect([(await world.rows("products"))[0]?.stock, (await till.collections.products.get("p-1"))?.stock]).toEqual([
      6, 6,
    ]);
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
  });

  test("an open conflict of the lost history is judged anew, and lies on the desk once", () =>
    restored(
      async (till, world) => {
        world.network.offline();
        await till.collections.customers.update("c-1", { phone: "2" });
        await world.clock.advance(2_000);
        await world.seed("customers", { id: "c-1", name: "Ann", phone: "9" });
        world.network.online();
        await world.clock.advance(120_000);
        expect(await till.conflicts.list()).toHaveLength(1);
      },
      async (till, world, _told, storage) => {
        // The backup is older than the other device's edit, so nothing contradicts this one any more.
        expect((await world.rows("customers"))[0]?.phone).toBe("2");
        expect([await till.conflicts.list(), till.status.attention.conflicts]).toEqual([[], 0]);
        expect(conflictsIn(storage).filter(({ settled }) => !settled)).toEqual([]);
      },
    ));

  test("a row that it does not have any more leaves the till too", () =>
    restored(
      async (_till, world) => {
        await world.seed("products", { ...tea, id: "p-ghost" });
        await world.clock.advance(60_000);
      },
      async (till, world) => {
        expect((await world.rows("products")).map(({ id }) => id).sort()).toEqual(["p-1", "p-2"]);
        expect((await till.collections.products.find()).map(({ id }) => id)).toEqual(["p-1", "p-2"]);
      },
    ));

  test("a row that it does not have any more leaves the till as soon as the work on it is given up", () =>
    restored(
      async (till, world) => {
        await world.seed("products", { ...tea, id: "p-ghost" });
        await world.clock.advance(60_000);
        world.network.offline();
        await till.collections.products.update("p-ghost", { name: "X" });
        await world.clock.settle();
        world.network.online();
        till.pause("until the server is back");
      },
      async (till, world) => {
        till.resume("until the server is back");
        await world.clock.advance(120_000);
        const [stuck] = await till.operations.list({ state: "blocked" });
        if (stuck?.kind !== "record") throw new Error("nothing is stuck");
        expect(await till.collections.products.get("p-ghost")).toMatchObject({ name: "X" });
        await till.operations.discard(stuck, { reason: "gone" });
        await world.clock.advance(120_000);
        expect((await till.collections.products.find()).map(({ id }) => id)).toEqual(["p-1", "p-2"]);
      },
    ));

  test("tells of no row that a pull has not brought", () =>
    restored(sold, async (_till, _world, told) => {
      for (const { ids } of told.of<{ collection: string; ids: readonly string[] }>("pulled"))
        expect(ids.length).toBeGreaterThan(0);
      const sales = told
        .of<{ collection: string; ids: readonly string[] }>("pulled")
        .filter(({ collection }) => collection === "payments");
      expect(sales).toEqual([]);
    }));

  test("twice: it gets back what it has lost each time", () =>
    restored(sold, async (till, world) => {
      const backup = world.store.snapshot();
      await till.collections.products.increment("p-1", { stock: -1 });
      await world.clock.advance(5_000);
      world.store.restore(backup);
      await world.clock.advance(300_000);
      expect([
        (await world.rows("products")).find(({ id }) => id === "p-1")?.stock,
        (await till.collections.products.get("p-1"))?.stock,
      ]).toEqual([7, 7]);
    }));
});

describe("a collection that must be pulled again [H10]", () => {
  async function resynced(
    run: (till: Till, world: ClientWorld, storage: Storage, resync: () => void) => Promise<void>,
  ): Promise<void> {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 }, { ...tea, id: "p-2", stock: 0 });
    const storage = memory();
    const transport = world.transport();
    let due = false;
    let ghosts = false;
    const till = await world.open({
      storage,
      transport: {
        ...transport,
        async pull(request, call) {
          if (due) {
            due = false;
            ghosts = true;
            const failure = {
              kind: "refused",
              code: "resync_required",
              status: 409,
              detail: "",
              collections: ["products"],
            } as const;
            return { ok: false, failure };
          }
          const result = await transport.pull(request, call);
          if (!result.ok || !ghosts) return result;
          // The server no longer sends p-2.
          const { products, ...pages } = result.value.pages;
          if (products === undefined) return result;
          const changes = products.changes.filter(({ id }) => id !== "p-2");
          return { ...result, value: { ...result.value, pages: { ...pages, products: { ...products, changes } } } };
        },
      },
    });
    await run(till, world, storage, () => {
      due = true;
    });
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
  }

  test("loses the rows that did not come again", () =>
    resynced(async (till, world, storage, resync) => {
      resync();
      await world.clock.advance(120_000);
      expect((await till.collections.products.find()).map(({ id }) => id)).toEqual(["p-1"]);
      expect(rowIn(storage, "products", "p-2")).toBeUndefined();
    }));

  test("tells its live queries", () =>
    resynced(async (till, world, _storage, resync) => {
      const live = till.collections.products.live({ limit: 5 });
      live.subscribe(() => {});
      resync();
      await world.clock.advance(120_000);
      expect(live.getSnapshot().rows.map(({ id }) => id)).toEqual(["p-1"]);
    }));

  test("keeps the rows that have work on them, and the work", () =>
    resynced(async (till, world, storage, resync) => {
      world.rejectNext("products");
      await till.collections.products.update("p-2", { name: "Milk" });
      await world.clock.advance(1_000);
      resync();
      await world.clock.advance(120_000);
      expect(await till.collections.products.get("p-2")).toBeDefined();
      expect(operationsIn(storage).map(({ state }) => state)).toEqual(["rejected"]);
    }));

  test("is complete all the while for whoever shows it", () =>
    resynced(async (till, world, _storage, resync) => {
      const phases = new Set<string>();
      till.on("status", ({ phase }) => phases.add(phase));
      resync();
      await world.clock.advance(120_000);
      expect([...phases]).toEqual(["online"]);
    }));
});

describe("the journal [C8.7]", () => {
  const afterDays = async (
    days: number,
    run: (till: Till, world: ClientWorld, storage: Storage) => Promise<void>,
    before: (till: Till, world: ClientWorld) => Promise<void>,
  ) => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const till = await world.open({ storage });
    await before(till, world);
    await till.close();
    await world.clock.advance(days * DAY);
    const again = await world.open({ storage });
    await again.sync();
    await run(again, world, storage);
    expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
  };
  const sell = (till: Till) =>
    till.transaction((tx) => {
      tx.products.increment("p-1", { stock: -1 });
      tx.sales.create(saleOf(1, 1));
    });

  test("is kept for two weeks", () =>
    afterDays(
      13,
      async (_till, _world, storage) => {
        expect(operationsIn(storage)).toHaveLength(2);
      },
      async (till, world) => {
        await sell(till);
        await world.clock.advance(1_000);
      },
    ));

  test("goes after that, and the rows stay", () =>
    afterDays(
      15,
      async (till, _world, storage) => {
        expect(operationsIn(storage)).toEqual([]);
        expect([await till.collections.sales.count(), (await till.collections.products.get("p-1"))?.stock]).toEqual([
          1, 9,
        ]);
      },
      async (till, world) => {
        await sell(till);
        await world.clock.advance(1_000);
      },
    ));

  test("is kept from the result on, not from the sale: what was sold long ago survives a restore too", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const till = await world.open({ storage });
    till.pause("the line is down");
    await till.collections.sales.create(saleOf(1, 1));
    await world.clock.advance(15 * DAY);
    const backup = world.store.snapshot();
    till.resume("the line is down");
    await world.clock.advance(200_000);
    expect(await world.rows("sales")).toHaveLength(1);
    expect(operationsIn(storage).map(({ state }) => state)).toEqual(["applied"]);
    world.store.restore(backup);
    expect(await world.rows("sales")).toEqual([]);
    await world.clock.advance(200_000);
    expect(await world.rows("sales")).toHaveLength(1);
  });

  test("goes by the server's time: a till whose clock was set ahead keeps it", async () => {
    await using world = new ClientWorld();
    await world.seed("products", { ...tea, stock: 10 });
    const storage = memory();
    const till = await world.open({ storage });
    await sell(till);
    await world.clock.advance(1_000);
    const transport = world.transport();
    const behind = world.clock.now();
    await till.close();
    world.clock.setWallClock(behind + 100 * DAY);
    // The server uses the world's clock, so its answers are changed to carry the old time.
    const again = world.till({
      storage,
      transport: {
        ...transport,
        async pull(request, call) {
          const result = await transport.pull(request, call);
          return result.ok ? { ...result, timing: { ...result.timing, serverTime: behind } } : result;
        },
      },
    });
    await again.start();
    await world.clock.advance(120_000);
    expect(operationsIn(storage)).toHaveLength(2);
  });

  test("never takes what lies on a desk, however old: a rejected edit beside a sale (L1)", () =>
    afterDays(
      40,
      async (till, _world, storage) => {
        expect(operationsIn(storage).map(({ action, state }) => [action, state])).toEqual([["update", "rejected"]]);
        const [kept] = await till.operations.list({ state: "rejected" });
        if (kept?.kind !== "record") throw new Error("it is gone");
        await till.operations.discard(kept, { reason: "old" });
        await till.sync();
        expect((await till.collections.products.meta("p-1"))?.sync).toBe("synced");
      },
      async (till, world) => {
        world.rejectNext("products");
        await till.transaction((tx) => {
          tx.products.update("p-1", { name: "A" });
          tx.sales.create(saleOf(1, 1));
        });
        await world.clock.advance(1_000);
      },
    ));

  test("never takes what waits: a sale that was quarantined beside others of an import", () =>
    afterDays(
      40,
      async (till, _world, storage) => {
        expect(operationsIn(storage).map(({ state }) => state)).toEqual(["quarantined"]);
        expect(await till.collections.sales.count()).toBe(3);
      },
      async (till, world) => {
        world.quarantineNext("sales");
        await till.collections.sales.createMany([saleOf(1, 1), saleOf(1, 2), saleOf(1, 3)]);
        await world.clock.advance(1_000);
      },
    ));

  test("is not held up by what lies on a desk", () =>
    afterDays(
      15,
      async (_till, world, storage) => {
        await world.clock.advance(600_000);
        expect(operationsIn(storage).map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => "rejected"));
      },
      async (till, world) => {
        for (let n = 0; n < 6; n += 1) {
          world.rejectNext("products");
          await till.transaction((tx) => {
            tx.products.update("p-1", { name: `A${n}` });
            tx.sales.create(saleOf(1, n));
          });
          await world.clock.advance(1_000);
        }
        for (let n = 0; n < 6; n += 1) await sell(till);
        await world.clock.advance(1_000);
      },
    ));
});
