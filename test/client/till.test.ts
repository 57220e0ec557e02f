import { createTestShop } from "tillsync/testing";
import { expect, test } from "vitest";
import { collections, saleOf, tea } from "../support/shop.ts";

test("a sale made offline reaches the server once, though the first answer is lost", async () => {
  await using shop = createTestShop({ collections, start: "2026-11-20T08:00:00Z" });
  await shop.server.seed("products", [{ ...tea, stock: 10 }]);
  const till = shop.till({ actor: () => "u-7" });
  await till.start();
  await shop.clock.advance(1_000);
  await till.firstSync();
  shop.network.offline();
  const sale = await till.transaction((tx, { now }) => {
    tx.products.increment("p-1", { stock: -2 });
    return tx.sales.create(saleOf(2, now));
  });
  expect((await till.collections.sales.meta(sale.id))?.sync).toBe("pending");
  expect((await till.collections.products.get("p-1"))?.stock).toBe(8);
  await shop.clock.advance(60_000);
  expect(till.status).toMatchObject({ phase: "offline", pending: { count: 2 } });
  shop.network.online();
  shop.network.loseNextAnswer();
  const settled = till.collections.sales.settled(sale.id);
  await shop.clock.advance(120_000);
  const end = await settled;
  if (end.state !== "applied") throw new Error(end.state);
  expect(end.record.orderNumber).toBeDefined();
  expect(await shop.server.rows("sales")).toHaveLength(1);
  expect((await till.collections.products.get("p-1"))?.stock).toBe(8);
  expect((await shop.server.rows("products"))[0]?.stock).toBe(8);
});
