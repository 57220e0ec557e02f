import { describe, expect, it } from "vitest";
import { referencesIn, resolveReferences } from "../../src/schema/references.ts";

const references = resolveReferences({
  customerId: "customers",
  "supplier.supplierId": "suppliers",
  "items[].productId": "products",
  "items[].couponIds": "coupons",
  "tagIds[]": "tags",
  relatedIds: "products",
});
const ids = (data: Parameters<typeof referencesIn>[1]) =>
  referencesIn(references, data).map(({ collection, id }) => `${collection}/${id}`);

describe("referencesIn", () => {
  it("finds ids at the top, in an object, in the objects of an array, and in an array", () => {
    expect(
      ids({
        customerId: "c-1",
        supplier: { supplierId: "s-1" },
        items: [{ productId: "p-1", couponIds: ["k-1", "k-2"] }, { productId: "p-2" }],
        tagIds: ["t-1"],
        relatedIds: ["p-3"],
      }),
    ).toEqual([
      "customers/c-1",
      "suppliers/s-1",
      "products/p-1",
      "products/p-2",
      "coupons/k-1",
      "coupons/k-2",
      "tags/t-1",
      "products/p-3",
    ]);
  });

  it("names each record once", () => {
    expect(ids({ items: [{ productId: "p-1" }, { productId: "p-1" }], relatedIds: ["p-1"] })).toEqual(["products/p-1"]);
  });

  it("passes over what is absent, null, or of another shape", () => {
    expect(ids({})).toEqual([]);
    expect(
      ids({ customerId: null, supplier: null, items: [null, 1, { productId: 5 }], tagIds: [null, 2], relatedIds: {} }),
    ).toEqual([]);
    expect(ids({ items: { productId: "p-1" }, supplier: "s-1" })).toEqual(["products/p-1"]);
  });

  it("reads own members alone", () => {
    expect(referencesIn(resolveReferences({ "constructor.name": "classes", toString: "texts" }), {})).toEqual([]);
  });
});
