/** The algebra of a three-way merge: what one side left alone is the other's, and no field knows of another. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { conflictingFields, fieldDifferences, mergeRecords } from "../../src/conflict/merge.ts";
import { deepEqual, type JsonObject } from "../../src/shared/json.ts";
import { jsonObject } from "../support/json-values.ts";
import { times } from "../support/property.ts";

const FIELDS = ["a", "b", "toString", "1"];
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(null, 0, 1, "x") },
  { weight: 1, arbitrary: jsonObject },
  { weight: 1, arbitrary: fc.array(jsonObject, { maxLength: 2 }) },
);
const record = fc.dictionary(fc.constantFrom(...FIELDS), value, { noNullPrototype: true });
const of = (at: JsonObject, field: string) => (Object.hasOwn(at, field) ? at[field] : undefined);
/** The conflicts settled for one side, as a rule for every field would. */
function merged(base: JsonObject, client: JsonObject, server: JsonObject, side: "client" | "server"): JsonObject {
  const fields = conflictingFields(base, client, server, []);
  const winner = side === "client" ? client : server;
  return mergeRecords(
    { base, client, server, fields },
    Object.fromEntries(fields.map((name) => [name, of(winner, name)])),
  );
}

test("a side that changed nothing adds nothing: the merge is the other side, and nothing is in conflict", () => {
  fc.assert(
    fc.property(record, record, (base, changed) => {
      expect(conflictingFields(base, base, changed, [])).toEqual([]);
      expect(conflictingFields(base, changed, base, [])).toEqual([]);
      expect(merged(base, base, changed, "server")).toEqual(changed);
      expect(merged(base, changed, base, "server")).toEqual(changed);
      expect(merged(base, changed, changed, "client")).toEqual(changed);
    }),
    times(300),
  );
});

test("the two sides are in conflict about the same fields, whichever of them is asked", () => {
  fc.assert(
    fc.property(record, record, record, fc.subarray(FIELDS), (base, client, server, excluded) => {
      const forth = conflictingFields(base, client, server, [], excluded);
      const back = conflictingFields(base, server, client, [], excluded);
      expect([...forth].sort()).toEqual([...back].sort());
      for (const name of forth) expect(excluded).not.toContain(name);
    }),
    times(300),
  );
});

test("settled for the client here is settled for the server there: two devices come to one record", () => {
  fc.assert(
    fc.property(record, record, record, (base, one, other) => {
      expect(merged(base, one, other, "client")).toEqual(merged(base, other, one, "server"));
    }),
    times(300),
  );
});

test("each field is merged by its own three values: another value elsewhere changes nothing of it", () => {
  const three = fc.tuple(record, record, record);
  fc.assert(
    fc.property(
      three,
      three,
      fc.constantFrom(...FIELDS),
      fc.constantFrom("client", "server"),
      (all, others, field, side) => {
        // The one field from the first three, all else from the others.
        const mixed = all.map((mine, n) => {
          const { [field]: _, ...rest } = others[n] as JsonObject;
          return Object.hasOwn(mine, field) ? { ...rest, [field]: mine[field] } : rest;
        }) as [JsonObject, JsonObject, JsonObject];
        expect(of(merged(...mixed, side), field)).toEqual(of(merged(...all, side), field));
      },
    ),
    times(500),
  );
});

test("nothing is invented: every field of a merge is as one of the sides has it", () => {
  fc.assert(
    fc.property(record, record, record, fc.constantFrom("client", "server"), (base, client, server, side) => {
      const result = merged(base, client, server, side);
      for (const field of FIELDS)
        expect([client, server].some((at) => deepEqual(of(at, field), of(result, field)))).toBe(true);
    }),
    times(300),
  );
});

test("what was merged is merged: seen from the server's record, the client's side of it is itself", () => {
  fc.assert(
    fc.property(record, record, record, fc.constantFrom("client", "server"), (base, client, server, side) => {
      const result = merged(base, client, server, side);
      expect(merged(server, result, server, side)).toEqual(result);
      expect(merged(base, result, server, "client")).toEqual(result);
    }),
    times(300),
  );
});

test("where nothing is chosen for a field in conflict, the server's stays", () => {
  fc.assert(
    fc.property(record, record, record, (base, client, server) => {
      const fields = conflictingFields(base, client, server, []);
      expect(mergeRecords({ base, client, server, fields }, {})).toEqual(merged(base, client, server, "server"));
    }),
    times(200),
  );
});

test("no difference is told exactly where two records are equal in all that is anybody's edit", () => {
  fc.assert(
    fc.property(record, record, record, fc.subarray(FIELDS), (base, client, server, excluded) => {
      const without = (at: JsonObject) =>
        Object.fromEntries(Object.entries(at).filter(([name]) => !excluded.includes(name)));
      const isSame = deepEqual(without(client), without(server));
      expect(fieldDifferences(base, client, server, excluded).length === 0).toBe(isSame);
      for (const told of fieldDifferences(base, client, server, excluded))
        expect([told.base, told.client, told.server]).toEqual([base, client, server].map((at) => of(at, told.field)));
      // Without a base there is no telling who changed it.
      const named = fieldDifferences(undefined, client, server, excluded).map(({ field }) => field);
      expect(conflictingFields(undefined, client, server, [], excluded)).toEqual(named);
    }),
    times(300),
  );
});
