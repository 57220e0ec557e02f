/** [C2] What an operation must wait for, and what it must not. */
import { expect, test } from "vitest";
import { ann, inConflict } from "../support/in-conflict.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

test("members of one transaction do not wait for each other, in whatever order they were written", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  await a.client.transaction((tx, { now }) => {
    // The payment names a sale that is written after it.
    tx.payments.create({ id: "y-1", saleId: "s-1", amountCents: 10_000 });
    tx.sales.create({ id: "s-1", ...saleOf(2, now) });
    tx.products.increment("p-1", { stock: -2 });
  });
  await a.sync();
  expect(a.line.pushed.flat().map(({ after }) => after)).toEqual([undefined, undefined, undefined]);
  await shop.converge(a);
});

test("points of a sale wait for no edit of the customer that is held up", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  // One edit is on the desk, and the next one waits for it.
  await a.data.customers.update("c-1", { name: "Anna" });
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["conflict", "pending"]);
  await a.client.transaction((tx, { now }) => {
    tx.sales.create({ id: "s-1", customerId: "c-1", ...saleOf(1, now) });
    tx.customers.increment("c-1", { points: 5 });
  });
  await a.sync();
  expect(a.operationOn("s-1").state).toBe("applied");
  expect(a.operationOn("c-1", "increment").state).toBe("applied");
  expect(shop.shown("customers", "c-1").points).toBe(5);
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "server");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1")).toMatchObject({ phone: "2", name: "Anna", points: 5 });
});

test("a step of a counter comes after the create of its row, though its sale has the right of way", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  a.line.up = false;
  await a.data.products.create(tea);
  await a.client.transaction((tx, { now }) => {
    tx.sales.create({ id: "s-1", ...saleOf(2, now) });
    tx.products.increment("p-1", { stock: -2 });
  });
  a.line.up = true;
  await a.sync();
  const sent = a.line.pushed.flat().filter((o) => o.collection === "products");
  expect(sent.map(({ action }) => action)).toEqual(["create", "increment"]);
  expect(sent[1]?.after).toEqual([sent[0]?.id]);
  expect(a.operationOn("p-1", "increment").flags).toBeUndefined();
  await shop.converge(a);
});

test("a sale comes after the create of the customer it names", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  a.line.up = false;
  await a.data.customers.create(ann);
  await a.data.sales.create({ id: "s-1", customerId: "c-1", ...saleOf(1, 0) });
  a.line.up = true;
  await a.sync();
  expect(a.line.pushed.flat().map(({ entityId }) => entityId)).toEqual(["c-1", "s-1"]);
  const flags = a.operationOn("s-1").flags?.map(({ message }) => message);
  expect(flags).toEqual(["products/p-1"]); // the product is not there; the customer is
  await shop.converge(a);
});

test("what has been settled, or is nothing of this till's, is waited for no more", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", ann);
  const a = await shop.openTill();
  await a.data.customers.update("c-1", { phone: "2" });
  await a.sync();
  await a.data.customers.update("c-1", { phone: "3" });
  await a.data.sales.create({ id: "s-1", customerId: "c-1", ...saleOf(1, 0) });
  await a.sync();
  expect(a.line.pushed.flat().map(({ after }) => after)).toEqual([undefined, undefined, undefined]);
  await shop.converge(a);
});

test("what names a sale that is set aside waits for it no more, whatever else lies on the desk", async () => {
  const { shop, a, b } = await inConflict();
  await using _ = shop;
  shop.nextVerdict("sales", "quarantined");
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["conflict", "quarantined"]);
  await a.data.payments.create({ id: "y-1", saleId: "s-1", amountCents: 5_000 });
  await a.sync();
  expect(a.operationOn("y-1").state).toBe("applied");
  expect(shop.row("payments", "y-1")?.state).toBe("live");
  await shop.office.release(a.operationOn("s-1").id);
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "server");
  await shop.converge(a, b);
});
