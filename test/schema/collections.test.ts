import { defineCollection } from "tillsync/schema";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { checkCollections } from "../../src/schema/collections.ts";
import { syncOrder } from "../../src/schema/order.ts";

const plain = defineCollection({ schema: z.object({ name: z.string() }) });
const references = (...names: string[]) =>
  defineCollection({
    schema: z.object({ a: z.string(), b: z.string(), c: z.string() }),
    references: Object.fromEntries(names.map((name, i) => ["abc"[i] as string, name])) as { a: string },
  });

describe("checkCollections", () => {
  it("resolves each by name, in the order given", () => {
    const resolved = checkCollections({ sales: references("products"), products: plain });
    expect(Object.keys(resolved)).toEqual(["sales", "products"]);
    expect(resolved.sales?.references).toEqual([{ path: "a", collection: "products" }]);
  });

  it("knows no collection that is not there, whatever a request calls it", () => {
    const resolved = checkCollections({ products: plain });
    for (const name of ["constructor", "__proto__", "toString"]) expect(resolved[name]).toBeUndefined();
  });

  it.each([
    ["nothing", undefined, "an object of definitions by name"],
    ["an array", [plain], "an object of definitions by name"],
    ["no collection", {}, "at least one collection"],
    [
      "what is no definition",
      { products: { schema: z.object({}) } },
      "`collections.products` to be a collection definition",
    ],
    ["a name that starts with a digit", { "1st": plain }, "with a letter first"],
    ["an empty name", { "": plain }, "with a letter first"],
    ["a name with a space", { "my products": plain }, "1 to 64 letters"],
    ["a name of 65 characters", { ["x".repeat(65)]: plain }, "1 to 64 letters"],
    ["__proto__", Object.fromEntries([["__proto__", plain]]), "with a letter first"],
    ["constructor", { constructor: plain }, "constructor, prototype, then are taken"],
    // biome-ignore lint/suspicious/noThenProperty: this is what is tested
    ["then", { then: plain }, "are taken"],
  ])("refuses %s", (_name, collections, message) => {
    expect(() => checkCollections(collections as never)).toThrow(message);
  });

  it.each([
    ["nothing", undefined],
    ["no collection", {}],
    ["a name that can't be one", { "my products": plain }],
  ])("names the option if it refuses %s", (_name, collections) => {
    expect(() => checkCollections(collections as never)).toThrow(
      expect.objectContaining({ code: "invalid_option", details: expect.objectContaining({ option: "collections" }) }),
    );
  });

  it("refuses a reference to what is not there, and says what is", () => {
    expect(() => checkCollections({ sales: references("product"), products: plain })).toThrow(
      'Expected `collections.sales.references["a"]` to be one of sales, products, got "product". ' +
        "Add it to `collections`, or leave the reference out.",
    );
  });
});

describe("syncOrder", () => {
  const order = (collections: Parameters<typeof checkCollections>[0]) => syncOrder(checkCollections(collections));

  it("puts what is referenced first", () => {
    expect(
      order({
        payments: references("sales"),
        sales: references("products", "customers"),
        customers: plain,
        products: plain,
      }),
    ).toEqual(["products", "customers", "sales", "payments"]);
  });

  it("keeps the given order where nothing is referenced", () => {
    expect(order({ b: plain, a: plain, c: plain })).toEqual(["b", "a", "c"]);
  });

  it("allows circles: the order is stable, and what lies outside the circle still comes first", () => {
    const circle = {
      a: references("b"),
      b: references("c", "x"),
      c: references("a"),
      x: plain,
      self: references("self"),
    };
    expect(order(circle)).toEqual(["c", "x", "b", "a", "self"]);
    expect(order(circle)).toEqual(order(circle));
  });
});
