/**
 * Counter fields: values that only grow and shrink by steps. Adding commutes, so increments of many tills are never in
 * conflict. Safe integers, or decimal strings where integers of the smallest unit won't do.
 */
import { isCounterStep } from "../shared/counter-step.ts";
import type { Json, JsonObject } from "../shared/json.ts";
import type { ResolvedCollection } from "./resolved.ts";

export type CounterValue = number | string;
export type CounterSteps = Readonly<Record<string, CounterValue>>;

// Sums may grow beyond one step, and are bounded too: they are exact by BigInt, whose cost grows with the digits.
const DECIMAL_SUM = /^-?\d{1,40}(?:\.\d{1,9})?$/;

function isCounterValue(value: CounterValue): boolean {
  return typeof value === "number" ? Number.isSafeInteger(value) : DECIMAL_SUM.test(value);
}

/**
 * The exact sum: a number of two numbers, else a decimal string with the larger scale of the two (`"1.5" + "0.25"` is
 * `"1.75"`, `"1.50" + "0.50"` is `"2.00"`). `undefined` where a value can't be counted with or the sum would not be
 * a safe integer, or have more than 40 + 9 digits: a rounded stock is a wrong stock, and the caller knows whom to tell.
 */
export function addCounter(a: CounterValue, b: CounterValue): CounterValue | undefined {
  if (!isCounterValue(a) || !isCounterValue(b)) return undefined;
  // `+ 0` makes -0, which JSON does not have, a 0.
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

/** The counters taken out of what a `create` was given: on the wire they travel as an increment of their own. */
export function splitCounters(
  counters: readonly string[],
  data: JsonObject,
): { readonly data: JsonObject; readonly by: CounterSteps } {
  const rest: Record<string, Json> = { ...data };
  const by: Record<string, CounterValue> = {};
  for (const field of counters) {
    const value = data[field];
    delete rest[field];
    // Zero is the absence of steps: nothing needs to travel for it.
    if (isCounterStep(value) && /[1-9]/.test(`${value}`)) by[field] = value;
  }
  return { data: rest, by };
}

/** The record with every counter at zero: what a server holds against the schema when a `create` comes without counters. */
export function zeroCounters(resolved: ResolvedCollection, data: JsonObject): JsonObject {
  let zeros = knownZeros.get(resolved);
  if (zeros === undefined) {
    zeros = Object.fromEntries(resolved.counters.map((field) => [field, zeroOf(resolved, field)]));
    knownZeros.set(resolved, zeros);
  }
  return { ...data, ...zeros };
}

// The answer never changes for a definition, and a schema takes microseconds to find fault.
const knownZeros = /* @__PURE__ */ new WeakMap<ResolvedCollection, CounterSteps>();

/**
 * `0`, or `"0"` where the schema wants a decimal string there. Only the schema knows which, so it is asked; the other
 * findings about so empty a record don't matter.
 */
function zeroOf(resolved: ResolvedCollection, field: string): CounterValue {
  try {
    const result = resolved.schema["~standard"].validate({ id: "0", [field]: 0 });
    if ("then" in result) {
      // `validateRecord` says `schema_async`; this promise must not end as an unhandled rejection.
      result.then(undefined, () => {});
      return 0;
    }
    const refused = "issues" in result && result.issues?.some(({ path }) => keyOf(path?.[0]) === field);
    return refused === true ? "0" : 0;
  } catch {
    // A refinement that trips over an empty record. The real record is judged later, and loudly.
    return 0;
  }
}

function keyOf(part: PropertyKey | { readonly key: PropertyKey } | undefined): PropertyKey | undefined {
  return typeof part === "object" ? part.key : part;
}
