/** Edits by field: patches touch top-level members, `null` is a value, and removing is said apart. */
import { deepEqual, type Json, type JsonObject, jsonFault, toJson } from "../shared/json.ts";

/** A patch as the application writes it: `undefined` removes the field. */
export type LoosePatch = Readonly<Record<string, Json | undefined>>;
/** A patch as it is stored and sent: JSON has no `undefined`. */
export interface WirePatch {
  readonly patch: JsonObject;
  /** Names of the members to remove. */
  readonly unset: readonly string[];
}

/** The patch as it is now: its caller may go on with the object at once. What is no JSON stays, for {@link jsonFault} to refuse. */
export function copyPatch(loose: LoosePatch): LoosePatch {
  const copied = ([name, value]: [string, Json | undefined]) => [name, jsonFault(value) ? value : toJson(value)];
  return Object.fromEntries(Object.entries(loose).map(copied));
}

/** The data with the patch's members in place of its own, and without those of `unset`. */
export function applyPatch(data: JsonObject, patch: JsonObject, unset: readonly string[] = []): JsonObject {
  // Spread defines members and never calls the setter of `__proto__`, which `Object.assign` would.
  const patched: Record<string, Json> = { ...data, ...patch };
  for (const name of unset) delete patched[name];
  return patched;
}

/** What to set and what to remove. */
export function splitPatch(loose: LoosePatch): WirePatch {
  const patch: Record<string, Json> = {};
  const unset: string[] = [];
  for (const [name, value] of Object.entries(loose)) {
    if (value === undefined) unset.push(name);
    else patch[name] = value;
  }
  return { patch, unset };
}

/**
 * The patch that leads from `before` to `after`: the members of `after` that differ. `undefined` in `after` removes;
 * what `after` does not name stays, because a form holds only some of the fields.
 *
 * @param excluded names no patch may carry: `id`, counters, what the server assigns
 */
export function changesBetween(before: JsonObject, after: LoosePatch, excluded: readonly string[] = []): LoosePatch {
  const changed = Object.keys(after).filter((name) => !excluded.includes(name) && differs(name, before, after));
  return Object.fromEntries(changed.map((name) => [name, after[name]]));
}

/** The same between two whole records: what `after` lacks was removed. */
export function wholeChanges(before: JsonObject, after: LoosePatch, excluded: readonly string[] = []): LoosePatch {
  const absent = Object.fromEntries(Object.keys(before).map((name) => [name, undefined]));
  return changesBetween(before, { ...absent, ...after }, excluded);
}

function differs(name: string, before: LoosePatch, after: LoosePatch): boolean {
  return !deepEqual(Object.hasOwn(before, name) ? before[name] : undefined, after[name]);
}
