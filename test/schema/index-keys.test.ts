import { describe, expect, it } from "vitest";
import { indexKeys, indexSignature, MAX_KEYS_PER_INDEX } from "../../src/schema/index-keys.ts";

const data = { name: "Tea", price: 250, barcodes: ["600", "601", "600"], active: true, note: null, nested: { a: 1 } };
const keys = (...fields: string[]) => indexKeys(fields, "p-1", data);

describe("an index of one field", () => {
  it("has the bare value as key", () => {
    expect(keys("name")).toEqual(["Tea"]);
    expect(keys("price")).toEqual([250]);
    expect(keys("id")).toEqual(["p-1"]);
  });

  it("has a key for each distinct element of an array", () => {
    expect(keys("barcodes")).toEqual(["600", "601"]);
    expect(indexKeys(["mixed"], "p-1", { mixed: ["a", null, 1, true, "a"] })).toEqual(["a", 1]);
    expect(indexKeys(["empty"], "p-1", { empty: [] })).toEqual([]);
  });

  it("holds no record whose field is missing, null, or no string or number", () => {
    for (const field of ["missing", "note", "active", "nested", "toString", "constructor"])
      expect(keys(field)).toEqual([]);
  });
});

describe("an index of several fields", () => {
  it("has arrays as keys", () => {
    expect(keys("name", "price", "id")).toEqual([["Tea", 250, "p-1"]]);
  });

  it("fans out over an array field", () => {
    expect(keys("barcodes", "name")).toEqual([
      ["600", "Tea"],
      ["601", "Tea"],
    ]);
  });

  it("holds no record of which a part is missing", () => {
    expect(keys("name", "note")).toEqual([]);
    expect(keys("missing", "name")).toEqual([]);
  });

  it("stays bounded where two arrays multiply", () => {
    const many = Array.from({ length: 1_000 }, (_, i) => i);
    expect(indexKeys(["a", "b"], "p-1", { a: many, b: many })).toHaveLength(MAX_KEYS_PER_INDEX);
  });
});

describe("indexSignature", () => {
  it("differs when fields or their order do", () => {
    const signatures = [["a"], ["b"], ["a", "b"], ["b", "a"], ["a,b"]].map(indexSignature);
    expect(new Set(signatures).size).toBe(signatures.length);
  });
});
