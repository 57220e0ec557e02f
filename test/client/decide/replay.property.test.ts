/**
 * The view does not depend on how far the server has got: an edit has the same effect in the base and in the replay.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { addDelta, type Delta, type Edit, mergeDelta, replay } from "../../../src/client/decide/replay.ts";
import type { JsonObject } from "../../../src/shared/json.ts";
import { times } from "../../support/property.ts";

const counters = ["stock", "litres"];
const field = fc.constantFrom("name", "note", "price");
const value = fc.constantFrom(null, 0, 1, "x");
const fields = fc.dictionary(field, value, { noNullPrototype: true });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fields.map((data) => ({ action: "create" as const, data, zeros: { stock: 0, litres: "0" } })),
  fc
    .tuple(fields, fc.uniqueArray(field))
    .map(([patch, unset]) => ({ action: "update" as const, patch, unset: unset.filter((name) => !(name in patch)) })),
  fc.constant({ action: "delete" as const }),
);
const edits = fc.array(edit, { maxLength: 6 });
const base = fc.option(
  fc
    .tuple(fields, fc.integer({ min: -9, max: 9 }))
    .map(([data, stock]): JsonObject => ({ ...data, stock, litres: `${stock}.50` })),
);
const decimal = fc
  .tuple(fc.constantFrom("", "-"), fc.nat(99), fc.constantFrom("", ".5", ".50", ".500", ".125", ".000000001"))
  .map((parts) => parts.join(""));
const step: fc.Arbitrary<Delta> = fc.record(
  { stock: fc.integer({ min: -99, max: 99 }), litres: decimal },
  { requiredKeys: [] },
);
const sumOf = (steps: readonly Delta[], start?: Delta) =>
  steps.reduce<Delta | undefined>((sum, by) => mergeDelta(sum, by, 1), start);

test("the first edits replayed and the rest on top of them show what all of them show", () => {
  fc.assert(
    fc.property(base, edits, edits, step, (from, first, rest, delta) => {
      const taken = replay(from, first, undefined, counters);
      // The counters of a deleted row are only at the server.
      if (taken === undefined) return;
      expect(replay(taken, rest, delta, counters)).toEqual(replay(from, [...first, ...rest], delta, counters));
    }),
    times(500),
  );
});

test("what the last edit says shows: the fields that it sets and removes, or all of them, or none", () => {
  fc.assert(
    fc.property(base, edits, edit, step, (from, earlier, last, delta) => {
      const before = replay(from, earlier, delta, counters);
      const view = replay(from, [...earlier, last], delta, counters);
      const isThere = last.action === "create" || (last.action === "update" && before !== undefined);
      expect(view !== undefined).toBe(isThere);
      if (view === undefined) return;
      const said = last.action === "create" ? (last.data ?? {}) : (last.patch ?? {});
      for (const name of ["name", "note", "price"]) {
        const isRemoved = last.action === "create" || last.unset?.includes(name);
        const expected = name in said ? said[name] : isRemoved ? undefined : before?.[name];
        expect(view[name]).toEqual(expected);
      }
    }),
    times(500),
  );
});

test("no edit moves a counter, and no increment another field", () => {
  fc.assert(
    fc.property(base, edits, step, (from, some, delta) => {
      const [still, moved] = [replay(from, some, undefined, counters), replay(from, some, delta, counters)];
      expect(moved === undefined).toBe(still === undefined);
      if (still === undefined || moved === undefined) return;
      for (const name of counters) {
        expect(Number(still[name])).toBe(Number(from?.[name] ?? 0));
        if (!(name in delta)) expect(moved[name]).toEqual(still[name]);
      }
      for (const name of ["name", "note", "price"]) expect(moved[name]).toEqual(still[name]);
    }),
    times(300),
  );
});

/** Computed in billionths, with integers of any size. */
function nano(amount: unknown): bigint {
  const [whole = "0", fraction = ""] = String(amount).replace("-", "").split(".");
  const absolute = BigInt(whole) * 10n ** 9n + BigInt(fraction.padEnd(9, "0"));
  return String(amount).startsWith("-") ? -absolute : absolute;
}

test("steps that were summed show what they show one after another, in whatever order, to the last digit", () => {
  const some = fc.array(step, { maxLength: 12 });
  fc.assert(
    fc.property(
      some.chain((steps) => fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length }))),
      ([steps, shuffled]) => {
        const start = { stock: 7, litres: "1.5" };
        const summed = { ...start, ...addDelta(start, sumOf(shuffled) ?? {}) };
        for (const name of counters) {
          const exact = steps.reduce((sum, by) => sum + nano(by[name] ?? 0), nano(start[name as keyof typeof start]));
          expect(nano(summed[name as keyof typeof summed])).toBe(exact);
        }
      },
    ),
    times(300),
  );
});

test("taking back each step, in whatever order, leaves nothing; some of them, what the others make", () => {
  const some = fc.array(step, { maxLength: 12 });
  fc.assert(
    fc.property(
      some.chain((steps) => fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps))),
      ([steps, back]) => {
        const left = back.reduce<Delta | undefined>((sum, by) => mergeDelta(sum, by, -1), sumOf(steps));
        const others = [...steps];
        for (const by of back) others.splice(others.indexOf(by), 1);
        const expected = sumOf(others) ?? {};
        expect(Object.keys(left ?? {}).sort()).toEqual(Object.keys(expected).sort());
        for (const name of counters) expect(nano(left?.[name] ?? 0)).toBe(nano(expected[name] ?? 0));
      },
    ),
    times(300),
  );
});
