/**
 * Checks and resolves the options of `defineCollection`. Everything that can be checked without the other collections
 * is checked here: JavaScript callers and `as any` get past the compiler.
 */
import { expectOption } from "../shared/errors.ts";
import { isPlainObject } from "../shared/json.ts";
import { resolveCounterBounds } from "./counter-bounds.ts";
import { isField, resolveIndexes } from "./index-options.ts";
import { resolveReferences } from "./references.ts";
import type { ResolvedCollection, UpcastStep } from "./resolved.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";

const OPTION_NAMES = [
  "kind",
  "schema",
  "indexes",
  "search",
  "counters",
  "counterBounds",
  "assigned",
  "references",
  "priority",
  "conflict",
  "schemaVersion",
  "upcast",
] as const;
type RawOptions = { readonly [K in (typeof OPTION_NAMES)[number]]?: unknown };

/** @throws TillSyncError `invalid_option` */
export function resolveOptions(options: unknown): ResolvedCollection {
  const raw = optionsObject(options);
  const kind = oneOf("kind", raw.kind ?? "record", ["record", "fact"]);
  const counters = fieldNames("counters", raw.counters);
  const assigned = fieldNames("assigned", raw.assigned, counters);
  const { conflict, schemaVersion = 1 } = raw;
  expectOption(
    conflict === undefined || typeof conflict === "function",
    "conflict",
    "a function",
    conflict,
    'Take one from "tillsync/conflict".',
  );
  for (const [option, isSet] of Object.entries({ counters: counters[0], conflict }))
    expectOption(
      kind !== "fact" || !isSet,
      option,
      "left out for a fact, which never changes",
      isSet,
      "Or make it a record.",
    );
  expectOption(
    Number.isSafeInteger(schemaVersion) && (schemaVersion as number) >= 1,
    "schemaVersion",
    "a positive integer",
    schemaVersion,
    "Raise it by one when stored records would no longer pass the schema.",
  );
  return {
    kind,
    schemaVersion: schemaVersion as number,
    schema: resolveSchema(raw.schema),
    indexes: resolveIndexes(raw.indexes),
    counters,
    counterBounds: resolveCounterBounds(raw.counterBounds, counters),
    assigned,
    references: resolveReferences(raw.references),
    search: fieldNames("search", raw.search),
    priority: oneOf("priority", raw.priority ?? (kind === "fact" ? "high" : "normal"), ["high", "normal", "low"]),
    conflict: conflict as ResolvedCollection["conflict"],
    upcast: resolveUpcast(raw.upcast, schemaVersion as number),
  };
}

function optionsObject(options: unknown): RawOptions {
  expectOption(isPlainObject(options), "options", "an object", options, "Write `defineCollection({ schema })`.");
  for (const name of Object.keys(options)) {
    const isOption = (OPTION_NAMES as readonly string[]).includes(name);
    expectOption(isOption, name, "left out", options[name], `The options are ${OPTION_NAMES.join(", ")}.`);
  }
  return options;
}

function oneOf<const T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  const literals = allowed.map((literal) => `"${literal}"`).join(" or ");
  expectOption(allowed.includes(value as T), option, literals, value, "Leave it out for the default.");
  return value as T;
}

function resolveSchema(schema: unknown): StandardSchemaV1 {
  // Arktype's schemas are functions.
  const standard = (schema as Partial<StandardSchemaV1> | null | undefined)?.["~standard"];
  expectOption(
    standard?.version === 1 && typeof standard.validate === "function",
    "schema",
    "a Standard Schema (version 1)",
    schema,
    "Write one with zod (3.24 or later), valibot or arktype.",
  );
  return schema as StandardSchemaV1;
}

/** @param taken names that another option has already */
function fieldNames(option: string, value: unknown = [], taken: readonly string[] = []): readonly string[] {
  const expected = "an array of field names";
  expectOption(Array.isArray(value), option, expected, value, `Write \`${option}: ["field"]\`.`);
  const names: readonly unknown[] = [...value];
  const wrong = names.findIndex(
    (name, at) => !isField(name) || name === "id" || names.indexOf(name) !== at || taken.includes(name),
  );
  expectOption(
    wrong < 0,
    option,
    expected,
    names[wrong],
    "Name each field once, without `id` and without fields that another option names.",
  );
  return Object.freeze(names as string[]);
}

function resolveUpcast(upcast: unknown = {}, schemaVersion: number): ResolvedCollection["upcast"] {
  expectOption(
    isPlainObject(upcast),
    "upcast",
    "an object of functions",
    upcast,
    "Write `upcast: { 1: (data) => data }`.",
  );
  const steps: Record<number, UpcastStep> = Object.create(null);
  const hint = `\`schemaVersion\` is ${schemaVersion}: each version before it needs the step to the next.`;
  for (let from = 1; from < schemaVersion; from++) steps[from] = resolveStep(`upcast[${from}]`, upcast[from], hint);
  for (const from of Object.keys(upcast))
    expectOption(from in steps, `upcast[${from}]`, "left out", upcast[from], hint);
  return Object.freeze(steps);
}

function resolveStep(option: string, step: unknown, hint: string): UpcastStep {
  const { record, patch } = isPlainObject(step) ? step : { record: step, patch: undefined };
  expectOption(typeof record === "function", option, "a function, or `{ record, patch }`", step, hint);
  const isPatchStep = patch === undefined || typeof patch === "function";
  expectOption(isPatchStep, `${option}.patch`, "a function, or left out", patch, "It takes and returns a patch.");
  return Object.freeze({ record, patch } as UpcastStep);
}
