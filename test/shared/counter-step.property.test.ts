/** What a counter can be moved by is the same to the till and to the wire, and whatever moved it can be taken back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseOperation } from "../../src/protocol/operation.ts";
import { addCounter } from "../../src/schema/counters.ts";
import { isCounterStep } from "../../src/shared/counter-step.ts";
import { times } from "../support/property.ts";

const digits = (max: number) => fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: max });
/** Decimals as people write them, and as they should not. */
const written = fc
  .tuple(fc.constantFrom("", "", "-", "+", "--"), digits(17), fc.constantFrom("", ".", ".", ","), digits(11))
  .map((parts) => parts.join(""));
const anyStep = fc.oneof(
  written,
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom<unknown>("1e3", " 1", "1\n", "٣", "0x1", "Infinity", null, undefined, true, 1n, [1], {}),
);
const step = fc.oneof(
  fc.maxSafeInteger(),
  written.filter((value) => isCounterStep(value)),
) as fc.Arbitrary<number | string>;
const negative = (value: number | string) =>
  typeof value === "number" ? -value : value.startsWith("-") ? value.slice(1) : `-${value}`;
const isZero = (value: unknown) => /^-?[0.]*$/.test(String(value));

test("a till counts with exactly the steps that a server reads", () => {
  const head = { id: "019a9f3c-5e00-7000-8000-0000000000a3", sequence: 1, collection: "products", entityId: "p-1" };
  const rest = { schemaVersion: 1, occurredAt: "2026-11-20T08:00:00.000Z" };
  fc.assert(
    fc.property(anyStep, (value) => {
      const parsed = parseOperation({ ...head, action: "increment", by: { stock: value }, ...rest });
      expect(isCounterStep(value)).toBe(parsed.ok);
    }),
    times(500),
  );
});

test("every step can be counted from zero, taken back, and sent as JSON", () => {
  fc.assert(
    fc.property(step, (value) => {
      expect(isCounterStep(negative(value))).toBe(true);
      expect(isCounterStep(JSON.parse(JSON.stringify(value)))).toBe(true);
      const counted = addCounter(typeof value === "number" ? 0 : "0", value);
      expect(counted).toBeDefined();
      expect(isZero(addCounter(counted ?? Number.NaN, negative(value)))).toBe(true);
    }),
    times(500),
  );
});

test("a step and its opposite leave any counter where it was", () => {
  fc.assert(
    fc.property(step, step, (from, value) => {
      const moved = addCounter(from, value);
      // Beyond what can be counted exactly: the caller is told.
      if (moved === undefined) return void expect(typeof from).toBe("number");
      const back = addCounter(moved, negative(value));
      expect(isZero(addCounter(back ?? Number.NaN, negative(from)))).toBe(true);
    }),
    times(500),
  );
});
