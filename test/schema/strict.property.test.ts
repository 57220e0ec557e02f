/**
 * Whether a schema declares `id` is its author's business. One that doesn't decides as if it declared any text as its
 * id, strict or not; one that does decides about the id.
 */
import { type } from "arktype";
import fc from "fast-check";
import { defineCollection } from "tillsync/schema";
import * as v from "valibot";
import { expect, test } from "vitest";
import * as z from "zod";
import * as zm from "zod/mini";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { checkRecord, validateRecord } from "../../src/schema/validate.ts";
import { TillSyncError } from "../../src/shared/errors.ts";
import { times } from "../support/property.ts";

/** What a schema says of `id`: nothing, any text, or only ids that begin with `s-`; the latter if there is one, too. */
type IdRule = "undeclared" | "text" | "s-" | "s-?";
interface Shape {
  readonly strict: boolean;
  /** A member that is an object, as strict as the record. */
  readonly nested: boolean;
  readonly id: IdRule;
}
type Library = (shape: Shape) => readonly unknown[];

/** The kinds of schemas of a library that have the same verdicts. All have `kind: "a"`, an optional `n`, and no more. */
const libraries: Readonly<Record<string, Library>> = {
  zod({ strict, nested, id }) {
    const object = (shape: z.core.$ZodLooseShape) => (strict ? z.strictObject(shape) : z.object(shape));
    const prefixed = z.string().startsWith("s-");
    const ids = {
      undeclared: {},
      text: { id: z.string() },
      "s-": { id: prefixed },
      "s-?": { id: prefixed.optional() },
    };
    const size = nested ? { size: object({ unit: z.string() }).optional() } : {};
    const of = (kind: string) => object({ ...ids[id], ...size, kind: z.literal(kind), n: z.int().optional() });
    return [
      of("a"),
      of("a").refine(() => true),
      of("a").transform((record) => ({ ...record })),
      of("a").readonly(),
      z.lazy(() => of("a")),
      z.preprocess((record) => ({ ...(record as object) }), of("a")),
      z.union([of("a"), of("b")]),
      z.union([of("a"), of("a")]),
      z.discriminatedUnion("kind", [of("a"), of("b")]),
      z.intersection(of("a"), z.looseObject({})),
    ];
  },
  "zod/mini"({ strict, nested, id }) {
    const object = (shape: z.core.$ZodLooseShape) => (strict ? zm.strictObject(shape) : zm.object(shape));
    const prefixed = zm.string().check(zm.startsWith("s-"));
    const ids = {
      undeclared: {},
      text: { id: zm.string() },
      "s-": { id: prefixed },
      "s-?": { id: zm.optional(prefixed) },
    };
    const size = nested ? { size: zm.optional(object({ unit: zm.string() })) } : {};
    return [object({ ...ids[id], ...size, kind: zm.literal("a"), n: zm.optional(zm.int()) })];
  },
  valibot({ strict, nested, id }) {
    const object = (entries: v.ObjectEntries) => (strict ? v.strictObject(entries) : v.object(entries));
    const prefixed = v.pipe(v.string(), v.startsWith("s-"));
    const ids = {
      undeclared: {},
      text: { id: v.string() },
      "s-": { id: prefixed },
      "s-?": { id: v.optional(prefixed) },
    };
    const size = nested ? { size: v.optional(object({ unit: v.string() })) } : {};
    const integer = v.optional(v.pipe(v.number(), v.integer()));
    const of = (kind: string) => object({ ...ids[id], ...size, kind: v.literal(kind), n: integer });
    return [
      of("a"),
      v.pipe(
        of("a"),
        v.check(() => true),
      ),
      v.pipe(
        v.looseObject({}),
        v.transform((record) => ({ ...record })),
        of("a"),
      ),
      v.union([of("a"), of("b")]),
      v.union([of("a"), of("a")]),
      v.variant("kind", [of("a"), of("b")] as never),
    ];
  },
  arktype({ strict, nested, id }) {
    const undeclared = strict ? "reject" : "delete";
    const ids = { undeclared: {}, text: { id: "string" }, "s-": { id: "/^s-/" }, "s-?": { "id?": "/^s-/" } };
    const size = nested ? { "size?": { unit: "string" } } : {};
    const of = (kind: string) => type({ ...ids[id], ...size, kind: `'${kind}'`, "n?": "number.integer" } as never);
    return [of("a"), of("a").or(of("b")), of("a").narrow(() => true)].map((made) =>
      made.onDeepUndeclaredKey(undeclared),
    );
  },
};

const record = fc.record(
  {
    kind: fc.constantFrom("a", "a", "a", "c"),
    n: fc.constantFrom(1, 1, 1, 1.5, "1"),
    size: fc.constantFrom({ unit: "kg" }, { unit: 1 }, { unit: "kg", more: 1 }, { unit: "kg", id: "u-1" }),
    more: fc.constantFrom(1, "s-1"),
  },
  { requiredKeys: ["kind"], noNullPrototype: true },
);
const library = fc.constantFrom(...Object.keys(libraries));
const strictAndNested = { strict: fc.boolean(), nested: fc.boolean() };
const entityId = fc.constantFrom("s-1", "p-1", "tillsync_undeclared");

const define = defineCollection as (options: unknown) => ReturnType<typeof defineCollection>;
const made = new Map<string, readonly ReturnType<typeof resolvedOf>[]>();

/** Made once for each shape: arktype takes milliseconds to make a schema. */
function definitionsOf(name: string, { strict, nested, id }: Shape) {
  const key = [name, strict, nested, id].join();
  const definitions =
    made.get(key) ?? libraries[name]?.({ strict, nested, id }).map((schema) => resolvedOf(define({ schema }))) ?? [];
  made.set(key, definitions);
  return definitions;
}

/** The verdict of the till: the record, or what the app reads. */
function onTill(resolved: ReturnType<typeof resolvedOf>, id: string, data: object): unknown {
  try {
    return validateRecord("products", resolved, id, data);
  } catch (error) {
    if (error instanceof TillSyncError && error.code === "validation_failed") return error.message;
    throw error;
  }
}

test("a schema that does not declare the id decides as if it declared any text", () => {
  fc.assert(
    fc.property(library, fc.record(strictAndNested), entityId, record, (name, shape, id, data) => {
      const declared = definitionsOf(name, { ...shape, id: "text" });
      definitionsOf(name, { ...shape, id: "undeclared" }).forEach((resolved, nth) => {
        const twin = declared[nth] as typeof resolved;
        expect(onTill(resolved, id, data)).toEqual(onTill(twin, id, data));
        const [server, expected] = [
          checkRecord("products", resolved, id, data),
          checkRecord("products", twin, id, data),
        ];
        expect(server.ok ? server : server.issues.map(({ message }) => message)).toEqual(
          expected.ok ? expected : expected.issues.map(({ message }) => message),
        );
      });
    }),
    times(2_000),
  );
});

test("a schema that declares the id decides about it, required or not, strict or not", () => {
  const rule = fc.constantFrom<IdRule>("s-", "s-?");
  fc.assert(
    fc.property(library, fc.record({ ...strictAndNested, id: rule }), entityId, record, (name, shape, id, data) => {
      const plain = definitionsOf(name, { ...shape, id: "text" });
      definitionsOf(name, shape).forEach((resolved, nth) => {
        const twin = plain[nth] as typeof resolved;
        const expected = id.startsWith("s-") && checkRecord("products", twin, id, data).ok;
        expect(checkRecord("products", resolved, id, data).ok).toBe(expected);
      });
    }),
    times(2_000),
  );
});
