import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conflictingFields, fieldDifferences, mergeRecords } from "../../src/conflict/merge.ts";
import { deepEqual } from "../../src/shared/json.ts";

const base = { id: "p-1", name: "Tea", price: 250, note: "hot", stock: 20 };
const record = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom(null, 0, 1, "x"), {
  noNullPrototype: true,
});

describe("fieldDifferences", () => {
  it("names the fields in which client and server differ, with the three values", () => {
    const client = { id: "p-1", name: "Green tea", price: 260, note: "hot", stock: 18 };
    const server = { id: "p-1", name: "Tea", price: 270, stock: 15, size: "L" };
    expect(fieldDifferences(base, client, server, ["stock"])).toEqual([
      { field: "name", base: "Tea", client: "Green tea", server: "Tea" },
      { field: "price", base: 250, client: 260, server: 270 },
      { field: "size", base: undefined, client: undefined, server: "L" },
      { field: "note", base: "hot", client: "hot", server: undefined },
    ]);
  });

  it("compares values, not objects", () => {
    expect(fieldDifferences(undefined, { a: { x: 1, y: [2] } }, { a: { y: [2], x: 1 } })).toEqual([]);
  });

  it("holds every field of the record that is left where a side deleted it", () => {
    expect(fieldDifferences(base, undefined, { name: "Tea" })).toEqual([
      { field: "name", base: "Tea", client: undefined, server: "Tea" },
    ]);
    expect(fieldDifferences(base, undefined, undefined)).toEqual([]);
  });
});

describe("conflictingFields", () => {
  it("holds what the server named and what both changed, where the values differ", () => {
    const client = { ...base, name: "Green tea", price: 260, note: "cold" };
    const server = { ...base, name: "Green tea", price: 270, size: "L" };
    expect(conflictingFields(base, client, server, ["name"])).toEqual(["price"]);
    expect(conflictingFields(base, client, server, ["name", "note"])).toEqual(["price", "note"]);
  });

  it("holds all that differs where there is no base", () => {
    expect(conflictingFields(undefined, { a: 1, b: 2, c: 3 }, { a: 1, b: 3 }, [], ["c"])).toEqual(["b"]);
  });
});

describe("mergeRecords", () => {
  it("puts the client's own changes and the chosen values on the server's record", () => {
    const client = { id: "p-1", name: "Green tea", price: 260, stock: 20 };
    const server = { ...base, price: 270, size: "L" };
    expect(mergeRecords({ base, client, server, fields: ["price"] }, { price: 265 })).toEqual({
      id: "p-1",
      name: "Green tea",
      price: 265,
      size: "L",
      stock: 20,
    });
  });

  it("removes a field that is chosen to be undefined", () => {
    expect(
      mergeRecords({ base, client: base, server: base, fields: ["note"] }, { note: undefined }),
    ).not.toHaveProperty("note");
  });

  it("loses neither side's change where no field is in conflict, and changes nothing else", () => {
    fc.assert(
      fc.property(record, record, record, (from, client, server) => {
        const fields = conflictingFields(from, client, server, []);
        const chosen = Object.fromEntries(fields.map((field) => [field, server[field]]));
        const merged = mergeRecords({ base: from, client, server, fields }, chosen);
        for (const field of ["a", "b", "c", "d"]) {
          const clientChanged = !deepEqual(from[field], client[field]);
          const expected = clientChanged && !fields.includes(field) ? client[field] : server[field];
          expect(merged[field]).toEqual(expected);
        }
      }),
    );
  });

  it("gives both sides the same record when their fields are disjoint, whichever comes last", () => {
    fc.assert(
      fc.property(record, record, record, (from, ours, theirs) => {
        const client = { ...from, ...ours };
        const server = { ...from, ...Object.fromEntries(Object.entries(theirs).filter(([field]) => !(field in ours))) };
        const forth = mergeRecords({ base: from, client, server, fields: [] }, {});
        const back = mergeRecords({ base: from, client: server, server: client, fields: [] }, {});
        expect(forth).toEqual(back);
      }),
    );
  });
});
