/**
 * JSON at its edges, for properties: names that other objects have, numbers at the end of their range, text of every
 * plane.
 */
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/shared/json.ts";

const character = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('"', "\\", "\b", "\u007f", "\u2028", "\uffff", "\ufeff", "\u{1f600}", "é", "e\u0301"),
  },
  { weight: 1, arbitrary: fc.constantFrom("\0", "\ud800", "\udbff", "\udc00", "\udfff") },
);
/** Any string, including lone surrogates and U+0000. */
export const anyText = fc.string({ unit: character, maxLength: 8 });
/** Strings that may be stored and sent. */
export const text = fc.string({
  unit: character.filter((unit) => unit !== "\0" && (unit.codePointAt(0)! & ~0x7ff) !== 0xd800),
  maxLength: 8,
});
/** Names whose order by code units differs from that by number, by code point or by language. */
export const name = fc
  .oneof(
    text,
    fc.nat(120).map(String),
    fc.constantFrom("", "a", "B", "ä", "\uffff", "\u{1f600}", "length", "toString", "hasOwnProperty", "then", "toJSON"),
  )
  .filter((word) => !["__proto__", "constructor", "prototype"].includes(word));

/** Any double, special ones often. */
export const anyNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    0.1,
    5e-324,
    1e-7,
    1e21,
    -1e21,
    1.7976931348623157e308,
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    2 ** 60,
  ),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const number = anyNumber.filter((n) => Number.isSafeInteger(n) || (Number.isFinite(n) && n % 1 !== 0));

const tied = fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false),
    number,
    text,
    fc.array(tie("json"), { maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(name, tie("json"), { maxKeys: 4, noNullPrototype: true }),
}));
export const json = tied.json;
export const jsonObject = tied.object;

/** A path into a value: at each level an array or an object, with other members beside it. */
export interface Place {
  readonly segments: readonly (string | number)[];
  /** The value with `thing` at that place. */
  holding(thing: unknown): unknown;
}

const level = fc.oneof(
  fc.record({ before: fc.array(json, { maxLength: 2 }), after: fc.array(json, { maxLength: 2 }) }).map(
    ({ before, after }) =>
      ({
        segment: before.length,
        around: (thing: unknown): unknown => [...before, thing, ...after],
      }) as const,
  ),
  fc.record({ member: name, beside: jsonObject }).map(
    ({ member, beside }) =>
      ({
        segment: member,
        around: (thing: unknown): unknown => ({ ...beside, [member]: thing }),
      }) as const,
  ),
);
export const place: fc.Arbitrary<Place> = fc.array(level, { maxLength: 5 }).map((levels) => ({
  segments: levels.map(({ segment }) => segment),
  holding: (thing) => levels.reduceRight((inner, { around }) => around(inner), thing),
}));

/** The same value, with the members in another order on every level. */
export function reordered<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reordered) as T;
  const entries = Object.entries(value).map(([key, member]) => [key, reordered(member)]);
  return Object.fromEntries(entries.reverse()) as T;
}
