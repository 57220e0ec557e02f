import { type } from "arktype";
import { defineCollection } from "tillsync/schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { checkRecord, validateEdited, validateRecord } from "../../src/schema/validate.ts";

const define = defineCollection as (options: unknown) => ReturnType<typeof defineCollection>;
const validate = (schema: unknown, data: object) =>
  validateRecord("products", resolvedOf(define({ schema })), "p-1", data);
const check = (schema: unknown, data: object) => checkRecord("products", resolvedOf(define({ schema })), "p-1", data);
const thrown = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("expected a throw");
};

describe("validateRecord", () => {
  it("answers what the schema put out: defaults filled in, text trimmed, unknown members gone", () => {
    const schema = z.object({ name: z.string().trim(), barcodes: z.array(z.string()).default([]) });
    expect(validate(schema, { name: " Tea ", more: 1 })).toStrictEqual({ name: "Tea", barcodes: [] });
  });

  it.each([
    ["zod, strict, with id", z.strictObject({ id: z.string(), name: z.string() })],
    ["zod, without id", z.object({ name: z.string() })],
    ["zod, loose, without id", z.looseObject({ name: z.string() })],
    ["valibot, strict, with id", v.strictObject({ id: v.string(), name: v.string() })],
    ["valibot, without id", v.object({ name: v.string() })],
    ["arktype, with id", type({ id: "string", name: "string" })],
    ["arktype, without id", type({ name: "string" })],
  ])("gives the schema the id and stores none (%s)", (_name, schema) => {
    expect(validate(schema, { name: "Tea" })).toStrictEqual({ name: "Tea" });
    expect(validate(schema, { id: "another", name: "Tea" })).toStrictEqual({ name: "Tea" });
  });

  it("keeps the issues with their paths, and names the first in the message", () => {
    const schema = z.object({ items: z.array(z.object({ quantity: z.int() })), name: z.string() });
    expect(thrown(() => validate(schema, { items: [{ quantity: "two" }] }))).toMatchObject({
      code: "validation_failed",
      message: expect.stringMatching(
        /^Expected a record of `products` that its schema accepts: `items\.0\.quantity`: .+ \(and 1 more/,
      ),
      details: { collection: "products", id: "p-1", issues: [{ path: ["items", 0, "quantity"] }, { path: ["name"] }] },
    });
  });

  it("says only what is wrong if it is one thing, or of the record as a whole", () => {
    const schema = z.object({ name: z.string("no text") }).refine(({ name }) => name !== "Tea", "sold out");
    expect(() => validate(schema, { name: 1 })).toThrow(
      /^Expected a record of `products` that its schema accepts: `name`: no text\. Nothing was written\.$/,
    );
    for (const whole of [
      schema,
      v.pipe(
        v.object({ name: v.string() }),
        v.check(() => false, "sold out"),
      ),
    ])
      expect(() => validate(whole, { name: "Tea" })).toThrow(
        /^Expected a record of `products` that its schema accepts: sold out\. Nothing was written\.$/,
      );
  });

  it("refuses a record also if the schema gives no reason", () => {
    const silent = { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [] }) } };
    expect(thrown(() => validate(silent, {}))).toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("it gave no reason"),
    });
  });

  it("reads issue paths in either form of the standard", () => {
    expect(thrown(() => validate(v.object({ a: v.object({ b: v.string() }) }), { a: { b: 1 } }))).toMatchObject({
      message: expect.stringContaining("`a.b`: "),
    });
  });

  it.each([
    ["zod", z.strictObject({ name: z.string() })],
    ["valibot", v.strictObject({ name: v.string() })],
    ["arktype", type({ name: "string", "+": "reject" })],
    ["arktype, deep", type({ name: "string" }).onDeepUndeclaredKey("reject")],
  ])("spares a strict schema the id that it does not declare (%s)", (_name, schema) => {
    expect(validate(schema, { name: "Tea" })).toStrictEqual({ name: "Tea" });
    expect(() => validate(schema, { name: "Tea", more: 1 })).toThrow(/\bmore\b/);
    expect(thrown(() => validate(schema, { name: 1 }))).toMatchObject({
      message: expect.stringContaining("accepts: `name`: "),
      details: { issues: { length: 1 } },
    });
  });

  it("names only what the app wrote when a strict schema refuses other keys", () => {
    expect(thrown(() => validate(z.strictObject({ name: z.string() }), { more: 1 }))).toMatchObject({
      details: { issues: [{ path: ["name"] }, { message: 'Unrecognized key: "more"' }] },
    });
  });

  it("does not take an id that a strict schema declares for one that it leaves out", () => {
    const schema = z.strictObject({ id: z.uuid().optional(), name: z.string() });
    expect(thrown(() => validate(schema, { name: "Tea" }))).toMatchObject({ details: { issues: [{ path: ["id"] }] } });
    const copies = z.preprocess((record) => ({ ...(record as object) }), schema);
    expect(thrown(() => validate(copies, { name: "Tea" }))).toMatchObject({ details: { issues: [{ path: ["id"] }] } });
  });

  it("leaves out members that are undefined, at any depth", () => {
    const schema = z.object({ note: z.string().optional(), size: z.object({ unit: z.string().optional() }) });
    expect(validate(schema, { note: undefined, size: { unit: undefined } })).toStrictEqual({ size: {} });
  });

  it("refuses output that is no JSON, with the path", () => {
    const schema = z.object({ items: z.array(z.object({ at: z.date() })) });
    expect(thrown(() => validate(schema, { items: [{ at: new Date(0) }] }))).toMatchObject({
      code: "not_json",
      message: expect.stringContaining("got an instance of Date at `items[0].at`"),
      details: { collection: "products", path: "items[0].at" },
    });
    expect(thrown(() => validate(z.looseObject({}), { note: "a\0" }))).toMatchObject({ details: { path: "note" } });
    expect(thrown(() => validate(z.object({ n: z.number() }), { n: 2 ** 60 }))).toMatchObject({
      details: { path: "n" },
    });
    expect(
      thrown(() =>
        validate(
          z.any().transform(() => [1]),
          {},
        ),
      ),
    ).toMatchObject({ code: "not_json", details: { path: "" } });
  });

  it("is not fooled by an own __proto__", () => {
    const data = JSON.parse('{"name":"Tea","__proto__":{"admin":true}}');
    expect(validate(z.object({ name: z.string() }), data)).toStrictEqual({ name: "Tea" });
    expect(thrown(() => validate(type({ name: "string" }), data))).toMatchObject({ code: "not_json" });
  });

  it("refuses a schema that changes the id", () => {
    const schema = z.object({ id: z.string().toUpperCase() });
    expect(thrown(() => validate(schema, {}))).toMatchObject({ details: { issues: [{ path: ["id"] }] } });
  });

  it("refuses an asynchronous schema, and leaves no unhandled rejection", () => {
    const late = { "~standard": { version: 1, vendor: "test", validate: () => Promise.reject(new Error("late")) } };
    expect(thrown(() => validate(late, {}))).toMatchObject({
      code: "schema_async",
      details: { collection: "products" },
    });
    const refined = z.object({ name: z.string().refine(async () => true) });
    expect(thrown(() => validate(refined, { name: "Tea" }))).toMatchObject({ code: "schema_async" });
  });

  it("refuses one that parses synchronously what is asynchronous", () => {
    const refined = z.object({}).refine(async () => true);
    const parses = (value: unknown) => ({ value: refined.parse(value) });
    const wrapper = { "~standard": { version: 1, vendor: "test", validate: parses } };
    expect(thrown(() => validate(wrapper, {}))).toMatchObject({ code: "schema_async" });
  });

  it("turns a schema that throws into a failed validation, with the cause", () => {
    const cause = new Error("boom");
    const schema = z.object({ name: z.string() }).refine(() => {
      throw cause;
    });
    expect(thrown(() => validate(schema, { name: "Tea" }))).toMatchObject({ code: "validation_failed", cause });
  });

  it("shares nothing with what it was given", () => {
    const data = { tags: ["a"] };
    const stored = validate(z.object({ tags: z.any() }), data);
    data.tags.push("b");
    expect(stored).toEqual({ tags: ["a"] });
  });
});

describe("checkRecord", () => {
  it("answers the same data", () => {
    expect(check(z.object({ n: z.int().default(1) }), {})).toStrictEqual({ ok: true, data: { n: 1 } });
  });

  it("answers issues where validateRecord throws", () => {
    expect(check(z.object({ n: z.int() }), {})).toMatchObject({ ok: false, issues: [{ path: ["n"] }] });
    expect(check(z.looseObject({}), { a: [{ b: "\ud800" }] })).toEqual({
      ok: false,
      issues: [{ message: "Expected JSON, got a string with U+0000 or a lone surrogate", path: ["a", 0, "b"] }],
    });
    const list = z.any().transform(() => [1]);
    expect(check(list, {})).toEqual({
      ok: false,
      issues: [{ message: "Expected JSON, got something else than an object", path: [] }],
    });
    const schema = z.object({}).refine(() => {
      throw new Error("boom");
    });
    expect(check(schema, {})).toEqual({ ok: false, issues: [{ message: "the schema threw: boom" }] });
  });

  it("throws for an asynchronous schema: a verdict on each record would be final, and wrong", () => {
    expect(() =>
      check(
        z.object({}).refine(async () => true),
        {},
      ),
    ).toThrow("got a promise");
  });
});

describe("a record with counters", () => {
  const item = { name: z.string().min(1, "no name"), least: z.int().default(0), stock: z.int().min(0, "too few") };
  const shop = z.object(item);
  const counted = (schema: unknown) => resolvedOf(define({ schema, counters: ["stock"] }));
  const judged = (schema: unknown, data: object) => {
    const verdict = checkRecord("products", counted(schema), "p-1", data);
    return verdict.ok ? "ok" : verdict.issues.map(({ message }) => message);
  };

  it("is judged on its other fields: steps are never refused, so a counter may be out of bounds [H4]", () => {
    expect(judged(shop, { name: "Tea", stock: 5 })).toBe("ok");
    expect(judged(shop, { name: "Tea", stock: -5 })).toBe("ok");
    expect(judged(shop, { name: "", stock: 5 })).toEqual(["no name"]);
    expect(judged(shop, { name: "", stock: -5 })).toEqual(["no name"]);
    expect(validateEdited("products", counted(shop), "p-1", { name: "Tea", stock: -5 })).toMatchObject({ name: "Tea" });
    expect(thrown(() => validateEdited("products", counted(shop), "p-1", { name: "", stock: -5 }))).toMatchObject({
      code: "validation_failed",
      details: { issues: [{ path: ["name"], message: "no name" }] },
    });
  });

  it("is as it was written, if nothing is wrong with it", () => {
    const record = { name: "Tea", least: 1, stock: 5 };
    expect(checkRecord("products", counted(shop), "p-1", record)).toEqual({ ok: true, data: record });
    expect(validateEdited("products", counted(shop), "p-1", record)).toEqual(record);
  });

  it("is refused for its counter if no value would do", () => {
    expect(judged(z.object({ stock: z.enum(["full"], "neither") }), { stock: 5 })).toEqual(["neither"]);
  });

  it("passes a rule over the whole record that other counters would not break", () => {
    const schema = shop.refine(({ least, stock }) => stock >= least, "below the least");
    expect(judged(schema, { name: "Tea", least: 5, stock: -1 })).toBe("ok");
    expect(judged(schema, { name: "Tea", least: 5, stock: 4 })).toBe("ok");
  });

  it("is refused for what is wrong with any counters", () => {
    const zod = shop.refine(({ name }) => name !== "Tea", "sold out");
    const valibot = v.pipe(
      v.object({ name: v.string(), stock: v.pipe(v.number(), v.minValue(0, "too few")) }),
      v.check(({ name }) => name !== "Tea", "sold out"),
    );
    // The rule over the whole record is not asked at all if the counter is out of bounds.
    const aborting = z
      .object({ name: z.string(), stock: z.int().min(0, { error: "too few", abort: true }) })
      .refine(({ name }) => name !== "Tea", "sold out");
    for (const schema of [zod, valibot, aborting])
      for (const stock of [5, -5]) expect(judged(schema, { name: "Tea", stock })).toEqual(["sold out"]);
  });

  it("is refused for its own finding, although other counters would replace it by a finding about them", () => {
    const schema = shop.check(({ value, issues }) => {
      const finding = value.stock < 100 ? { path: [], message: "few" } : { path: ["stock"], message: "many" };
      issues.push({ code: "custom", input: value, ...finding });
    });
    expect(judged(schema, { name: "Tea", stock: -5 })).toEqual(["few"]);
  });

  it.each([
    ["the fewest", (stock: number) => (stock < 100 ? ["few", "and fewer"] : ["many"]), ["many"]],
    [
      "the fewest, if few counters have them too",
      (stock: number) => (stock < 100 ? ["few"] : ["many", "and more"]),
      ["few"],
    ],
    [
      "those with counters near zero, if others are as many",
      (stock: number) => [stock < 100 ? "few" : "many"],
      ["few"],
    ],
  ])("is refused for %s of the findings that it has with one of the counters", (_name, findings, expected) => {
    const schema = shop.check(({ value, issues }) => {
      for (const message of findings(value.stock)) issues.push({ code: "custom", input: value, message });
    });
    expect(judged(schema, { name: "Tea", stock: -5 })).toEqual(expected);
  });
});
