import { type } from "arktype";
import { mergeFields } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { isTillSyncError } from "../../src/shared/errors.ts";

const schema = z.object({ name: z.string(), stock: z.int().default(0), number: z.string().optional() });
/** As JavaScript callers do, past the compiler. */
const define = defineCollection as (options: unknown) => ReturnType<typeof defineCollection>;
const refusal = (options: unknown) => {
  try {
    define(options);
  } catch (error) {
    if (isTillSyncError(error, "invalid_option")) return error;
  }
  throw new Error("expected `invalid_option`");
};

describe("a definition", () => {
  it("has defaults for everything but the schema", () => {
    expect(resolvedOf(defineCollection({ schema }))).toEqual({
      kind: "record",
      schemaVersion: 1,
      schema,
      indexes: {},
      counters: [],
      counterBounds: {},
      assigned: [],
      references: [],
      search: [],
      priority: "normal",
      conflict: undefined,
      upcast: {},
    });
  });

  it("of a fact goes by the high lane, unless it says otherwise", () => {
    expect(resolvedOf(defineCollection({ kind: "fact", schema })).priority).toBe("high");
    expect(resolvedOf(defineCollection({ kind: "fact", schema, priority: "low" })).priority).toBe("low");
  });

  it("keeps what it was told", () => {
    const conflict = mergeFields<z.output<typeof schema> & { id: string }>({ name: "server" });
    const upcast = { 1: (data: Record<string, unknown>) => data };
    const resolved = resolvedOf(
      defineCollection({
        schema,
        indexes: { name: "name", byNumber: ["number", "name"] },
        search: ["name"],
        counters: ["stock"],
        assigned: ["number"],
        references: { number: "documents" },
        schemaVersion: 2,
        conflict,
        upcast,
      }),
    );
    expect(resolved).toMatchObject({
      indexes: { name: ["name"], byNumber: ["number", "name"] },
      search: ["name"],
      counters: ["stock"],
      assigned: ["number"],
      references: [{ path: "number", collection: "documents" }],
      schemaVersion: 2,
    });
    expect(resolved.conflict).toBe(conflict);
    expect(resolved.upcast[1]).toEqual({ record: upcast[1], patch: undefined });
  });

  it("takes indexes by field name alone", () => {
    expect(resolvedOf(defineCollection({ schema, indexes: ["name", "id"] })).indexes).toEqual({
      name: ["name"],
      id: ["id"],
    });
  });

  it("takes schemas of zod, valibot and arktype", () => {
    for (const any of [schema, v.object({ name: v.string() }), type({ name: "string" })]) {
      expect(resolvedOf(define({ schema: any })).schema).toBe(any);
    }
  });

  it("is frozen, and shows its kind and version alone", () => {
    const definition = defineCollection({ schema });
    expect(Object.keys(definition)).toEqual(["kind", "schemaVersion"]);
    expect(Object.isFrozen(definition)).toBe(true);
    expect(Object.isFrozen(resolvedOf(definition).indexes)).toBe(true);
  });

  it("has no index that nobody declared, `constructor` included", () => {
    expect(resolvedOf(defineCollection({ schema })).indexes.constructor).toBeUndefined();
  });

  it("made by another copy of the package is read all the same", () => {
    const resolved = resolvedOf(defineCollection({ schema }));
    expect(resolvedOf({ kind: "record", schemaVersion: 1, "~resolved": resolved } as never)).toBe(resolved);
  });

  it("that nobody defined is refused with the name it was given under", () => {
    expect(() => resolvedOf({ kind: "record" } as never, "collections.sales")).toThrow(
      "Expected `collections.sales` to be a collection definition, got an object. Make it with `defineCollection({ schema })`.",
    );
    expect(() => resolvedOf(undefined as never)).toThrow(
      "Expected `collection` to be a collection definition, got undefined",
    );
  });
});

describe("an option that cannot work is refused at definition", () => {
  it("with what was expected, what came, and what to write instead", () => {
    const error = refusal({ schema, kind: "facts" });
    expect(error.details).toEqual({
      option: "kind",
      expected: '"record" or "fact"',
      received: '"facts"',
      hint: "Leave it out for the default.",
    });
    expect(error.message).toBe('Expected `kind` to be "record" or "fact", got "facts". Leave it out for the default.');
  });

  it.each([
    ["options", undefined],
    ["options", [schema]],
    ["index", { schema, index: ["name"] }],
    ["schema", {}],
    ["schema", { schema: { parse: () => ({}) } }],
    ["schema", { schema: { "~standard": { version: 2, validate: () => ({}) } } }],
    ["schema", { schema: { "~standard": { version: 1 } } }],
    ["indexes", { schema, indexes: "name" }],
    ["indexes", { schema, indexes: null }],
    ["indexes", { schema, indexes: 1 }],
    ["indexes", { schema, indexes: [["name"]] }],
    ["indexes", { schema, indexes: ["unit-price"] }],
    ["indexes", { schema, indexes: ["name", "name"] }],
    ["indexes", { schema, indexes: Object.fromEntries([["__proto__", "name"]]) }],
    ["indexes.a", { schema, indexes: { a: [] } }],
    ["indexes.a", { schema, indexes: { a: "" } }],
    ["indexes.a", { schema, indexes: { a: ["name", 1] } }],
    ["indexes.a", { schema, indexes: { a: ["name", "name"] } }],
    ["search", { schema, search: "name" }],
    ["counters", { schema, counters: [1] }],
    ["counters", { schema, counters: [""] }],
    ["counters", { schema, counters: ["id"] }],
    ["counters", { schema, counters: ["stock", "stock"] }],
    ["counters", { kind: "fact", schema, counters: ["stock"] }],
    ["counterBounds", { schema, counters: ["stock"], counterBounds: [] }],
    ["counterBounds.stock", { schema, counterBounds: { stock: { max: 5 } } }],
    ["counterBounds.stock", { schema, counters: ["stock"], counterBounds: { stock: 5 } }],
    ["counterBounds.stock.most", { schema, counters: ["stock"], counterBounds: { stock: { most: 5 } } }],
    ["counterBounds.stock.maxStep", { schema, counters: ["stock"], counterBounds: { stock: { maxStep: 0 } } }],
    ["counterBounds.stock.maxStep", { schema, counters: ["stock"], counterBounds: { stock: { maxStep: "-1" } } }],
    ["counterBounds.stock.maxStep", { schema, counters: ["stock"], counterBounds: { stock: { maxStep: 1.5 } } }],
    ["counterBounds.stock.min", { schema, counters: ["stock"], counterBounds: { stock: { min: 1 } } }],
    ["counterBounds.stock.min", { schema, counters: ["stock"], counterBounds: { stock: { min: "low" } } }],
    ["counterBounds.stock.max", { schema, counters: ["stock"], counterBounds: { stock: { max: -1 } } }],
    ["counterBounds.stock.max", { schema, counters: ["stock"], counterBounds: { stock: { max: Number.NaN } } }],
    ["conflict", { kind: "fact", schema, conflict: () => "server" }],
    ["conflict", { schema, conflict: "server" }],
    ["assigned", { schema, assigned: ["id"] }],
    ["assigned", { schema, counters: ["stock"], assigned: ["number", "stock"] }],
    ["references", { schema, references: ["customers"] }],
    ["references", { schema, references: { "a.b.c": "customers" } }],
    ["references", { schema, references: { "a[0].b": "customers" } }],
    ['references["name"]', { schema, references: { name: 1 } }],
    ["priority", { schema, priority: "urgent" }],
    ["schemaVersion", { schema, schemaVersion: 0 }],
    ["schemaVersion", { schema, schemaVersion: 1.5 }],
    ["upcast", { schema, upcast: () => ({}) }],
    ["upcast[1]", { schema, schemaVersion: 2 }],
    ["upcast[2]", { schema, schemaVersion: 3, upcast: { 1: (data: unknown) => data } }],
    ["upcast[1]", { schema, upcast: { 1: (data: unknown) => data } }],
    ["upcast[1]", { schema, schemaVersion: 2, upcast: { 1: "rename" } }],
    [
      "upcast[1].patch",
      { schema, schemaVersion: 2, upcast: { 1: { record: (data: unknown) => data, patch: "same" } } },
    ],
  ])("%s: %o", (option, options) => {
    expect(refusal(options).details.option).toBe(option);
  });

  it("names the options there are where one is unknown", () => {
    expect(refusal({ schema, index: ["name"] }).details.hint).toContain("kind, schema, indexes, search");
  });

  it("takes an empty list of counters on a fact, and a field of any name in an index that has a proper one", () => {
    expect(resolvedOf(define({ kind: "fact", schema, counters: [] })).counters).toEqual([]);
    expect(resolvedOf(define({ schema, indexes: { unitPrice: "unit-price" } })).indexes).toEqual({
      unitPrice: ["unit-price"],
    });
  });
});
