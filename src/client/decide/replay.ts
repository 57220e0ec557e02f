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

/** The counters of `data` with the steps added. */
export function addDelta(data: JsonObject, delta: Delta): Delta {
  const sums: Record<string, CounterValue> = {};
  for (const [name, step] of Object.entries(delta)) {
    const value = data[name];
    sums[name] = sum(
      (typeof value === "number" || typeof value === "string" ? value : undefined) ?? zeroLike(step),
      step,
    );
  }
  return sums;
}

/**
 * Adds the steps to a delta, or takes them off it. A counter whose sum is zero is left out; returns `undefined` if none
 * is left.
 */
export function mergeDelta(delta: Delta | undefined, steps: Delta, sign: 1 | -1): Delta | undefined {
  const merged: Record<string, CounterValue> = { ...delta };
  for (const [name, step] of Object.entries(steps)) {
    const total = sum(merged[name] ?? zeroLike(step), sign === 1 ? step : negate(step));
    if (Number(total) === 0) delete merged[name];
    else merged[name] = total;
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

function sum(a: CounterValue, b: CounterValue): CounterValue {
  const total = addCounter(a, b);
  assert(total !== undefined, "a counter left its bounds");
  return total;
}

const zeroLike = (step: CounterValue): CounterValue => (typeof step === "string" ? "0" : 0);

function negate(step: CounterValue): CounterValue {
  if (typeof step === "number") return -step;
  return step.startsWith("-") ? step.slice(1) : `-${step}`;
}
