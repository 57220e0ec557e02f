/**
 * Counter fields: values that change only by steps. Adding commutes, so increments of several clients are never in
 * conflict. Counters are safe integers, or decimal strings if integers of the smallest unit won't do.
 */
import { type CounterValue, isCounterStep } from "../shared/counter-step.ts";
import type { Json, JsonObject } from "../shared/json.ts";
import type { ResolvedCollection } from "./resolved.ts";

export type CounterSteps = Readonly<Record<string, CounterValue>>;

// Sums may have more digits than one step, and are bounded, too: BigInt makes them exact, and its cost grows with them.
const DECIMAL_SUM = /^-?\d{1,40}(?:\.\d{1,9})?$/;

/** Whether a counter can hold it. */
export function isCounterValue(value: CounterValue): boolean {
  return typeof value === "number" ? Number.isSafeInteger(value) : DECIMAL_SUM.test(value);
}

/**
 * The exact sum: a number for two numbers, otherwise a decimal string with the larger scale of the two (`"1.5" +
 * "0.25"` is `"1.75"`, `"1.50" + "0.50"` is `"2.00"`). `undefined` if a value is no counter value, or if the sum is no
 * safe integer or has more than 40 + 9 digits: a rounded stock would be a wrong stock.
 */
export function addCounter(a: CounterValue, b: CounterValue): CounterValue | undefined {
  if (!isCounterValue(a) || !isCounterValue(b)) return undefined;
  // `+ 0` turns -0, which JSON does not have, into 0.
  const sum = typeof a === "number" && typeof b === "number" ? a + b + 0 : addDecimals(String(a), String(b));
  return isCounterValue(sum) ? sum : undefined;
}

function addDecimals(a: string, b: string): string {
  const scale = Math.max(fractionOf(a).length, fractionOf(b).length);
  const sum = unscaled(a, scale) + unscaled(b, scale);
  const digits = String(sum)
    .replace("-", "")
    .padStart(scale + 1, "0");
  const point = digits.length - scale;
  return (sum < 0n ? "-" : "") + digits.slice(0, point) + (scale > 0 ? "." : "") + digits.slice(point);
}

/** Below zero if `a` is the smaller one, zero if they are equal; exact. Both must be counter values. */
export function compareCounters(a: CounterValue, b: CounterValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [one, other] = [String(a), String(b)];
  const scale = Math.max(fractionOf(one).length, fractionOf(other).length);
  const difference = unscaled(one, scale) - unscaled(other, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function fractionOf(decimal: string): string {
  return decimal.split(".")[1] ?? "";
}

function unscaled(decimal: string, scale: number): bigint {
  return BigInt(decimal.replace(".", "") + "0".repeat(scale - fractionOf(decimal).length));
}

/** Separates the counters from the data of a `create`: they are sent as an increment of their own. */
export function splitCounters(
  counters: readonly string[],
  data: JsonObject,
): { readonly data: JsonObject; readonly by: CounterSteps } {
  const rest: Record<string, Json> = { ...data };
  const by: Record<string, CounterValue> = {};
  for (const field of counters) {
    const value = data[field];
    delete rest[field];
    // Zero needs no step.
    if (isCounterStep(value) && /[1-9]/.test(`${value}`)) by[field] = value;
  }
  return { data: rest, by };
}

/** The record with every counter at zero, as it is before the first step. */
export function zeroCounters(resolved: ResolvedCollection, data: JsonObject): JsonObject {
  return { ...data, ...valuesOf(resolved).zeros };
}

/**
 * Values for all counters with which an edit is judged if the schema refuses it with the counters as they are [H4]: for
 * each counter the accepted value that is nearest to zero; then the same with one counter at its largest or smallest.
 */
export function acceptedCounters(resolved: ResolvedCollection): readonly CounterSteps[] {
  return valuesOf(resolved).accepted;
}

interface CounterValues {
  readonly zeros: CounterSteps;
  readonly accepted: readonly CounterSteps[];
}

// The values of a definition never change, and a schema takes microseconds to refuse a record.
const knownValues = /* @__PURE__ */ new WeakMap<ResolvedCollection, CounterValues>();

function valuesOf(resolved: ResolvedCollection): CounterValues {
  const known = knownValues.get(resolved);
  if (known !== undefined) return known;
  const zeros: Record<string, CounterValue> = {};
  const nearest: Record<string, CounterValue> = {};
  const extremes: CounterSteps[] = [];
  for (const field of resolved.counters) {
    const numbers = acceptedOf(resolved, field, LADDER);
    zeros[field] = numbers.length > 0 ? 0 : "0";
    const values = numbers.length > 0 ? numbers : acceptedOf(resolved, field, decimals());
    const sorted = values.sort((a, b) => Number(a) - Number(b));
    nearest[field] = sorted.reduce((a, b) => (Math.abs(Number(b)) < Math.abs(Number(a)) ? b : a), sorted[0] ?? "0");
    for (const value of [sorted.at(-1), sorted[0]])
      if (value !== undefined && value !== nearest[field]) extremes.push({ [field]: value });
  }
  const values = { zeros, accepted: [nearest, ...extremes.map((extreme) => ({ ...nearest, ...extreme }))] };
  knownValues.set(resolved, values);
  return values;
}

/** Powers of 2 and of 10, and zero: most ranges contain one of them. */
const LADDER: readonly number[] = [
  0,
  ...[2, 10].flatMap((base) =>
    Array.from({ length: base === 2 ? 53 : 16 }, (_, power) => base ** power).flatMap((n) => [n, -n]),
  ),
];
const decimals = () => LADDER.flatMap((n) => ["", ".0", ".00", ".000"].map((fraction) => `${n}${fraction}`));

/**
 * The values that the schema accepts for a counter, those given and the bounds that zod and valibot name in their
 * issues (`minimum`, `divisor`, `requirement`). Only the schema knows, so it checks a record that has only this field;
 * what else it says about such a record doesn't matter.
 */
function acceptedOf(resolved: ResolvedCollection, field: string, values: readonly CounterValue[]): CounterValue[] {
  const bounds = new Set<number>();
  const isAccepted = (value: CounterValue): boolean => {
    try {
      const result = resolved.schema["~standard"].validate({ id: "0", [field]: value });
      // `validateRecord` throws `schema_async` for it; this promise must not become an unhandled rejection.
      if ("then" in result) result.then(undefined, () => {});
      const issues = "issues" in result ? (result.issues ?? []) : [];
      const refusals = issues.filter(({ path }) => keyOf(path?.[0]) === field);
      for (const bound of refusals.flatMap(Object.values)) if (Number.isSafeInteger(bound)) bounds.add(bound);
      return refusals.length === 0;
    } catch {
      // A refinement that throws on an almost empty record. The real record is checked later.
      return true;
    }
  };
  const accepted = values.filter(isAccepted);
  const near = typeof values[0] === "number" ? [...bounds].flatMap((bound) => [bound - 1, bound, bound + 1]) : [];
  return [...accepted, ...near.filter(isAccepted)];
}

/** The field at which an issue's path begins. */
export function keyOf(part: PropertyKey | { readonly key: PropertyKey } | undefined): PropertyKey | undefined {
  return typeof part === "object" ? part.key : part;
}
