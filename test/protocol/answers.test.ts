import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  isPoke,
  isProblem,
  isPullResponse,
  isPushResponse,
  isRegisterResponse,
  isTimeResponse,
} from "../../src/protocol/answers.ts";
import type { Parsed } from "../../src/protocol/parse.ts";
import { parsePullResponse } from "../../src/protocol/pull.ts";
import { parsePushResponse } from "../../src/protocol/push.ts";
import { parseRegisterResponse } from "../../src/protocol/register.ts";
import { parsePoke, parseProblem, parseTimeResponse } from "../../src/protocol/server-messages.ts";
import type { Json } from "../../src/shared/json.ts";
import { fixture, fixtureNames } from "./fixtures.ts";

type Judge = (value: unknown) => boolean;
const bySchema =
  (parse: (value: unknown) => Parsed<unknown>): Judge =>
  (value) =>
    parse(value).ok;

const pushOf = (result: unknown) => ({ ...fixture("push.answer"), results: [result] });

/** Each answer's golden messages, judged by hand and by its schema. */
const answers: readonly (readonly [name: string, byHand: Judge, schema: Judge, messages: readonly unknown[]])[] = [
  [
    "push",
    isPushResponse,
    bySchema(parsePushResponse),
    [
      fixture("push.answer"),
      ...fixtureNames.filter((name) => name.startsWith("result.")).map((name) => pushOf(fixture(name))),
    ],
  ],
  ["pull", isPullResponse, bySchema(parsePullResponse), [fixture("pull.answer")]],
  ["register", isRegisterResponse, bySchema(parseRegisterResponse), [fixture("register.answer")]],
  ["time", isTimeResponse, bySchema(parseTimeResponse), [fixture("time.answer")]],
  ["poke", isPoke, bySchema(parsePoke), [fixture("live.poke")]],
  [
    "problem",
    isProblem,
    bySchema(parseProblem),
    fixtureNames.filter((name) => name.startsWith("problem.")).map((name) => fixture(name)),
  ],
];

/** What a broken, old or hostile server may put anywhere. `undefined`: the member is missing. */
const REPLACEMENTS: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  "",
  "x".repeat(3_000),
  "not an id!",
  "constructor",
  "\0",
  [],
  [null],
  {},
  { version: 1 },
  JSON.parse('{"__proto__": 1}'),
  // It has no text: converting it to a string throws.
  { toString: 1, valueOf: 1 },
];

/** What makes another form of a message, beside what it has. */
const ADDITIONS: readonly (readonly [member: string, value: unknown])[] = [
  ["data", {}],
  ["deleted", true],
  ["deleted", false],
  ["status", "applied"],
];

/** Every message that differs from this one in one place. */
function* variants(message: unknown): Generator<readonly [path: string, variant: unknown]> {
  for (const path of pathsIn(message as Json)) {
    for (const [index, replacement] of REPLACEMENTS.entries()) {
      yield [`${path.join(".")} = replacement ${index}`, replaced(message, path, replacement)];
    }
    yield [`${path.join(".")} in a list`, replaced(message, path, [valueAt(message, path)])];
    const beside = (member: string) => [...path.slice(0, -1), member];
    for (const [member, value] of ADDITIONS)
      yield [`${beside(member).join(".")} = ${value}`, replaced(message, beside(member), value)];
    for (const name of ["constructor", "not an id!", "renamed"]) {
      const renamed = replaced(message, beside(name), valueAt(message, path));
      yield [`${path.join(".")} as ${name}`, replaced(renamed, path, undefined)];
    }
  }
}

function* pathsIn(value: Json, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) yield* pathsIn(member as Json, [...path, key]);
}

function replaced(message: unknown, path: readonly string[], replacement: unknown): unknown {
  const copy: unknown = structuredClone(message);
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], copy);
  const last = path.at(-1) ?? "";
  if (replacement === undefined && !Array.isArray(parent)) delete (parent as Record<string, unknown>)[last];
  else (parent as Record<string, unknown>)[last] = replacement;
  return copy;
}

/** Puts something else at one place, or one more member beside it. What stood there is near to hand: as text, in a list, elsewhere. */
const change: fc.Arbitrary<(message: unknown) => unknown> = fc
  .tuple(
    fc.nat(),
    fc.nat(),
    fc.oneof(
      fc.constantFrom(...REPLACEMENTS).map((replacement) => () => replacement),
      fc.jsonValue().map((replacement) => () => replacement),
      fc.constantFrom<(old: unknown, other: unknown) => unknown>(
        (old) => [old],
        // An object may have a member `toString`, which is no function.
        (old) => (typeof old === "object" ? JSON.stringify(old) : String(old)),
        (old) => ({ old }),
        (_, other) => other,
      ),
    ),
    fc.option(fc.constantFrom("data", "deleted", "status", "by", "server", "reason", "issues", "error", "flags")),
  )
  .map(([at, from, make, member]) => (message: unknown) => {
    const paths = [...pathsIn(message as Json)];
    const path = paths[at % paths.length];
    const other = paths[from % paths.length];
    if (path === undefined || other === undefined) return message;
    const beside = member === null ? path : [...path.slice(0, -1), member];
    return replaced(message, beside, make(valueAt(message, beside), valueAt(message, other)));
  });

function valueAt(message: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], message);
}

describe.each(answers)("the till's own check of a %s answer", (_name, byHand, schema, messages) => {
  test("accepts every golden message", () => {
    for (const message of messages) expect(byHand(message)).toBe(true);
  });

  test("accepts what a newer server says beyond it", () => {
    for (const message of messages) expect(byHand({ ...(message as object), later: 1 })).toBe(true);
  });

  it("judges every message that differs in one place as the schema does", () => {
    let judged = 0;
    for (const message of messages) {
      for (const [where, variant] of variants(message)) {
        judged += 1;
        if (byHand(variant) !== schema(variant))
          expect.fail(`${where}: by hand ${byHand(variant)}, schema ${schema(variant)}`);
      }
    }
    expect(judged).toBeGreaterThan(REPLACEMENTS.length - 1);
  });

  it("judges every message that differs in several places as the schema does", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...messages),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (message, changes) => {
          const variant = changes.reduce((before, one) => one(before), message);
          expect(byHand(variant), JSON.stringify(variant)).toBe(schema(variant));
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([undefined, null, 1, "text", [], {}])("refuses %j", (value) => {
    expect(byHand(value)).toBe(false);
  });
});

describe("what tells the forms of a message apart counts as itself, not as its text", () => {
  const row = { version: 1, data: {} };
  const pullOf = (change: object) => ({
    ...fixture("pull.answer"),
    pages: { products: { changes: [{ id: "p-1", ...row, ...change }], cursor: "c", more: false } },
  });
  const conflictOf = (change: object) => pushOf({ ...fixture("result.conflict"), server: { ...row, ...change } });

  test.each([
    ["a change", { deleted: "undefined" }],
    ["a change", { deleted: "true", data: undefined }],
    ["a change", { deleted: ["true"], data: undefined }],
  ])("%s with %j is refused", (_, change) => {
    expect(isPullResponse(pullOf({}))).toBe(true);
    expect([isPullResponse(pullOf(change)), parsePullResponse(pullOf(change)).ok]).toEqual([false, false]);
  });

  test.each([
    ["a row", { deleted: "undefined" }],
    ["a row", { deleted: "true", data: undefined }],
  ])("%s with %j is refused", (_, change) => {
    expect(isPushResponse(conflictOf({}))).toBe(true);
    expect([isPushResponse(conflictOf(change)), parsePushResponse(conflictOf(change)).ok]).toEqual([false, false]);
  });

  test("a result whose status is a list is refused", () => {
    const message = pushOf({ ...fixture("result.applied"), status: ["applied"] });
    expect([isPushResponse(message), parsePushResponse(message).ok]).toEqual([false, false]);
  });
});

describe("the bounds of an answer", () => {
  const names = (count: number) => Array.from({ length: count }, (_, n) => `c-${n}`);
  const problem = (status: number) => ({ ...fixture("problem.malformed"), status });
  const poke = (count: number) => ({ ...fixture("live.poke"), collections: names(count) });
  const answer = (epoch: string) => ({ ...fixture("push.answer"), epoch });

  test.each([
    ["a problem of status 400", isProblem, parseProblem, problem(400), true],
    ["a problem of status 399", isProblem, parseProblem, problem(399), false],
    ["a problem of status 599", isProblem, parseProblem, problem(599), true],
    ["a problem of status 600", isProblem, parseProblem, problem(600), false],
    ["a poke of 1,000 collections", isPoke, parsePoke, poke(1_000), true],
    ["a poke of 1,001 collections", isPoke, parsePoke, poke(1_001), false],
    ["an epoch of 2,048 characters", isPushResponse, parsePushResponse, answer("e".repeat(2_048)), true],
    ["an epoch of 2,049 characters", isPushResponse, parsePushResponse, answer("e".repeat(2_049)), false],
  ] as const)("%s: accepted or refused, by hand and by the schema", (_, byHand, parse, message, isAccepted) => {
    expect([byHand(message), parse(message).ok]).toEqual([isAccepted, isAccepted]);
  });
});
