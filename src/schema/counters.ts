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

function isCounterValue(value: CounterValue): boolean {
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

/** The record with every counter at zero: what a server checks against the schema, as a `create` has no counters. */
export function zeroCounters(resolved: ResolvedCollection, data: JsonObject): JsonObject {
  let zeros = knownZeros.get(resolved);
  if (zeros === undefined) {
    zeros = Object.fromEntries(resolved.counters.map((field) => [field, zeroOf(resolved, field)]));
    knownZeros.set(resolved, zeros);
  }
  return { ...data, ...zeros };
}

// The zeros of a definition never change, and a schema takes microseconds to refuse a record.
const knownZeros = /* @__PURE__ */ new WeakMap<ResolvedCollection, CounterSteps>();

/**
 * `0`, or `"0"` if the schema requires a decimal string. Only the schema knows which, so it checks a record that has
 * only this field; what else it says about such a record doesn't matter.
 */
function zeroOf(resolved: ResolvedCollection, field: string): CounterValue {
  try {
    const result = resolved.schema["~standard"].validate({ id: "0", [field]: 0 });
    if ("then" in result) {
      // `validateRecord` throws `schema_async` for it; this promise must not become an unhandled rejection.
      result.then(undefined, () => {});
      return 0;
    }
    const refused = "issues" in result && result.issues?.some(({ path }) => keyOf(path?.[0]) === field);
    return refused === true ? "0" : 0;
  } catch {
    // A refinement that throws on an almost empty record. The real record is checked later.
    return 0;
  }
}

function keyOf(part: PropertyKey | { readonly key: PropertyKey } | undefined): PropertyKey | undefined {
  return typeof part === "object" ? part.key : part;
}
