/** [H3] What the back office decides reaches the till, once, and stands. */
import { expect, test } from "vitest";
import { inConflict } from "../support/in-conflict.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function shopWithOddSale() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  shop.nextVerdict("sales", "quarantined", "odd");
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  const { id, state } = a.operationOn("s-1");
  expect(state).toBe("quarantined");
  expect(a.client.status.attention.quarantined).toBe(1);
  return { shop, a, id };
}

test("a sale that the office releases is applied at the till too, by a pull alone", async () => {
  const { shop, a, id } = await shopWithOddSale();
  await using _ = shop;
  const pushes = a.line.of("push").length;
  await shop.office.release(id);
  await shop.converge(a);
  expect(a.line.of("push")).toHaveLength(pushes);
  expect(a.operationOn("s-1").state).toBe("applied");
  expect(a.client.status.attention.quarantined).toBe(0);
  expect((await a.data.sales.settled("s-1")).state).toBe("applied");
  expect(a.told("applied")).toHaveLength(1);
});

test("a sale that the office discards is off the till's desk, and its payload is kept", async () => {
  const { shop, a, id } = await shopWithOddSale();
  await using _ = shop;
  await shop.office.discard(id, "rung up twice");
  await a.sync();
  expect(a.operationOn("s-1")).toMatchObject({
    state: "quarantined",
    error: { code: "discarded", message: "rung up twice" },
  });
  expect(a.client.status.attention.quarantined).toBe(0);
  expect(await shop.office.quarantined()).toEqual([]);
  expect(shop.operation(id).operation).toMatchObject({ action: "create", data: { totalCents: 5_000 } });
  await expect(shop.office.release(id)).rejects.toThrow("not_quarantined");
});

test.each(["client", "server"] as const)(
  "a conflict that the office settles for the %s is closed at the till",
  async (choice) => {
    const { shop, a, b } = await inConflict();
    await using _ = shop;
    expect(await a.client.conflicts.list()).toHaveLength(1);
    await shop.office.resolve(a.operationOn("c-1").id, choice);
    await shop.converge(a, b);
    expect(await a.client.conflicts.list()).toEqual([]);
    expect(await a.client.conflicts.list({ state: "settled" })).toMatchObject([{ settled: { by: "server" } }]);
    expect(a.operationOn("c-1").state).toBe("closed_elsewhere");
    expect((await a.data.customers.get("c-1"))?.phone).toBe(choice === "client" ? "3" : "2");
  },
);

test("an older answer that comes after the office's decision does not undo it", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  shop.nextVerdict("sales", "quarantined", "odd");
  const push = a.line.hold("push", "answer");
  const pull = a.line.hold("pull", "request");
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  const syncing = a.sync();
  await Promise.all([push.arrived, pull.arrived]);
  await shop.office.release(a.operationOn("s-1").id);
  pull.release();
  await shop.until(() => a.operationOn("s-1").state === "applied");
  // The push had been answered `quarantined`.
  push.release();
  await syncing;
  expect(a.operationOn("s-1").state).toBe("applied");
  expect(a.told("quarantined")).toEqual([]);
  await shop.converge(a);
});

test("a replay answers the latest revision, with who it is of", async () => {
  await using shop = new RuleShop();
  const peer = shop.peer();
  await peer.register();
  shop.nextVerdict("sales", "quarantined", "odd");
  const sale = peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0) });
  const [first] = await peer.push(sale);
  expect(first).toMatchObject({ status: "quarantined" });
  await shop.office.release(sale.id);
  const [again] = await peer.push(sale);
  expect(again).toMatchObject({ status: "applied", revision: 1, replayed: true });
});

test("a result is told once, however often it is answered", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const push = a.line.hold("push", "answer");
  const pull = a.line.hold("pull", "request");
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  const syncing = a.sync();
  await Promise.all([push.arrived, pull.arrived]);
  pull.release();
  await shop.until(() => a.operationOn("s-1").state === "applied");
  push.release();
  await syncing;
  await shop.converge(a);
  expect(a.told("applied")).toHaveLength(1);
});

test("goods that were discarded with their sale are sent again with it, and not alone [C1]", async () => {
  const shop = new RuleShop();
  await using _ = shop;
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  shop.nextVerdict("sales", "quarantined", "odd");
  await a.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", ...saleOf(1, 0) });
    tx.products.increment("p-1", { stock: -1 });
  });
  await a.sync();
  await shop.office.discard(a.operationOn("s-1").id, "a mistake");
  await a.sync();
  expect(a.operationOn("p-1", "increment").error?.code).toBe("discarded");
  await a.client.operations.retry(a.operationOn("p-1", "increment").id);
  await shop.converge(a);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
  expect(shop.shown("products", "p-1").stock).toBe(9);
});
