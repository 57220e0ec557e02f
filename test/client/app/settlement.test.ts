/** The outcome for one record: `meta` shows its state, and `settled` waits for the server's verdict. */
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { ClientWorld, type Till } from "../support/world.ts";

async function shop(run: (till: Till, world: ClientWorld) => Promise<void>): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 });
  await world.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  await run(await world.open(), world);
}
/** Another till has changed the customer's phone number in the meantime. */
async function contested(till: Till, world: ClientWorld): Promise<void> {
  world.network.offline();
  await till.collections.customers.update("c-1", { phone: "2" });
  await world.clock.advance(5_000);
  await world.seed("customers", { id: "c-1", name: "Ann", phone: "9" });
  world.network.online();
  await world.clock.advance(120_000);
}

describe("meta", () => {
  test("of a record that others made: the server's version, and nothing of this device", () =>
    shop(async (till) => {
      expect(await till.collections.products.meta("p-1")).toEqual({
        version: expect.any(Number),
        sync: "synced",
        pendingOperations: 0,
        flags: [],
        changedHereAt: undefined,
        deleted: false,
        conflictId: undefined,
      });
    }));

  test("of a record that is not there is undefined", () =>
    shop(async (till) => {
      expect(await till.collections.products.meta("p-9")).toBeUndefined();
    }));

  test("of a new record: version 0, pending, and since when", () =>
    shop(async (till, world) => {
      world.network.offline();
      const { id } = await till.collections.products.create({ name: "Milk", priceCents: 1, stock: 3 });
      expect(await till.collections.products.meta(id)).toMatchObject({
        version: 0,
        sync: "pending",
        pendingOperations: 2,
        changedHereAt: till.now(),
      });
    }));

  test("of a record that was sent: synced, at the server's version", () =>
    shop(async (till, world) => {
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      const meta = await till.collections.sales.meta(id);
      expect([meta?.sync, (meta?.version ?? 0) > 0, meta?.pendingOperations]).toEqual(["synced", true, 0]);
    }));

  test("of a record that was deleted here: deleted, until the server has confirmed it", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.delete("p-1");
      expect(await till.collections.products.meta("p-1")).toMatchObject({ deleted: true, sync: "pending" });
      world.network.online();
      await world.clock.advance(60_000);
      expect(await till.collections.products.meta("p-1")).toBeUndefined();
    }));

  test("of a rejected edit", () =>
    shop(async (till, world) => {
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      expect(await till.collections.products.meta("p-1")).toMatchObject({ sync: "rejected", pendingOperations: 0 });
    }));

  test("of a quarantined sale", () =>
    shop(async (till, world) => {
      world.quarantineNext("sales");
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      expect(await till.collections.sales.meta(id)).toMatchObject({ sync: "quarantined", version: 0 });
    }));

  test("of a conflict: which", () =>
    shop(async (till, world) => {
      await contested(till, world);
      const [open] = await till.conflicts.list();
      expect(await till.collections.customers.meta("c-1")).toMatchObject({ sync: "conflict", conflictId: open?.id });
    }));
});

describe("settled", () => {
  test("at once, of a record that nothing waits on", () =>
    shop(async (till) => {
      expect(await till.collections.products.settled("p-1")).toEqual({
        state: "applied",
        record: { ...tea, stock: 10 },
        flags: [],
      });
    }));

  test("applied: with the record as the server has it", () =>
    shop(async (till, world) => {
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      const settled = till.collections.sales.settled(id);
      await world.clock.advance(1_000);
      expect(await settled).toMatchObject({ state: "applied", record: { id, orderNumber: "N-1" } });
    }));

  test("deleted", () =>
    shop(async (till, world) => {
      await till.collections.products.delete("p-1");
      const settled = till.collections.products.settled("p-1");
      await world.clock.advance(1_000);
      expect(await settled).toEqual({ state: "deleted" });
    }));

  test("rejected: with the server's reason", () =>
    shop(async (till, world) => {
      world.rejectNext("products", "price_locked");
      await till.collections.products.update("p-1", { priceCents: 1 });
      const settled = till.collections.products.settled("p-1");
      await world.clock.advance(1_000);
      expect(await settled).toEqual({
        state: "rejected",
        reason: { code: "price_locked", message: "price_locked!", issues: [] },
      });
    }));

  test("quarantined: with the server's reason", () =>
    shop(async (till, world) => {
      world.quarantineNext("sales", "shift_closed");
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      const settled = till.collections.sales.settled(id);
      await world.clock.advance(1_000);
      expect(await settled).toMatchObject({ state: "quarantined", reason: { code: "shift_closed" } });
    }));

  test("conflict: which", () =>
    shop(async (till, world) => {
      await contested(till, world);
      const [open] = await till.conflicts.list();
      expect(await till.collections.customers.settled("c-1")).toEqual({ state: "conflict", conflictId: open?.id });
    }));

  test("waits for all that is waiting on the record", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.update("p-1", { name: "A" });
      const ends: string[] = [];
      void till.collections.products.settled("p-1").then(({ state }) => ends.push(state));
      await till.collections.products.update("p-1", { name: "B" });
      await world.clock.advance(60_000);
      expect(ends).toEqual([]);
      world.network.online();
      await world.clock.advance(120_000);
      expect(ends).toEqual(["applied"]);
    }));

  test("works after a reload: by record and not by a handle", async () => {
    await using world = new ClientWorld();
    const storage = memory();
    const before = await world.open({ storage });
    world.network.offline();
    const { id } = await before.collections.sales.create(saleOf(1, 1));
    await before.close();
    world.network.online();
    const after = world.till({ storage });
    const settled = after.collections.sales.settled(id);
    await world.clock.advance(10_000);
    expect(await settled).toMatchObject({ state: "applied" });
  });

  test("rejects when it is called off", () =>
    shop(async (till, world) => {
      world.network.offline();
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      const stop = new AbortController();
      const settled = till.collections.sales.settled(id, { signal: stop.signal });
      stop.abort(new Error("no more"));
      await expect(settled).rejects.toThrow("no more");
    }));

  test("rejects when the client is closed", () =>
    shop(async (till, world) => {
      world.network.offline();
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      const settled = till.collections.sales.settled(id);
      await till.close();
      await expect(settled).rejects.toMatchObject({ code: "client_closed" });
    }));
});
