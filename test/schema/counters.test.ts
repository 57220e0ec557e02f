import { type } from "arktype";
import fc from "fast-check";
import { defineCollection } from "tillsync/schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { acceptedCounters, addCounter, splitCounters, zeroCounters } from "../../src/schema/counters.ts";
import { resolvedOf } from "../../src/schema/resolved.ts";

/** A decimal as an integer of 10⁻⁹. */
const decimal = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }),
    fc.integer({ min: 0, max: 9 }),
    fc.bigInt({ min: 0n, max: 10n ** 9n - 1n }),
  )
  .map(([whole, scale, fraction]) => {
    const shown = fraction.toString().padStart(9, "0").slice(0, scale);
    return scale === 0 ? `${whole}` : `${whole}.${shown}`;
  });
const nano = (text: string) => {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const absolute = BigInt(whole) * 10n ** 9n + BigInt(fraction.padEnd(9, "0"));
  return text.startsWith("-") ? -absolute : absolute;
};

describe("addCounter", () => {
  it("adds integers", () => {
    expect(addCounter(20, -3)).toBe(17);
    expect(Object.is(addCounter(-0, -0), 0)).toBe(true);
  });

  it("says no where an integer would no longer be exact", () => {
    expect(addCounter(Number.MAX_SAFE_INTEGER, 1)).toBeUndefined();
    expect(addCounter(Number.MIN_SAFE_INTEGER, -1)).toBeUndefined();
    expect(addCounter(0.5, 1)).toBeUndefined();
    expect(addCounter(Number.NaN, 1)).toBeUndefined();
  });

  it.each([
    ["1.5", "0.25", "1.75"],
    ["1.50", "0.50", "2.00"],
    ["0.1", "0.2", "0.3"],
    ["-0.05", "0.01", "-0.04"],
    ["-1", "1.00", "0.00"],
    ["-0.0", "0", "0.0"],
    ["007", "-8", "-1"],
    ["9.99", "0.01", "10.00"],
  ])("adds decimal strings exactly: %s + %s = %s", (a, b, sum) => {
    expect(addCounter(a, b)).toBe(sum);
  });

  it("adds an integer to a decimal string, from which a counter may start", () => {
    expect(addCounter(0, "-2.50")).toBe("-2.50");
    expect(addCounter("2.50", -2)).toBe("0.50");
  });

  it("says no to text that is no decimal, and to sums of more digits than it keeps", () => {
    for (const text of ["", "1e3", "+1", ".5", "1.", "1,5", " 1", "Infinity", "0x1"])
      expect(addCounter(text, "1")).toBeUndefined();
    expect(addCounter("9".repeat(40), "1")).toBeUndefined();
  });

  it("is as exact as BigInt", () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const sum = addCounter(a, b);
        expect(nano(sum as string)).toBe(nano(a) + nano(b));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
        const exact = BigInt(a) + BigInt(b);
        expect(addCounter(a, b)).toBe(Number.isSafeInteger(Number(exact)) ? Number(exact) : undefined);
      }),
    );
  });

  it("gives the same sum in any order", () => {
    const sum = (values: readonly string[]) =>
      values.reduce<string | number | undefined>((a, b) => a && addCounter(a, b), "0");
    fc.assert(
      fc.property(
        fc
          .array(decimal, { maxLength: 6 })
          .chain((values) => fc.tuple(fc.constant(values), fc.shuffledSubarray(values, { minLength: values.length }))),
        ([values, shuffled]) => {
          expect(sum(shuffled)).toBe(sum(values));
        },
      ),
    );
  });
});

describe("splitCounters", () => {
  it("takes the counters out of the data, and makes steps of what is not zero", () => {
    expect(splitCounters(["stock", "litres", "sold"], { name: "Tea", stock: 20, litres: "0.00", sold: 0 })).toEqual({
      data: { name: "Tea" },
      by: { stock: 20 },
    });
  });

  it("leaves its argument and data without counters as they are", () => {
    const data = { name: "Tea" };
    expect(splitCounters(["stock"], data)).toEqual({ data, by: {} });
    expect(data).toEqual({ name: "Tea" });
  });
});

describe("acceptedCounters", () => {
  it("finds for each counter what its schema accepts: nearest to zero, and then the extremes of one", () => {
    const definition = defineCollection({
      schema: z.object({
        name: z.string(),
        stock: z.int().min(70).max(71),
        litres: z.string().regex(/^\d\.\d\d$/),
      }),
      counters: ["stock", "litres"],
    });
    expect(acceptedCounters(resolvedOf(definition))).toEqual([
      { stock: 70, litres: "0.00" },
      { stock: 71, litres: "0.00" },
      { stock: 70, litres: "8.00" },
    ]);
  });

  const accepted = (schema: unknown) =>
    acceptedCounters(resolvedOf((defineCollection as (options: unknown) => never)({ schema, counters: ["stock"] })));
  const stock = (...values: readonly (string | number)[]) => values.map((value) => ({ stock: value }));

  it("takes zero if it is accepted, and then the largest and the smallest", () => {
    expect(accepted(z.object({ stock: z.int().min(-5).max(100) }))).toEqual(stock(0, 100, -5));
  });

  it("finds a value beside a bound that excludes itself", () => {
    expect(accepted(z.object({ stock: z.int().gt(70) }))[0]).toEqual({ stock: 71 });
    expect(accepted(z.object({ stock: z.int().lt(-70) }))[0]).toEqual({ stock: -71 });
  });

  it.each([
    ["", /^-?\d+$/],
    [".0", /^-?\d+\.\d$/],
    [".00", /^-?\d+\.\d\d$/],
    [".000", /^-?\d+\.\d{3}$/],
  ])("finds texts like 0%s if the schema wants that many decimals", (fraction, form) => {
    const largest = `${2 ** 52}${fraction}`;
    expect(accepted(z.object({ stock: z.string().regex(form) }))).toEqual(
      stock(`0${fraction}`, largest, `-${largest}`),
    );
  });

  it("takes the shortest text if the schema accepts any", () => {
    expect(accepted(v.object({ stock: v.string() }))).toEqual(stock("0", `${2 ** 52}.000`, `-${2 ** 52}`));
  });

  it("is zero as a text, and nothing else, for a schema that accepts none of the values", () => {
    expect(accepted(z.object({ stock: z.enum(["full", "empty"]) }))).toStrictEqual(stock("0"));
  });

  it("does not take the rule of a whole record for one of the counter, or the other way round", () => {
    const bound = v.object({ name: v.string(), stock: v.pipe(v.number(), v.minValue(70)) });
    const named = v.pipe(
      v.object({ name: v.optional(v.string()), stock: v.pipe(v.number(), v.minValue(70)) }),
      v.check(({ name }) => name !== undefined, "It needs a name"),
    );
    for (const schema of [bound, named]) expect(accepted(schema)[0]).toEqual({ stock: 70 });
  });

  it("asks the schema once, however many records are judged", () => {
    let asked = 0;
    const counting = z.int().refine(() => {
      asked += 1;
      return true;
    });
    const resolved = resolvedOf(defineCollection({ schema: z.object({ stock: counting }), counters: ["stock"] }));
    const first = acceptedCounters(resolved);
    const before = asked;
    expect(before).toBeGreaterThan(0);
    expect(acceptedCounters(resolved)).toEqual(first);
    expect(asked).toBe(before);
  });
});

describe("zeroCounters", () => {
  const zeros = (definition: Parameters<typeof resolvedOf>[0]) => zeroCounters(resolvedOf(definition), { name: "Tea" });

  it("starts a counter from the zero that its schema accepts", () => {
    const zod = defineCollection({
      schema: z.object({ name: z.string(), stock: z.int(), litres: z.string().regex(/^-?\d+(\.\d+)?$/) }),
      counters: ["stock", "litres"],
    });
    const valibot = defineCollection({
      schema: v.object({ name: v.string(), stock: v.number(), litres: v.string() }),
      counters: ["stock", "litres"],
    });
    const arktype = defineCollection({
      schema: type({ name: "string", stock: "number", litres: "string" }),
      counters: ["stock", "litres"],
    });
    for (const definition of [zod, valibot, arktype])
      expect(zeros(definition)).toEqual({ name: "Tea", stock: 0, litres: "0" });
  });

  it("starts an integer from 0 even if its bounds do not allow it", () => {
    const zod = defineCollection({ schema: z.object({ stock: z.int().min(70).max(71) }), counters: ["stock"] });
    const valibot = defineCollection({
      schema: v.object({ stock: v.pipe(v.number(), v.maxValue(-12), v.minValue(-13)) }),
      counters: ["stock"],
    });
    for (const definition of [zod, valibot]) expect(zeros(definition)).toEqual({ name: "Tea", stock: 0 });
  });

  it("replaces what was there", () => {
    const definition = defineCollection({ schema: z.object({ stock: z.int() }), counters: ["stock"] });
    expect(zeroCounters(resolvedOf(definition), { stock: 20 })).toEqual({ stock: 0 });
  });

  it("is not upset by a schema that trips over an empty record, or is asynchronous", () => {
    const schema = z.object({ stock: z.int() });
    const trips = schema.refine(() => {
      throw new Error("boom");
    });
    const late = schema.refine(async () => true);
    const throws = v.pipe(
      v.object({ stock: v.number() }),
      v.check(() => {
        throw new Error("boom");
      }),
    );
    for (const any of [trips, late, throws])
      expect(zeros(defineCollection({ schema: any as typeof schema, counters: ["stock"] }))).toEqual({
        name: "Tea",
        stock: 0,
      });
  });
});
