/** Schemas whose counters have bounds, drawn at random, and counters that may be outside of them. */
import fc from "fast-check";
import * as v from "valibot";
import * as z from "zod";
import { defineCollection } from "../../src/schema/define-collection.ts";
import type { CounterValue } from "../../src/shared/counter-step.ts";

export interface Drawn {
  readonly title: string;
  readonly definition: ReturnType<typeof defineCollection>;
  /** Where the counters are by now. */
  readonly counters: Readonly<Record<"stock" | "litres", CounterValue>>;
}

/** What the schemas say about the fields that an edit names; the rest of a record is its counters. */
export const accepts = (name: string) => name.trim().length > 0 && name.trim().length <= 8;

const step = fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -1_000_000, max: 1_000_000 }));
const bounds = fc.record({
  min: fc.option(step, { nil: undefined }),
  width: fc.option(fc.nat({ max: 500 }), { nil: undefined }),
  /** A rule over the whole record that compares its counters. */
  rule: fc.boolean(),
  library: fc.constantFrom("zod", "valibot"),
});

export const drawn: fc.Arbitrary<Drawn> = fc
  .record({ bounds, stock: step, litres: fc.tuple(step, fc.nat({ max: 99 })) })
  .map(({ bounds: { min, width, rule, library }, stock, litres: [whole, cents] }) => {
    const max = width === undefined ? undefined : (min ?? 0) + width;
    const isLow = (litres: string) => Number(litres) < 0;
    const ordered = (record: { stock: number; reserved: number }) => !rule || record.reserved <= record.stock;
    const inZod = () => {
      let int = z.int();
      if (min !== undefined) int = int.min(min);
      if (max !== undefined) int = int.max(max);
      const litres = z.string().refine((text) => !isLow(text), "a tank holds no less than nothing");
      const name = z.string().trim().min(1).max(8);
      return z.object({ name, stock: int, litres, reserved: z.int() }).refine(ordered, "more reserved than there is");
    };
    const inValibot = () => {
      const int = v.pipe(
        v.number(),
        v.integer(),
        v.minValue(min ?? Number.MIN_SAFE_INTEGER),
        v.maxValue(max ?? Number.MAX_SAFE_INTEGER),
      );
      const litres = v.pipe(
        v.string(),
        v.check((text) => !isLow(text)),
      );
      const name = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(8));
      return v.pipe(
        v.object({ name, stock: int, litres, reserved: v.number() }),
        v.check(ordered as (record: unknown) => boolean) as never,
      );
    };
    const schema = library === "zod" ? inZod() : inValibot();
    const define = defineCollection as (options: unknown) => Drawn["definition"];
    return {
      title: JSON.stringify({ min, max, rule, library, stock, litres: `${whole}.${cents}` }),
      definition: define({ schema, counters: ["stock", "litres", "reserved"] }),
      counters: { stock, litres: `${whole}.${String(cents).padStart(2, "0")}`, reserved: 0 },
    };
  });

/** Names that the schemas accept and trim, and names that they refuse. */
export const name = fc.constantFrom("Tea", " Green ", "Lemonade", "", "   ", "a name of many letters");
