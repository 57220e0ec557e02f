/** [C1] A sale is a fact. No edit that was made beside it, and nothing it names, can refuse it or hold it. */
import { expect, test } from "vitest";
import { ann } from "../support/in-conflict.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function shopWithAnn() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  await shop.seed("customers", ann);
  return shop;
}

test("a sale is applied though the customer edit made with it conflicts", async () => {
  await using shop = await shopWithAnn();
  const a = await shop.openTill();
  const b = await shop.openTill();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  await a.client.transaction((tx, { now }) => {
    tx.customers.update("c-1", { phone: "3" });
    const sale = tx.sales.create({ id: "s-1", customerId: "c-1", ...saleOf(2, now) });
    tx.payments.create({ id: "y-1", saleId: sale.id, amountCents: 10_000 });
    tx.products.increment("p-1", { stock: -2 });
  });
  await a.sync();
  expect((await a.data.sales.meta("s-1"))?.sync).toBe("synced");
  expect(shop.shown("products", "p-1").stock).toBe(8);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
  expect(shop.row("payments", "y-1")?.state).toBe("live");
  // The edit alone lies on the desk, and the money waited for nobody.
  const [conflict] = await a.client.conflicts.list();
  expect(conflict).toMatchObject({ collection: "customers", entityId: "c-1" });
  await a.client.conflicts.resolve(conflict as never, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
});

test("an edit made with a sale is sent on its own, and what the sale is made of is bound together", async () => {
  await using shop = await shopWithAnn();
  const a = await shop.openTill();
  await a.client.transaction((tx, { now }) => {
    tx.customers.update("c-1", { phone: "3" });
    tx.sales.create({ id: "s-1", ...saleOf(2, now) });
    tx.products.increment("p-1", { stock: -2 });
  });
  await a.sync();
  const sent = a.line.pushed.flat();
  const transactionOf = (collection: string) => sent.find((o) => o.collection === collection)?.transaction;
  expect(transactionOf("customers")).toBeUndefined();
  expect(transactionOf("sales")).toBeDefined();
  expect(transactionOf("products")).toBe(transactionOf("sales"));
  await shop.converge(a);
});

test("a sale that a till binds to an edit all the same is not refused with it", async () => {
  await using shop = await shopWithAnn();
  const b = await shop.openTill();
  const peer = shop.peer();
  await peer.register();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  const inOne = { transaction: "t-1" };
  const [edit, sale, step] = await peer.push(
    peer.make({
      action: "update",
      collection: "customers",
      entityId: "c-1",
      baseVersion: 0,
      patch: { phone: "3" },
      ...inOne,
    }),
    peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0), ...inOne }),
    peer.make({ action: "increment", collection: "products", entityId: "p-1", by: { stock: -1 }, ...inOne }),
  );
  expect(edit?.status).toBe("conflict");
  expect(sale?.status).toBe("applied");
  expect(step?.status).toBe("applied");
  await shop.converge(b);
});

test("a sale is applied, with a flag, though the customer it names was refused", async () => {
  await using shop = await shopWithAnn();
  const a = await shop.openTill();
  shop.nextVerdict("customers", "rejected");
  await a.data.customers.create({ id: "c-2", name: "Bob" });
  await a.data.sales.create({ id: "s-1", customerId: "c-2", ...saleOf(1, 0) });
  await a.sync();
  expect(a.operationOn("c-2").state).toBe("rejected");
  const end = await a.data.sales.settled("s-1");
  expect(end).toMatchObject({ state: "applied", flags: [{ code: "unresolved_reference", message: "customers/c-2" }] });
  await shop.converge(a);
});

test("a sale goes while the customer it names lies in conflict on the desk", async () => {
  await using shop = await shopWithAnn();
  // One at a time, so that the sale is chosen when the verdict on its customer is in.
  const a = await shop.openTill({ sync: { batch: { maxOperations: 1 } } });
  const b = await shop.openTill();
  await b.data.customers.create({ id: "c-2", name: "Bob" });
  await b.sync();
  a.line.up = false;
  await a.data.customers.create({ id: "c-2", name: "Bert" });
  await a.sync();
  a.line.up = true;
  await a.sync();
  expect(a.operationOn("c-2").state).toBe("conflict");
  await a.data.sales.create({ id: "s-1", customerId: "c-2", ...saleOf(1, 0) });
  await a.sync();
  expect(a.operationOn("s-1").state).toBe("applied");
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "server");
  await shop.converge(a, b);
});

test("a sale whose payment is set aside is set aside whole, and released whole", async () => {
  await using shop = await shopWithAnn();
  const a = await shop.openTill();
  const b = await shop.openTill();
  shop.nextVerdict("payments", "quarantined", "odd_payment");
  await a.client.transaction((tx, { now }) => {
    tx.sales.create({ id: "s-1", ...saleOf(2, now) });
    tx.products.increment("p-1", { stock: -2 });
    tx.payments.create({ id: "y-1", saleId: "s-1", amountCents: 1 });
  });
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["quarantined", "quarantined", "quarantined"]);
  expect(shop.row("sales", "s-1")).toBeUndefined();
  expect(shop.shown("products", "p-1").stock).toBe(10);
  // The till has printed a receipt: what it shows does not take the sale back.
  expect(await a.data.sales.get("s-1")).toBeDefined();

  await shop.office.release(a.operationOn("s-1").id);
  expect(shop.shown("products", "p-1").stock).toBe(8);
  expect(shop.row("payments", "y-1")?.state).toBe("live");
  await shop.converge(a, b);
  expect(a.client.status.attention.quarantined).toBe(0);
});

test("an edit that fails holds its siblings, and its resolution sends all of them together", async () => {
  await using shop = await shopWithAnn();
  await shop.seed("customers", { id: "c-2", name: "Bob", phone: "1" });
  const a = await shop.openTill();
  const b = await shop.openTill();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  await a.client.transaction((tx) => {
    tx.customers.update("c-1", { phone: "3" });
    tx.customers.update("c-2", { phone: "3" });
  });
  await a.sync();
  expect(a.operationOn("c-1").state).toBe("conflict");
  expect(a.operationOn("c-2").state).toBe("blocked");
  expect(shop.shown("customers", "c-2").phone).toBe("1");

  const before = a.line.of("push").length;
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "client");
  await shop.converge(a, b);
  const group = a.line.pushed[before] ?? [];
  expect(group.map((o) => o.entityId)).toEqual(["c-1", "c-2"]);
  expect(new Set(group.map((o) => o.transaction)).size).toBe(1);
  expect(group[0]?.transaction).toBeDefined();
  expect(shop.shown("customers", "c-2").phone).toBe("3");
});
