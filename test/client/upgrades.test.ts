/**
 * An app of another version uses the same store: operations of collections that it lacks are sent all the same, and
 * nothing loops.
 */
import { createSyncClient, type SyncClient } from "tillsync";
import { defineCollection } from "tillsync/schema";
import { createTestShop, seededRandom, type TestShop } from "tillsync/testing";
import { expect, test } from "vitest";
import * as z from "zod";
import { type MemoryAdapter, memory } from "../../src/storage/memory/memory.ts";
import { collections, saleOf, tea } from "../support/shop.ts";

type Shop = TestShop<typeof collections>;

/** The app after one of its collections was removed. */
function olderApp(shop: Shop, storage: MemoryAdapter): SyncClient {
  const { products, customers, sales } = collections;
  return createSyncClient({
    name: "test-shop",
    storage,
    transport: shop.transport(),
    clock: shop.clock,
    random: seededRandom(99),
    collections: { products, customers, sales },
  });
}

async function soldOffline(shop: Shop, storage: MemoryAdapter): Promise<string> {
  await shop.server.seed("products", [{ ...tea, stock: 10 }]);
  const till = shop.till({ storage });
  await till.start();
  await shop.clock.advance(1_000);
  shop.network.offline();
  const sale = await till.transaction((tx, { now }) => {
    const made = tx.sales.create(saleOf(1, now));
    tx.payments.create({ saleId: made.id, amountCents: made.totalCents });
    return made;
  });
  await till.close();
  shop.network.online();
  return sale.id;
}

test("what was queued in a collection that the app no longer has reaches the server, with the sale it belongs to", async () => {
  await using shop = createTestShop({ collections });
  const storage = memory();
  const saleId = await soldOffline(shop, storage);
  const till = olderApp(shop, storage);
  await till.start();
  await shop.clock.advance(5_000);
  expect(await shop.server.rows("payments")).toMatchObject([{ saleId }]);
  expect(await shop.server.rows("sales")).toMatchObject([{ id: saleId }]);
  expect(till.status.pending.count).toBe(0);
  expect((await till.collections.sales?.settled(saleId))?.state).toBe("applied");
  await till.close();
});

test("a verdict on it is kept, and it is not sent again and again", async () => {
  await using shop = createTestShop({ collections });
  const storage = memory();
  const saleId = await soldOffline(shop, storage);
  shop.server.quarantineNext("payments", { code: "shift_closed", message: "The shift is closed" });
  const till = olderApp(shop, storage);
  await till.start();
  await shop.clock.advance(120_000);
  const pushes = shop.network.requests.filter(({ path, status }) => path.endsWith("/push") && status === 200);
  expect(pushes.length).toBeLessThan(4);
  const operations = await till.operations.list({ state: "quarantined" });
  expect(operations.map(({ collection }) => collection).sort()).toEqual(["payments", "sales"]);
  expect(till.status.attention.quarantined).toBe(2);
  await till.close();

  // The old app finds that its row agrees with the verdict.
  const back = shop.till({ storage });
  await back.start();
  await shop.clock.advance(5_000);
  const [payment] = await back.collections.payments.find({ index: "saleId", equals: saleId });
  expect(payment?.saleId).toBe(saleId);
});

test("a record that was sold while the app was rolled back is there again in the updated app, before any pull [H7]", async () => {
  const old = {
    teas: defineCollection({ schema: z.object({ words: z.string(), stock: z.int() }), counters: ["stock"] }),
  };
  const teas = defineCollection({
    schema: z.object({ name: z.string(), stock: z.int() }),
    counters: ["stock"],
    indexes: ["name"],
    schemaVersion: 2,
    upcast: { 1: ({ words }) => ({ name: words }) },
  });
  await using shop = createTestShop({ collections: { teas } });
  await shop.server.seed("teas", [{ id: "t-1", name: "Assam", stock: 5 }]);
  const storage = memory();
  const { clock, network } = shop;
  const updated = shop.till({ storage });
  await updated.start();
  await clock.advance(1_000);
  network.offline();
  await updated.collections.teas.increment("t-1", { stock: -1 });
  await updated.close();

  network.online();
  const transport = shop.transport();
  const rolledBack = createSyncClient({ name: "test-shop", storage, transport, clock, collections: old });
  await rolledBack.start();
  await clock.advance(5_000);
  expect([rolledBack.status.pending.count, await rolledBack.collections.teas.get("t-1")]).toEqual([0, undefined]);
  await rolledBack.close();

  network.offline();
  const back = shop.till({ storage });
  await back.start();
  expect(await back.collections.teas.get("t-1")).toMatchObject({ name: "Assam" });
  expect(await back.collections.teas.find({ index: "name", equals: "Assam" })).toHaveLength(1);
  network.online();
  await clock.advance(120_000);
  expect(await back.collections.teas.get("t-1")).toMatchObject({ name: "Assam", stock: 4 });
});
