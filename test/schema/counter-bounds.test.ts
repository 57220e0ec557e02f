/** The bounds of counters: exact, for integers and for decimal strings, and never in the way back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { addWithinBounds, isBeyondMaxStep, maxStepOf } from "../../src/schema/counter-bounds.ts";
import { compareCounters } from "../../src/schema/counters.ts";
import { defineCollection } from "../../src/schema/define-collection.ts";
import { resolvedOf } from "../../src/schema/resolved.ts";
import { times } from "../support/property.ts";

const schema = z.object({ stock: z.int().default(0), litres: z.string().default("0") });
const bounded = resolvedOf(
  defineCollection({
    schema,
    counters: ["stock", "litres"],
    counterBounds: { stock: { maxStep: 5, min: -10, max: 10 }, litres: { maxStep: "2.5", max: "9.75" } },
  }),
);
const free = resolvedOf(defineCollection({ schema, counters: ["stock", "litres"] }));

describe("the largest step", () => {
  it.each<["stock" | "litres", number | string, boolean]>([
    ["stock", 5, false],
    ["stock", -5, false],
    ["stock", 6, true],
    ["stock", -6, true],
    ["litres", "2.5", false],
    ["litres", "-2.500", false],
    ["litres", "2.500000001", true],
    ["litres", "-3", true],
    ["litres", 3, true],
  ])("of %s: %s is beyond it: %s", (counter, step, isBeyond) => {
    expect(isBeyondMaxStep(bounded, counter, step)).toBe(isBeyond);
  });

  it("is a billion if the definition names none, for each kind of counter", () => {
    expect(maxStepOf(free, "stock")).toBe(1_000_000_000);
    for (const [step, isBeyond] of [
      [1_000_000_000, false],
      [-1_000_000_001, true],
    ] as const) {
      expect(isBeyondMaxStep(free, "stock", step)).toBe(isBeyond);
      expect(isBeyondMaxStep(free, "litres", `${step}`)).toBe(isBeyond);
    }
  });
});

describe("a sum", () => {
  it.each<["stock" | "litres", number | string, number | string, number | string | undefined]>([
    ["stock", 8, 2, 10],
    ["stock", 8, 3, undefined],
    ["stock", -8, -2, -10],
    ["stock", -8, -3, undefined],
    ["stock", 30, -1, 29],
    ["stock", 30, 1, undefined],
    ["stock", -30, 1, -29],
    ["litres", "9.5", "0.25", "9.75"],
    ["litres", "9.5", "0.250000001", undefined],
    ["litres", "-99", "-2.5", "-101.5"],
  ])("of %s: %s and %s is %s", (counter, value, step, sum) => {
    expect(addWithinBounds(bounded, counter, value, step)).toBe(sum);
  });

  it("without bounds is what can be counted exactly", () => {
    expect(addWithinBounds(free, "stock", Number.MAX_SAFE_INTEGER, 1)).toBeUndefined();
    expect(addWithinBounds(free, "stock", Number.MAX_SAFE_INTEGER, -1)).toBe(Number.MAX_SAFE_INTEGER - 1);
    expect(addWithinBounds(free, "litres", "9".repeat(40), "1")).toBeUndefined();
  });
});

it("counters are compared exactly, whatever their form", () => {
  const cents = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  const text = (value: bigint) => {
    const digits = String(value).replace("-", "").padStart(3, "0");
    return `${value < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
  };
  fc.assert(
    fc.property(cents, fc.oneof(cents, fc.constant(0n)), (a, b) => {
      expect(Math.sign(compareCounters(text(a), text(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      expect(Math.sign(compareCounters(text(a), text(a + (b > 0n ? 1n : -1n))))).toBe(b > 0n ? -1 : 1);
    }),
    times(300),
  );
});
