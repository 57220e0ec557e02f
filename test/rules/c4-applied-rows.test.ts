/** [C4] What a till shows after its own write is what the server has, also where others wrote in between. */
import { expect, test } from "vitest";
import { lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function shopWithTea() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  return { shop, a: await shop.openTill(), b: await shop.openTill() };
}

test("two tills sell one product: neither ever shows a stock that was never there", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await b.data.products.increment("p-1", { stock: -1 });
  await b.sync();
  const shown = a.watch("products", "p-1", "stock");
  a.line.next("pull", lostRequest); // nothing but the answer to its own push
  await a.data.products.increment("p-1", { stock: -2 });
  await a.sync();
  await shop.clock.settle();
  expect((await a.data.products.get("p-1"))?.stock).toBe(7);
  await shop.converge(a, b);
  await shop.clock.settle();
  // 10, then its own −2, then the server's word with the other till's −1 in it.
  expect(shown).toEqual([10, 8, 7]);
});

test("an edit that was merged with another till's shows both at once", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await b.data.products.update("p-1", { name: "Green tea" });
  await b.sync();
  a.line.next("pull", lostRequest);
  await a.data.products.update("p-1", { priceCents: 6_000 });
  await a.sync();
  expect(await a.data.products.get("p-1")).toMatchObject({ name: "Green tea", priceCents: 6_000 });
  await shop.converge(a, b);
});

test("a page that was read before a till's own write, and comes after its answer, takes nothing back", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await b.data.products.update("p-1", { name: "Green tea" });
  await b.sync();
  // The page has the name and not the price; it arrives when the price is there.
  const pull = a.line.hold("pull", "answer");
  const push = a.line.hold("push", "request");
  await a.data.products.update("p-1", { priceCents: 6_000 });
  const syncing = a.sync();
  await Promise.all([pull.arrived, push.arrived]);
  push.release();
  await shop.until(() => a.operationOn("p-1").state === "applied");
  const shown = a.watch("products", "p-1", "priceCents");
  pull.release();
  await syncing;
  await shop.clock.settle();
  expect(new Set(shown)).toEqual(new Set([6_000]));
  await shop.converge(a, b);
});

test("an answer that is repeated after others have written takes nothing back", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  // The server has a's sale, a does not know; meanwhile b sells, and a pulls that first.
  const push = a.line.hold("push", "answer");
  const pull = a.line.hold("pull", "request");
  await a.client.transaction((tx, { now }) => {
    tx.sales.create({ id: "s-1", ...saleOf(2, now) });
    tx.products.increment("p-1", { stock: -2 });
  });
  const syncing = a.sync();
  await Promise.all([pull.arrived, push.arrived]);
  await b.data.products.increment("p-1", { stock: -1 });
  await b.sync();
  pull.release();
  await shop.until(() => a.operationOn("p-1").state === "applied");
  const shown = a.watch("products", "p-1", "stock");
  push.release();
  await syncing;
  await shop.clock.settle();
  expect(new Set(shown)).toEqual(new Set([7]));
  await shop.converge(a, b);
});
