/** The view of a row: the base with this device's open operations replayed on it (L8). Pure. */

import { addCounter } from "../../schema/counters.ts";
import { applyPatch, pick } from "../../schema/patch.ts";
import { assert } from "../../shared/assert.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";

/** The members of an operation that a replay needs. */
export type Edit = Pick<StoredOperation, "action" | "data" | "zeros" | "patch" | "unset">;
/** The sum of several increments, by counter. */
export type Delta = Readonly<Record<string, CounterValue>>;

/**
 * Replays `edits`, given in replay order, and adds `delta`. Returns `undefined` if the record does not exist for this
 * device now.
 */
export function replay(
  base: JsonObject | null,
  edits: readonly Edit[],
  delta: Delta | undefined,
  counters: readonly string[],
): JsonObject | undefined {
  let view = base ?? undefined;
  for (const edit of edits) view = applyEdit(view, edit, base, counters);
  return view === undefined || delta === undefined ? view : { ...view, ...addDelta(view, delta) };
}

function applyEdit(
  view: JsonObject | undefined,
  edit: Edit,
  base: JsonObject | null,
  counters: readonly string[],
): JsonObject | undefined {
  switch (edit.action) {
    case "create":
      // Counters belong to (collection, id), not to one life of the row [H4]: a create takes over those that are there.
      return { ...edit.data, ...edit.zeros, ...pick(base, counters) };
    case "update":
      return view && applyPatch(view, edit.patch ?? {}, edit.unset);
    case "delete":
      return undefined;
    default:
      return view;
  }
}

/**
 * The counters of `data` with the steps added, as they are shown. No till knows what the server will make of a sum that
 * can't be counted: it shows the last value that can be, and goes on selling.
 */
export function addDelta(data: JsonObject, delta: Delta): Delta {
  const sums: Record<string, CounterValue> = {};
  for (const [name, step] of Object.entries(delta)) {
    const value = data[name];
    const before = typeof value === "number" || typeof value === "string" ? value : undefined;
    sums[name] = before === undefined ? step : shownSum(before, step);
  }
  return sums;
}

function shownSum(value: CounterValue, step: CounterValue): CounterValue {
  const total = addCounter(value, step);
  // The sum of the open steps of an integer is a text if it is too large for a number.
  if (typeof value === "string") return total ?? value;
  return total === undefined ? nearestInteger(value + Number(step)) : nearestInteger(Number(total));
}

function nearestInteger(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

/**
 * Adds the steps to a delta, or takes them off it. A counter whose sum is zero is left out; returns `undefined` if none
 * is left.
 */
export function mergeDelta(delta: Delta | undefined, steps: Delta, sign: 1 | -1): Delta | undefined {
  const merged: Record<string, CounterValue> = { ...delta };
  for (const [name, step] of Object.entries(steps)) {
    const total = exactSum(merged[name] ?? zeroLike(step), sign === 1 ? step : negate(step));
    if (Number(total) === 0) delete merged[name];
    else merged[name] = typeof step === "number" && Number.isSafeInteger(Number(total)) ? Number(total) : total;
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** As a decimal string if two integers make more than a number holds: each step is taken off again, one day. */
function exactSum(a: CounterValue, b: CounterValue): CounterValue {
  const total = addCounter(a, b) ?? addCounter(`${a}`, `${b}`);
  assert(total !== undefined, "the open steps of a counter have more than 40 digits");
  return total;
}

const zeroLike = (step: CounterValue): CounterValue => (typeof step === "string" ? "0" : 0);

function negate(step: CounterValue): CounterValue {
  if (typeof step === "number") return -step;
  return step.startsWith("-") ? step.slice(1) : `-${step}`;
}
