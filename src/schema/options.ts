/**
 * From the options of `defineCollection` to their resolved form. Everything that can be said about them without the other
 * collections is said here, at definition: JavaScript callers and `as any` get past the compiler. (schema)
 */

import { invalidOption } from "../shared/errors.ts";
import { resolveIndexes } from "./index-options.ts";
import { resolveReferences } from "./references.ts";
import type { ResolvedCollection, Upcast } from "./resolved.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";

const OPTION_NAMES = [
  "kind",
  "schema",
  "indexes",
  "search",
  "counters",
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
  const assigned = fieldNames("assigned", raw.assigned);
  if (kind === "fact") refuseEdits(raw);
  const both = counters.find((field) => assigned.includes(field));
  if (both !== undefined) {
    throw invalidOption(
      "assigned",
      "without counters",
      both,
      "A counter belongs to `increment`: leave it out of `assigned`.",
    );
  }
  const schemaVersion = resolveVersion(raw.schemaVersion ?? 1);
  return {
    kind,
    schemaVersion,
    schema: resolveSchema(raw.schema),
    indexes: resolveIndexes(raw.indexes),
    counters,
    assigned,
    references: resolveReferences(raw.references),
    search: fieldNames("search", raw.search),
    priority: oneOf("priority", raw.priority ?? (kind === "fact" ? "high" : "normal"), ["high", "normal", "low"]),
    conflict: resolveConflict(raw.conflict),
    upcast: resolveUpcast(raw.upcast, schemaVersion),
  };
}

function optionsObject(options: unknown): RawOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalidOption("options", "an object", options, "Write `defineCollection({ schema: z.object({ … }) })`.");
  }
  for (const [name, value] of Object.entries(options)) {
    if ((OPTION_NAMES as readonly string[]).includes(name)) continue;
    throw invalidOption(
      name,
      "left out, because `defineCollection` has no such option",
      value,
      `Its options are ${OPTION_NAMES.join(", ")}.`,
    );
  }
  return options;
}

function oneOf<const T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((literal) => literal === value);
  if (found !== undefined) return found;
  const literals = allowed.map((literal) => `"${literal}"`).join(" or ");
  throw invalidOption(option, literals, value, "Leave it out for the default.");
}

function resolveSchema(schema: unknown): StandardSchemaV1 {
  // A schema of arktype is a function.
  if ((typeof schema === "object" && schema !== null) || typeof schema === "function") {
    const standard = (schema as Partial<StandardSchemaV1>)["~standard"];
    if (standard?.version === 1 && typeof standard.validate === "function") return schema as StandardSchemaV1;
  }
  throw invalidOption(
    "schema",
    "a Standard Schema (version 1)",
    schema,
    "Write one with zod (3.24 or later), valibot or arktype.",
  );
}

function fieldNames(option: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value))
    throw invalidOption(option, "an array of field names", value, `Write \`${option}: ["field"]\`.`);
  const names: string[] = [];
  for (const name of value) {
    if (typeof name !== "string" || name === "") {
      throw invalidOption(
        option,
        "an array of field names",
        name,
        "Each of them is the name of a field at the top of the record.",
      );
    }
    if (name === "id")
      throw invalidOption(option, "without `id`", name, "An id is given at creation and never changes.");
    if (names.includes(name)) throw invalidOption(option, "free of repetitions", name, "Name each field once.");
    names.push(name);
  }
  return Object.freeze(names);
}

function refuseEdits(raw: RawOptions): void {
  for (const option of ["counters", "conflict"] as const) {
    const value = raw[option];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    throw invalidOption(
      option,
      "left out for a fact, which never changes",
      value,
      'Leave it out, or make the collection `kind: "record"`.',
    );
  }
}

function resolveConflict(conflict: unknown): ResolvedCollection["conflict"] {
  if (conflict === undefined || typeof conflict === "function") return conflict as ResolvedCollection["conflict"];
  throw invalidOption(
    "conflict",
    "a function",
    conflict,
    'Take one from "tillsync/conflict", e.g. `mergeFields({ price: "server" })`.',
  );
}

function resolveVersion(version: unknown): number {
  if (typeof version === "number" && Number.isSafeInteger(version) && version >= 1) return version;
  throw invalidOption(
    "schemaVersion",
    "a positive integer",
    version,
    "Start at 1, and raise it by one with each change that old records don't pass.",
  );
}

function resolveUpcast(upcast: unknown, schemaVersion: number): ResolvedCollection["upcast"] {
  if (upcast !== undefined && (typeof upcast !== "object" || upcast === null)) {
    throw invalidOption("upcast", "an object of functions", upcast, "Write `upcast: { 1: (data) => ({ ...data }) }`.");
  }
  const given = (upcast ?? {}) as Readonly<Record<string, unknown>>;
  const steps: Record<number, Upcast> = Object.create(null);
  for (let from = 1; from < schemaVersion; from++) {
    const step = given[from];
    if (typeof step !== "function") {
      const hint = `Records of version ${from} may be on a till: say how they become version ${from + 1}.`;
      throw invalidOption(`upcast[${from}]`, `a function, because \`schemaVersion\` is ${schemaVersion}`, step, hint);
    }
    steps[from] = step as Upcast;
  }
  const extra = Object.keys(given).find((from) => !Object.hasOwn(steps, from));
  if (extra !== undefined) {
    const hint = `It would never run: steps lead from 1 up to \`schemaVersion\`, which is ${schemaVersion}. Raise \`schemaVersion\`?`;
    throw invalidOption(`upcast[${extra}]`, "left out", given[extra], hint);
  }
  return Object.freeze(steps);
}
