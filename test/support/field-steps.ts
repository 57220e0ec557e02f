/**
 * Steps between schema versions, drawn at random: each renames some fields, rescales some, and adds one with a default.
 * The steps are written as apps write them, for whole records.
 */

import fc from "fast-check";
import { defineCollection } from "tillsync/schema";
import * as z from "zod";
import { type ResolvedCollection, resolvedOf } from "../../src/schema/resolved.ts";

/** The fields of version 1. All of them hold integers, and all are optional. */
export const FIELDS = ["a", "b", "c"] as const;

export interface FieldStep {
  /** The old name of each renamed field, and its new one. */
  readonly renamed: Readonly<Record<string, string>>;
  /** By what each rescaled field is multiplied, by its old name. */
  readonly scaled: Readonly<Record<string, number>>;
  /** A field that is new, and its default; `undefined` for none. */
  readonly added: readonly [name: string, value: number] | undefined;
}

/** One to three steps from version 1. */
export const fieldSteps: fc.Arbitrary<readonly FieldStep[]> = fc
  .array(
    fc.tuple(
      fc.tuple(...FIELDS.map(() => fc.boolean())),
      fc.tuple(...FIELDS.map(() => fc.constantFrom(1, 10, 100))),
      fc.boolean(),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((drawn) => {
    let names: readonly string[] = FIELDS;
    return drawn.map(([isRenamed, factors, adds], at): FieldStep => {
      const step: FieldStep = {
        renamed: Object.fromEntries(names.flatMap((name, i) => (isRenamed[i] ? [[name, `${name}${at + 2}`]] : []))),
        scaled: Object.fromEntries(names.flatMap((name, i) => (factors[i] === 1 ? [] : [[name, factors[i] ?? 1]]))),
        added: adds ? [`new${at + 2}`, at] : undefined,
      };
      names = names.map((name) => step.renamed[name] ?? name);
      return step;
    });
  });

/** What the steps make of a field of version 1. */
export function raisedField(steps: readonly FieldStep[], name: string, value: number): readonly [string, number] {
  let raised: readonly [string, number] = [name, value];
  for (const { renamed, scaled } of steps) {
    const [old, number] = raised;
    raised = [renamed[old] ?? old, number * (scaled[old] ?? 1)];
  }
  return raised;
}

/** A collection with these steps. */
export function collectionOf(steps: readonly FieldStep[]): {
  readonly name: string;
  readonly resolved: ResolvedCollection;
} {
  const upcast = Object.fromEntries(
    steps.map((step, at) => [at + 1, (data: Record<string, unknown>) => run(step, data)]),
  );
  const definition = defineCollection({ schema: z.looseObject({}), schemaVersion: steps.length + 1, upcast });
  return { name: "products", resolved: resolvedOf(definition) };
}

/** As an app writes it: no look at whether a field is there, so an absent one is multiplied to NaN. */
function run({ renamed, scaled, added }: FieldStep, data: Record<string, unknown>): Record<string, unknown> {
  const next: Record<string, unknown> = { ...data };
  for (const [name, factor] of Object.entries(scaled)) next[name] = (data[name] as number) * factor;
  for (const [from, to] of Object.entries(renamed)) {
    next[to] = next[from];
    delete next[from];
  }
  if (added !== undefined) next[added[0]] ??= added[1];
  return Object.fromEntries(Object.entries(next).filter(([, value]) => !Number.isNaN(value)));
}
