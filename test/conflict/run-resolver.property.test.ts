/** A shop's own resolver runs inside a decision: whatever it does, an edit is lost by nobody's word (L1), and sync goes on (L6). */
import fc from "fast-check";
import { clientWins, lastWriteWins, manual, mergeFields, serverWins } from "tillsync/conflict";
import { expect, test } from "vitest";
import { type ConflictSides, runResolver } from "../../src/conflict/run-resolver.ts";
import type { AnyResolver } from "../../src/conflict/strategies.ts";
import { deepFreeze, type JsonObject, jsonFault } from "../../src/shared/json.ts";
import { jsonObject } from "../support/json-values.ts";
import { times } from "../support/property.ts";

const EXCLUDED = ["stock", "number"];
const field = fc.constantFrom("a", "b", "c", ...EXCLUDED);
const value = fc.oneof(fc.constantFrom(null, 0, 1, "x"), jsonObject);
const record = fc
  .dictionary(field, value, { noNullPrototype: true })
  .map((data) => ({ ...data, id: "p-1" }) as JsonObject);
const missing = { arbitrary: fc.constant(undefined), weight: 1 };
const side = fc.oneof({ arbitrary: record, weight: 5 }, missing);
const sides: fc.Arbitrary<ConflictSides> = fc.record({
  base: side,
  client: side,
  server: side,
  fields: fc.subarray(["a", "b", "c"]),
  excluded: fc.constant(EXCLUDED),
});
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withBoxedValues: true,
});
/** Without an id, or with another one. */
const loose = fc.dictionary(fc.oneof(field, fc.constant("id")), value, { noNullPrototype: true });
const answer = fc.oneof(anything, record, loose, side, fc.constantFrom("server", "client", "manual"));
/** What code of a shop may do: answer, throw, promise, write to what it was given. */
const custom: fc.Arbitrary<AnyResolver> = fc.oneof(
  answer.map((given) => () => given as never),
  answer.map((thrown) => () => {
    throw thrown;
  }),
  answer.map((late) => () => Promise.resolve(late) as never),
  answer.map((late) => () => Promise.reject(late) as never),
  answer.map((written) => (conflict: { server: Record<string, unknown> }) => {
    conflict.server.a = written;
    return conflict.server as never;
  }),
  fc.constant(
    (conflict: { client: unknown }) => new Proxy(conflict.client as object, { ownKeys: () => ["a", "a"] }) as never,
  ),
);
const ready: fc.Arbitrary<AnyResolver> = fc.constantFrom(
  serverWins(),
  clientWins(),
  lastWriteWins(),
  manual(),
  mergeFields({}, "client"),
  mergeFields({}, "server"),
  mergeFields({ a: "client", b: "manual" } as never),
);

test("comes to one of four ends, and throws nothing, whatever a shop's code does", () => {
  fc.assert(
    fc.property(fc.oneof(custom, ready), sides, (resolver, given) => {
      const before = JSON.stringify(given);
      expect(["server", "client", "merged", "manual"]).toContain(runResolver(resolver, given).kept);
      expect(JSON.stringify(given)).toBe(before);
      for (const at of [given.base, given.client, given.server]) expect(Object.isFrozen(at ?? {})).toBe(false);
    }),
    times(1_000),
  );
});

test("a merged record can be stored, is another than the server's, and has the server's id, counters and assigned fields", () => {
  fc.assert(
    fc.property(fc.oneof(custom, ready), sides, (resolver, given) => {
      const result = runResolver(resolver, deepFreeze(given));
      if (result.kept !== "merged") return;
      const server = given.server as JsonObject;
      expect(jsonFault(result.record)).toBeUndefined();
      for (const name of ["id", ...EXCLUDED]) {
        expect(Object.hasOwn(result.record, name)).toBe(Object.hasOwn(server, name));
        expect(result.record[name]).toEqual(server[name]);
      }
      expect(JSON.parse(JSON.stringify(result.record))).not.toEqual(JSON.parse(JSON.stringify(server)));
    }),
    times(1_000),
  );
});

test("takes only a record for one: text, numbers and lists are left to people", () => {
  const none = fc
    .oneof(anything, fc.array(record))
    .filter((given) => typeof given !== "object" || Array.isArray(given));
  fc.assert(
    fc.property(none, record, record, (given, client, server) => {
      const asked = { base: undefined, client: { ...client, a: 1 }, server: { ...server, a: 2 }, fields: ["a"] };
      const isSide = given === "server" || given === "client" || given === "manual";
      expect(runResolver(() => given as never, asked).kept).toBe(isSide ? given : "manual");
    }),
    times(300),
  );
});

test("is not asked where both sides say the same, nor where one of them is deleted", () => {
  fc.assert(
    fc.property(record, side, fc.dictionary(fc.constantFrom(...EXCLUDED), value), (same, base, counted) => {
      const refuse: AnyResolver = () => {
        throw new Error("asked");
      };
      const given = { base, server: same, fields: ["a"], excluded: EXCLUDED };
      expect(runResolver(refuse, { ...given, client: { ...same, ...counted } })).toEqual({ kept: "server" });
      expect(runResolver(refuse, { ...given, client: undefined })).toEqual({ kept: "manual" });
      expect(runResolver(refuse, { ...given, client: same, server: undefined })).toEqual({ kept: "manual" });
    }),
    times(200),
  );
});
