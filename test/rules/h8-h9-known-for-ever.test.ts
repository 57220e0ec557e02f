/** [H8] [H9] An operation is known by its payload, and for ever. */
import { expect, test } from "vitest";
import { lostAnswer, lostRequest, twice } from "../support/rule-line.ts";
import { days, RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function shopWithTea() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  return shop;
}

test("what was applied and not answered is not applied again in other batches, with another `after` and number", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  a.line.next("push", lostAnswer);
  a.line.next("pull", lostRequest);
  await a.data.customers.create({ id: "c-1", name: "Ann" });
  await a.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", customerId: "c-1", ...saleOf(2, 0) });
    tx.products.increment("p-1", { stock: -2 });
  });
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
  // The app starts again, with small batches.
  const again = await shop.restart(a, { sync: { batch: { maxOperations: 1 } } });
  again.line.next("pull", lostRequest);
  await again.sync();
  await shop.converge(again);
  expect(again.line.pushed[0]).toHaveLength(1);
  expect(again.operations.map(({ state }) => state)).toEqual(["applied", "applied", "applied"]);
  expect(shop.shown("products", "p-1").stock).toBe(8);
});

test("the same payload is the same operation: with its members in another order, and sent by a copy of the till", async () => {
  await using shop = await shopWithTea();
  const peer = shop.peer();
  await peer.register();
  const step = peer.make({ action: "increment", collection: "products", entityId: "p-1", by: { stock: -2 } });
  const [first] = await peer.push(step);
  const turned = Object.fromEntries(Object.entries(step).reverse());
  peer.incarnation = "00000000-0000-4000-8000-000000000002";
  const other = { ...turned, sequence: 77, after: [step.id.replace(/.$/, "0")], supersedes: [] };
  const [again] = await peer.push(other);
  expect(again).toEqual({ ...first, replayed: true });
  expect(shop.shown("products", "p-1").stock).toBe(8);
});

test("another payload under a known id is an error that both sides see, and both payloads are kept", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  a.line.next("push", lostAnswer);
  a.line.next("pull", lostRequest);
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  // Something rewrites what is queued: a repair tool, a bug of another version.
  a.rewrite("operations", (operation: { data: { totalCents: number } }) => {
    operation.data.totalCents = 7;
    return operation;
  });
  a.line.next("pull", lostRequest, lostRequest);
  await a.sync();
  expect(a.operationOn("s-1")).toMatchObject({ state: "rejected", error: { code: "operation_id_reused" } });
  expect(a.client.status.attention.rejected).toBe(1);
  expect(shop.errors).toContain("An operation id was used twice, with different payloads");
  expect(shop.shown("sales", "s-1").totalCents).toBe(5_000);
  expect(await shop.office.quarantined()).toMatchObject([{ operation: { data: { totalCents: 7 } } }]);
  // Nobody sends it again by himself, however long it lies there.
  const pushes = a.line.of("push").length;
  await shop.clock.advance(120_000);
  await a.sync();
  await a.sync();
  expect(a.line.of("push")).toHaveLength(pushes);
  expect(await shop.office.quarantined()).toHaveLength(1);
});

test("a known operation is answered for ever, word for word", async () => {
  await using shop = await shopWithTea();
  const peer = shop.peer();
  await peer.register();
  const operations = [
    peer.make({ action: "increment", collection: "products", entityId: "p-1", by: { stock: -2 } }),
    peer.make({ action: "update", collection: "products", entityId: "p-1", baseVersion: 0, patch: { priceCents: 1 } }),
    peer.make({ action: "update", collection: "products", entityId: "p-9", baseVersion: 0, patch: { priceCents: 1 } }),
    { ...peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0) }), colour: "red" },
  ];
  const first = await peer.push(...operations);
  expect(first.map(({ status }) => status)).toEqual(["applied", "conflict", "rejected", "quarantined"]);
  // Sixty days and many changes later.
  await shop.clock.advance(days(60));
  const b = await shop.openTill();
  await b.data.products.update("p-1", { priceCents: 3 });
  await b.data.products.increment("p-1", { stock: -1 });
  await b.sync();
  const again = await peer.push(...operations);
  expect(again.map((result) => JSON.stringify(result))).toEqual(
    first.map(({ receipt, ...result }) => JSON.stringify({ ...result, replayed: true, receipt })),
  );
  expect(shop.shown("products", "p-1").stock).toBe(7);
});

test("a till that lost an answer sixty days ago sends it again, and it counts once", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  a.line.next("push", lostAnswer);
  a.line.next("pull", lostRequest);
  await a.data.products.increment("p-1", { stock: -2 });
  await a.sync();
  await shop.clock.advance(days(60));
  a.line.next("pull", lostRequest);
  await a.sync();
  await shop.converge(a);
  expect(shop.shown("products", "p-1").stock).toBe(8);
});

test.each(["commit", "answer"] as const)("a server that dies before its %s has each sale once", async (step) => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  // Nothing but the push is to be hit.
  a.line.next("push", (deliver) => {
    shop.crashBefore = step;
    return deliver();
  });
  await a.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", ...saleOf(2, 0) });
    tx.products.increment("p-1", { stock: -2 });
  });
  await a.sync();
  await shop.converge(a);
  expect(shop.shown("products", "p-1").stock).toBe(8);
});

test("what the office has done with the second payload stands, however often it is sent", async () => {
  await using shop = await shopWithTea();
  const peer = shop.peer();
  await peer.register();
  const sale = peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0) });
  const other = { ...sale, data: saleOf(2, 0) };
  await peer.push(sale);
  const [reused] = await peer.push(other);
  expect(reused).toMatchObject({ status: "rejected", error: { code: "operation_id_reused" } });
  const [kept] = await shop.office.quarantined();
  await shop.office.discard(String(kept?.operation.id));
  await peer.push(other);
  expect(await shop.office.quarantined()).toEqual([]);
});

test("a request that the network delivers twice counts once", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  a.line.next("push", twice);
  await a.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", ...saleOf(2, 0) });
    tx.products.increment("p-1", { stock: -2 });
  });
  await shop.converge(a);
  expect(shop.shown("products", "p-1").stock).toBe(8);
});
