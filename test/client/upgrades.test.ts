/**
 * An app of another version uses the same store: operations of collections that it lacks are sent all the same, and
 * nothing loops.
 */
import { createSyncClient, type SyncClient } from "tillsync";
import { createTestShop, seededRandom, type TestShop } from "tillsync/testing";
import { expect, test } from "vitest";
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
