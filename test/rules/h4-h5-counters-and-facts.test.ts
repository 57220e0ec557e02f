/** [H4] [H5] Counters live longer than rows, and a sale is refused for nothing. */
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function shopWithTea() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  return { shop, a: await shop.openTill(), b: await shop.openTill() };
}

test("a sale of a product that was deleted meanwhile is applied, and its stock counts when the product comes back", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await b.data.products.delete("p-1");
  await b.sync();
  await a.client.transaction((tx, { now }) => {
    tx.sales.create({ id: "s-1", ...saleOf(2, now) });
    tx.products.increment("p-1", { stock: -2 });
  });
  await a.sync();
  expect(a.operationOn("s-1").state).toBe("applied");
  expect(a.operationOn("p-1", "increment")).toMatchObject({ state: "applied", flags: [{ code: "deleted_row" }] });
  await shop.converge(a, b);
  expect(await a.data.products.get("p-1")).toBeUndefined();
  await b.data.products.create(tea);
  await shop.converge(b, a);
  expect((await a.data.products.get("p-1"))?.stock).toBe(8);
});

test("a step on a row that nobody has made yet shows no row, and is in the sum when the row is made", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await a.client.transaction((tx) => tx.products.increment("p-9", { stock: 5 }));
  await shop.converge(a, b);
  expect(a.operationOn("p-9")).toMatchObject({ state: "applied", flags: [{ code: "unknown_row" }] });
  expect(await b.data.products.find()).toHaveLength(1);
  await b.data.products.create({ ...tea, id: "p-9", stock: 2 });
  await shop.converge(b, a);
  expect((await a.data.products.get("p-9"))?.stock).toBe(7);
});

test("a product that sells all day can be deleted", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await a.data.products.increment("p-1", { stock: -1 });
  await a.sync();
  b.line.next("pull", lostRequest);
  await b.data.products.delete("p-1");
  await b.sync();
  expect(b.operationOn("p-1").state).toBe("applied");
  await shop.converge(a, b);
  expect(shop.row("products", "p-1")?.state).toBe("deleted");
  expect(b.told("conflict")).toEqual([]);
});

test("a product that somebody has just edited is not deleted over it", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.sync();
  b.line.next("pull", lostRequest);
  await b.data.products.delete("p-1");
  await b.sync();
  await shop.converge(a, b);
  expect(shop.shown("products", "p-1").priceCents).toBe(1);
  expect(await b.client.conflicts.list({ state: "settled" })).toHaveLength(1);
});

test("an edit of a row that was deleted is a conflict, and both sides are there to see", async () => {
  await using shop = new RuleShop();
  await shop.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  const a = await shop.openTill();
  const b = await shop.openTill();
  await b.data.customers.delete("c-1");
  await b.sync();
  a.line.next("pull", lostRequest);
  await a.data.customers.update("c-1", { phone: "3" });
  await a.sync();
  expect(a.line.of("push").at(-1)?.answer.results).toMatchObject([{ status: "conflict", server: { deleted: true } }]);
  const [conflict] = await a.client.conflicts.list();
  expect(conflict).toMatchObject({ server: undefined, client: { phone: "3" } });
  await a.client.conflicts.resolve(conflict as never, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1")).toMatchObject({ name: "Ann", phone: "3" });
});

test("only steps move a counter, and an edit of a row that never was is refused", async () => {
  const { shop } = await shopWithTea();
  await using _ = shop;
  const peer = shop.peer();
  await peer.register();
  const products = { collection: "products" };
  const [create, update, unknown] = await peer.push(
    peer.make({ action: "create", ...products, entityId: "p-2", data: { ...tea, id: undefined, stock: 7 } }),
    peer.make({ action: "update", ...products, entityId: "p-1", baseVersion: 0, patch: { stock: 7 } }),
    peer.make({ action: "update", ...products, entityId: "p-9", baseVersion: 0, patch: { priceCents: 7 } }),
  );
  expect(create).toMatchObject({ status: "rejected", error: { code: "malformed" } });
  expect(update).toMatchObject({ status: "rejected", error: { code: "malformed" } });
  expect(unknown).toMatchObject({ status: "rejected", error: { code: "not_found" } });
  expect(shop.shown("products", "p-1").stock).toBe(10);
});

test("two different sales under one id: the second is set aside, and neither is lost", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await b.data.sales.create({ id: "s-1", ...saleOf(2, 0) });
  await a.sync();
  await b.sync();
  expect(b.operationOn("s-1")).toMatchObject({ state: "quarantined", error: { code: "id_collision" } });
  expect(shop.shown("sales", "s-1").totalCents).toBe(5_000);
  expect(await shop.office.quarantined()).toMatchObject([{ operation: { data: { totalCents: 10_000 } } }]);
  await shop.converge(a, b);
});

test("the same sale under one id, twice, is one sale", async () => {
  const { shop, a, b } = await shopWithTea();
  await using _ = shop;
  for (const till of [a, b]) {
    await till.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
    await till.sync();
    expect(till.operationOn("s-1").state).toBe("applied");
  }
  await shop.converge(a, b);
});

test("a sale is set aside, and never refused, whatever speaks against it", async () => {
  const strict = defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int().max(9) }) });
  const loose = defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int() }) });
  await using shop = new RuleShop({
    collections: { sales: loose, returns: loose, tips: loose },
    policies: {
      // A policy in JavaScript, that has not read the types.
      returns: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone" },
        decide: () => ({ outcome: "rejected", code: "no", message: "no" }) as never,
      },
      tips: { scope: "tenant", allow: { read: "everyone", create: "managers" } },
    },
  });
  const a = await shop.openTill();
  await a.data.sales.create({ id: "s-1", totalCents: 10 });
  await a.data.returns.create({ id: "r-1", totalCents: 10 });
  await a.data.tips.create({ id: "t-1", totalCents: 10 });
  shop.upgrade({ sales: strict, returns: loose, tips: loose });
  await a.sync();
  const ends = a.operations.map(({ entityId, state, error }) => [entityId, state, error?.code]);
  expect(ends).toEqual([
    ["s-1", "quarantined", "validation_failed"],
    ["r-1", "quarantined", "no"],
    ["t-1", "quarantined", "not_permitted"],
  ]);
  expect(await shop.office.quarantined()).toHaveLength(3);
  // The till has sold it, and goes on showing it.
  expect(await a.data.sales.get("s-1")).toBeDefined();
});

test("a sale that is stored can be neither edited nor deleted", async () => {
  const { shop, a } = await shopWithTea();
  await using _ = shop;
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  const peer = shop.peer();
  await peer.register();
  const sale = { collection: "sales", entityId: "s-1", baseVersion: Number.MAX_SAFE_INTEGER };
  const results = await peer.push(
    peer.make({ action: "update", ...sale, patch: { totalCents: 1 } }),
    peer.make({ action: "delete", ...sale }),
  );
  expect(results.map(({ status, error }) => [status, error.code])).toEqual(Array(2).fill(["quarantined", "malformed"]));
  expect(shop.shown("sales", "s-1").totalCents).toBe(5_000);
  await shop.converge(a);
});

test("an oversold product can be edited, deleted and made again, whatever its schema says about stock", async () => {
  const products = defineCollection({
    schema: z.object({ name: z.string().min(1), stock: z.int().nonnegative().default(0) }),
    counters: ["stock"],
  });
  const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
  await using shop = new RuleShop({ collections: { products }, policies: { products: { scope: "tenant", allow } } });
  await shop.seed("products", { id: "p-1", name: "Tea", stock: 1 });
  const a = await shop.openTill();
  const b = await shop.openTill();
  await a.data.products.update("p-1", { name: "Green tea" });
  await b.data.products.increment("p-1", { stock: -2 });
  await b.sync();
  await a.sync();
  expect(a.operationOn("p-1").state).toBe("applied");
  await b.sync();
  expect(await b.data.products.update("p-1", { name: "Black tea" })).toMatchObject({ name: "Black tea", stock: -1 });
  await expect(b.data.products.update("p-1", { name: "" })).rejects.toMatchObject({ code: "validation_failed" });
  await b.data.products.delete("p-1");
  await b.data.products.create({ id: "p-1", name: "Tea", stock: 3 });
  await shop.converge(b, a);
  for (const till of [a, b]) expect(await till.data.products.get("p-1")).toMatchObject({ name: "Tea", stock: 2 });
  // What a create itself names is checked: the app has just filled in a form.
  await expect(b.data.products.create({ name: "Mate", stock: -1 })).rejects.toMatchObject({
    code: "validation_failed",
  });
});

describe("a counter that has no room", () => {
  const products = defineCollection({
    schema: z.object({ name: z.string(), stock: z.int().default(0) }),
    counters: ["stock"],
    counterBounds: { stock: { maxStep: 50, min: 0, max: 12 } },
  });
  const sales = defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int() }) });
  const everyone = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
  async function fullShop() {
    const shop = new RuleShop({
      collections: { products, sales },
      policies: {
        products: { scope: "tenant", allow: everyone },
        sales: { scope: "tenant", allow: { read: "everyone", create: "everyone" } },
      },
    });
    await shop.seed("products", { id: "p-1", name: "Tea", stock: 10 });
    return { shop, a: await shop.openTill(), b: await shop.openTill() };
  }

  test("takes no sale along: it is applied and flagged, and the step alone waits until it is released, once", async () => {
    const { shop, a, b } = await fullShop();
    await using _ = shop;
    await a.client.transaction((tx) => {
      tx.sales.create({ id: "s-1", totalCents: -5 });
      tx.products.increment("p-1", { stock: 5 });
    });
    expect((await a.data.products.get("p-1"))?.stock).toBe(15);
    await a.sync();
    const flags = [{ code: "counter_out_of_range", message: "products/p-1/stock" }];
    expect(await a.data.sales.settled("s-1")).toMatchObject({ state: "applied", flags });
    const step = a.operationOn("p-1", "increment");
    expect(step).toMatchObject({ state: "quarantined", error: { code: "counter_out_of_range" } });
    // What is set aside is in no view.
    expect((await a.data.products.get("p-1"))?.stock).toBe(10);
    expect(a.client.status.attention.quarantined).toBe(1);
    await shop.converge(a, b);

    await b.data.products.increment("p-1", { stock: -4 });
    await b.sync();
    await shop.office.release(step.id);
    await shop.converge(a, b);
    for (const till of [a, b]) expect((await till.data.products.get("p-1"))?.stock).toBe(11);
    expect(a.operationOn("p-1", "increment").state).toBe("applied");
    expect(a.client.status.attention.quarantined).toBe(0);
  });

  test("goes on being sold, below its bound too", async () => {
    const { shop, a, b } = await fullShop();
    await using _ = shop;
    for (const id of ["s-1", "s-2", "s-3"])
      await a.client.transaction((tx) => {
        tx.sales.create({ id, totalCents: 5 });
        tx.products.increment("p-1", { stock: -6 });
      });
    await a.sync();
    for (const id of ["s-1", "s-2", "s-3"]) expect(a.operationOn(id).state).toBe("applied");
    expect(shop.shown("products", "p-1").stock).toBe(4);
    await shop.converge(a, b);
  });

  test("a step is sent again alone, and brings no other one of its sale with it", async () => {
    const { shop, a, b } = await fullShop();
    await using _ = shop;
    await shop.seed("products", { id: "p-2", name: "Mate", stock: 12 });
    await shop.converge(a, b);
    await a.client.transaction((tx) => {
      tx.sales.create({ id: "s-1", totalCents: -5 });
      tx.products.increment("p-1", { stock: 5 });
      tx.products.increment("p-2", { stock: 5 });
    });
    await a.sync();
    const [one, other] = [a.operationOn("p-1", "increment"), a.operationOn("p-2", "increment")];
    expect([one.state, other.state]).toEqual(["quarantined", "quarantined"]);
    // One that was discarded alone stays so, though the other one is taken up again.
    await shop.office.discard(other.id);
    await b.data.products.increment("p-1", { stock: -9 });
    await shop.converge(b, a);
    await a.client.operations.retry(one.id);
    await shop.converge(a, b);
    expect([shop.shown("products", "p-1").stock, shop.shown("products", "p-2").stock]).toEqual([6, 12]);
    expect(a.operations.find(({ id }) => id === other.id)).toMatchObject({ error: { code: "discarded" } });
  });

  test("a step that no counter may take is refused before anything of its transaction is stored", async () => {
    const { shop, a } = await fullShop();
    await using _ = shop;
    const sold = a.client.transaction((tx) => {
      tx.sales.create({ id: "s-1", totalCents: 5 });
      tx.products.increment("p-1", { stock: -51 });
    });
    await expect(sold).rejects.toMatchObject({
      code: "validation_failed",
      details: { issues: [{ path: ["stock"], message: expect.stringContaining("at most 50") }] },
    });
    await expect(a.data.products.create({ name: "Mate", stock: 51 })).rejects.toMatchObject({
      code: "validation_failed",
      details: { issues: [{ path: ["stock"] }] },
    });
    expect(a.operations).toEqual([]);
    expect(await a.data.sales.find()).toEqual([]);
  });
});
