/** Strict schemas, which refuse every key that they don't declare: on the way from a form to the server and back. */
import { type } from "arktype";
import { defineCollection } from "tillsync/schema";
import { createTestShop } from "tillsync/testing";
import * as v from "valibot";
import { expect, test } from "vitest";
import * as z from "zod";

const collections = {
  products: defineCollection({
    schema: z.strictObject({ name: z.string(), note: z.string().optional(), stock: z.int().default(0) }),
    counters: ["stock"],
    indexes: ["name"],
  }),
  customers: defineCollection({ schema: v.strictObject({ name: v.string() }) }),
  sales: defineCollection({
    kind: "fact",
    schema: type({ items: type({ productId: "string", "+": "reject" }).array(), "number?": "string", "+": "reject" }),
    assigned: ["number"],
    references: { "items[].productId": "products" },
  }),
};

test("a till and a server work with strict schemas that do not declare the id", async () => {
  await using shop = createTestShop({ collections });
  await shop.server.seed("products", [{ id: "p-1", name: "Tea", stock: 4 }]);
  const till = shop.till();
  await till.start();
  await shop.clock.advance(10_000);
  const { products, customers, sales } = till.collections;
  await products.update("p-1", { name: "Green tea" });
  await products.increment("p-1", { stock: -1 });
  const cake = await products.create({ name: "Cake", stock: 2 });
  const ann = await customers.create({ name: "Ann" });
  const sale = await sales.create({ items: [{ productId: "p-1" }] });
  await shop.clock.advance(10_000);
  const settled = await Promise.all([
    products.settled("p-1"),
    products.settled(cake.id),
    customers.settled(ann.id),
    sales.settled(sale.id),
  ]);
  expect(settled.map(({ state }) => state)).toEqual(["applied", "applied", "applied", "applied"]);
  expect((await products.find({ index: "name" })).map(({ name, stock }) => [name, stock])).toEqual([
    ["Cake", 2],
    ["Green tea", 3],
  ]);
  expect(await shop.server.rows("products")).toContainEqual({ id: "p-1", name: "Green tea", stock: 3 });
  expect(await shop.server.rows("customers")).toEqual([{ id: ann.id, name: "Ann" }]);
  expect(await sales.get(sale.id)).toMatchObject({ items: [{ productId: "p-1" }], number: expect.any(String) });
});

test("a strict schema still refuses what it does not declare, by its name and on both sides", async () => {
  await using shop = createTestShop({ collections });
  const till = shop.till();
  await till.start();
  const stranger = { name: "Tea", colour: "green" };
  const refused = { code: "validation_failed", details: { issues: [{ message: 'Unrecognized key: "colour"' }] } };
  await expect(till.collections.products.create(stranger)).rejects.toMatchObject(refused);
  await expect(shop.server.seed("products", [{ id: "p-1", ...stranger }])).rejects.toThrow("colour");
});
