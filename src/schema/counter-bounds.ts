/** The bounds of a counter: of one step, which a till can check, and of the sum, which only the server knows. */
import { type CounterValue, isCounterStep } from "../shared/counter-step.ts";
import { expectOption } from "../shared/errors.ts";
import { isPlainObject } from "../shared/json.ts";
import { addCounter, compareCounters, isCounterValue } from "./counters.ts";
import type { ResolvedCollection } from "./resolved.ts";
import type { SchemaOutput, StandardSchemaV1 } from "./standard-schema.ts";
import type { At, CounterBounds, CounterStep } from "./types.ts";

/** The option `counterBounds`: bounds by the name of a counter. */
export type CounterBoundsByName<S extends StandardSchemaV1, N extends string> = [N] extends [never]
  ? NoSuchCounter
  : { readonly [P in N]?: CounterBounds<CounterStep<At<SchemaOutput<S>, P>>> | undefined };

/** The message of the compiler for bounds without counters: see types.ts. */
export interface NoSuchCounter {
  readonly "~never": never;
}

/** Large enough that no honest step reaches it, and small enough that no few steps fill a counter. */
const MAX_STEP = 1_000_000_000;

const MEMBERS = ["maxStep", "min", "max"] as const;

/** @throws TillSyncError `invalid_option` */
export function resolveCounterBounds(
  bounds: unknown = {},
  counters: readonly string[],
): ResolvedCollection["counterBounds"] {
  const hint = "Write `counterBounds: { stock: { maxStep: 1_000, min: -1_000_000, max: 1_000_000 } }`.";
  expectOption(isPlainObject(bounds), "counterBounds", "an object of bounds by counter", bounds, hint);
  const resolved: Record<string, CounterBounds> = Object.create(null);
  for (const [name, value] of Object.entries(bounds)) {
    const option = `counterBounds.${name}`;
    const isNamed = counters.includes(name);
    expectOption(isNamed || value === undefined, option, "left out", value, "Name the counter in `counters` too.");
    if (value !== undefined) resolved[name] = resolveOne(option, value, hint);
  }
  return Object.freeze(resolved);
}

function resolveOne(option: string, bounds: unknown, hint: string): CounterBounds {
  expectOption(isPlainObject(bounds), option, "an object", bounds, hint);
  for (const name of Object.keys(bounds))
    expectOption(
      (MEMBERS as readonly string[]).includes(name),
      `${option}.${name}`,
      "left out",
      bounds[name],
      `The bounds are ${MEMBERS.join(", ")}.`,
    );
  const { maxStep, min, max } = bounds as { readonly [K in (typeof MEMBERS)[number]]?: unknown };
  expectOption(
    maxStep === undefined || (isCounterStep(maxStep) && compareCounters(maxStep, 0) > 0),
    `${option}.maxStep`,
    "a positive integer, or a positive decimal string",
    maxStep,
    "It bounds a step in both directions.",
  );
  const fromZero = "A counter counts from zero, which must be within its bounds.";
  expectOption(
    min === undefined || (isBound(min) && compareCounters(min, 0) <= 0),
    `${option}.min`,
    "an integer or a decimal string, not above zero",
    min,
    fromZero,
  );
  expectOption(
    max === undefined || (isBound(max) && compareCounters(max, 0) >= 0),
    `${option}.max`,
    "an integer or a decimal string, not below zero",
    max,
    fromZero,
  );
  return Object.freeze({ maxStep, min, max } as CounterBounds);
}

function isBound(value: unknown): value is CounterValue {
  return (typeof value === "number" || typeof value === "string") && isCounterValue(value);
}

/** The largest step of the counter, up or down. */
export function maxStepOf(resolved: Pick<ResolvedCollection, "counterBounds">, counter: string): CounterValue {
  return resolved.counterBounds[counter]?.maxStep ?? MAX_STEP;
}

/** Whether the step is larger than any of this counter may be. */
export function isBeyondMaxStep(
  resolved: Pick<ResolvedCollection, "counterBounds">,
  counter: string,
  step: CounterValue,
): boolean {
  const most = maxStepOf(resolved, counter);
  const least = typeof most === "number" ? -most : `-${most}`;
  return compareCounters(step, most) > 0 || compareCounters(step, least) < 0;
}

/**
 * The counter's value after the step; `undefined` if that can't be counted exactly, or lies beyond a bound. A value that
 * is beyond one already, by an import or because the bound is new, may come nearer: otherwise it could never return.
 */
export function addWithinBounds(
  resolved: Pick<ResolvedCollection, "counterBounds">,
  counter: string,
  value: CounterValue,
  step: CounterValue,
): CounterValue | undefined {
  const sum = addCounter(value, step);
  if (sum === undefined) return undefined;
  const { min, max } = resolved.counterBounds[counter] ?? {};
  const direction = compareCounters(step, 0);
  const isAbove = direction > 0 && max !== undefined && compareCounters(sum, max) > 0;
  const isBelow = direction < 0 && min !== undefined && compareCounters(sum, min) < 0;
  return isAbove || isBelow ? undefined : sum;
}
