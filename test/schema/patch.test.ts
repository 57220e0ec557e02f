import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch, changesBetween, copyPatch, pick, splitPatch, wholeChanges } from "../../src/schema/patch.ts";

const before = { name: "Tea", priceCents: 250, stock: 20, note: "hot", supplier: { id: "s-1", code: "A" } };

describe("copyPatch", () => {
  it("keeps what the app wrote from what the app does to its object afterwards", () => {
    const form = { supplier: { id: "s-1" }, note: undefined };
    const copy = copyPatch(form);
    form.supplier.id = "s-2";
    expect(copy).toStrictEqual({ supplier: { id: "s-1" }, note: undefined });
  });

  it("hands on what is no JSON, for the check that refuses it", () => {
    const at = new Date(0);
    expect(copyPatch({ name: "Tea", at } as never)).toEqual({ name: "Tea", at });
  });
});

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

describe("pick", () => {
  it("takes the members with these names, and none that the record does not have", () => {
    expect(pick(before, ["name", "absent", "stock"])).toStrictEqual({ name: "Tea", stock: 20 });
  });

  it("finds nothing in a record that is not there", () => {
    expect(pick(undefined, ["name"])).toEqual({});
    expect(pick(null, ["name"])).toEqual({});
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
