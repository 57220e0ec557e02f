import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch, changesBetween, splitPatch, wholeChanges } from "../../src/schema/patch.ts";

const before = { name: "Tea", priceCents: 250, stock: 20, note: "hot", supplier: { id: "s-1", code: "A" } };

describe("applyPatch", () => {
  it("replaces top-level members whole, keeps null as a value, and removes what unset names", () => {
    expect(applyPatch(before, { supplier: { id: "s-2" }, note: null }, ["priceCents", "absent"])).toEqual({
      name: "Tea",
      stock: 20,
      note: null,
      supplier: { id: "s-2" },
    });
    expect(before.priceCents).toBe(250);
  });

  it("reaches no prototype", () => {
    const patched = applyPatch({}, JSON.parse('{"__proto__":{"admin":true}}'));
    expect((patched as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe("changesBetween", () => {
  it("holds what the user changed in a form, and nothing else", () => {
    const form = { name: "Green tea", priceCents: 250, supplier: { code: "A", id: "s-1" } };
    expect(changesBetween(before, form)).toEqual({ name: "Green tea" });
  });

  it("takes undefined as removal, if there is something to remove", () => {
    expect(changesBetween(before, { note: undefined, absent: undefined })).toStrictEqual({ note: undefined });
  });

  it("leaves out what no patch may carry", () => {
    expect(changesBetween(before, { id: "p-2", stock: 5, name: "Coffee" }, ["id", "stock"])).toEqual({
      name: "Coffee",
    });
  });

  it("sees an added member, also one called like something every object has", () => {
    expect(changesBetween({}, { toString: "x" } as never)).toEqual({ toString: "x" });
  });
});

describe("wholeChanges", () => {
  it("takes what the other record lacks as removed", () => {
    expect(wholeChanges(before, { name: "Tea", priceCents: 300 }, ["stock"])).toStrictEqual({
      priceCents: 300,
      note: undefined,
      supplier: undefined,
    });
  });

  it("leads from one record to the other", () => {
    const record = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom(null, 0, 1, "x", true));
    fc.assert(
      fc.property(record, record, (from, to) => {
        const { patch, unset } = splitPatch(wholeChanges(from, to));
        expect(applyPatch(from, patch, unset)).toEqual({ ...to });
      }),
    );
  });
});

describe("splitPatch", () => {
  it("says removal apart from values", () => {
    expect(splitPatch({ a: 1, b: undefined, c: null })).toEqual({ patch: { a: 1, c: null }, unset: ["b"] });
  });
});
