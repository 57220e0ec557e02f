/** [C5] Nobody is in conflict with himself, and nobody overwrites what he has not seen. */
import { expect, test } from "vitest";
import { lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { tea } from "../support/shop.ts";

async function shopWithTea() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  return { shop, a: await shop.openTill(), b: await shop.openTill() };
}

test.each([1, 200])(
  "two offline edits of one field do not conflict with each other, %i to a batch",
  async (maxOperations) => {
    await using shop = new RuleShop();
    await shop.seed("products", { ...tea, stock: 10 });
    const a = await shop.openTill({ sync: { batch: { maxOperations } } });
    await a.data.products.update("p-1", { priceCents: 1 });
    await a.data.products.update("p-1", { priceCents: 2 });
    await a.sync();
    expect(a.operations.map(({ state }) => state)).toEqual(["applied", "applied"]);
    await shop.converge(a);
    expect(shop.shown("products", "p-1").priceCents).toBe(2);
    expect(await a.client.conflicts.list({ state: "settled" })).toEqual([]);
  },
);

test("a product that was edited offline can be deleted offline", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.data.products.delete("p-1");
  await shop.converge(a, b);
  expect(shop.row("products", "p-1")?.state).toBe("deleted");
  expect(await b.data.products.get("p-1")).toBeUndefined();
});

test("an edit over a pending one does not pass over what a pull has put under it", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  a.line.next("push", lostRequest);
  await a.data.products.update("p-1", { priceCents: 1 });
  await b.data.products.update("p-1", { priceCents: 9 });
  await b.sync();
  // Only the pull gets through: the 9 lies under the pending 1, and nobody at this till sees it.
  await a.sync();
  expect((await a.data.products.get("p-1"))?.priceCents).toBe(1);
  expect(a.rows("products")[0]?.base?.priceCents).toBe(9);
  await a.data.products.update("p-1", { priceCents: 2 });
  await shop.converge(a, b);
  expect(shop.shown("products", "p-1").priceCents).toBe(9);
  const lost = await a.client.conflicts.list({ state: "settled" });
  expect(lost).toMatchObject([{ client: { priceCents: 1 } }, { client: { priceCents: 2 } }]);
});

test("what another till wrote into the same field is a conflict, and into another one is none", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await b.data.products.update("p-1", { priceCents: 9, name: "Green tea" });
  await b.sync();
  a.line.next("pull", lostRequest);
  await a.data.products.update("p-1", { note: "hot" });
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.sync();
  await shop.converge(a, b);
  expect(shop.shown("products", "p-1")).toMatchObject({ priceCents: 9, name: "Green tea", note: "hot" });
  const [lost, ...more] = await a.client.conflicts.list({ state: "settled" });
  expect(more).toEqual([]);
  expect(lost).toMatchObject({ client: { priceCents: 1 } });
});

test("an own edit does not hide another till's edit of another field from the next edit", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  // a edits the name twice and the price once, all on what it saw in the morning; b has changed the price.
  await b.data.products.update("p-1", { priceCents: 9 });
  await b.sync();
  a.line.up = false;
  await a.data.products.update("p-1", { name: "A" });
  await a.data.products.update("p-1", { name: "B" });
  await a.data.products.update("p-1", { priceCents: 1 });
  a.line.up = true;
  await shop.converge(a, b);
  expect(shop.shown("products", "p-1")).toMatchObject({ name: "B", priceCents: 9 });
});

test("an older edit that is sent again after its author has deleted the row is a conflict, and brings nothing back", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  const a = await shop.openTill();
  shop.nextVerdict("customers", "rejected", "name_refused");
  await a.data.customers.update("c-1", { name: "Anne" });
  await a.sync();
  await a.data.customers.delete("c-1");
  await a.sync();
  expect(shop.row("customers", "c-1")?.state).toBe("deleted");

  const [refused] = await a.client.operations.list({ state: "rejected" });
  await a.client.operations.retry((refused as { id: string }).id);
  await a.sync();
  const [judged] = a.line.of("push").at(-1)?.answer.results ?? [];
  expect(judged).toMatchObject({ status: "conflict", server: { deleted: true } });
  expect(shop.row("customers", "c-1")?.state).toBe("deleted");

  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "server");
  await shop.converge(a);
  expect(shop.row("customers", "c-1")?.state).toBe("deleted");
});
