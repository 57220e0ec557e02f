/** Edits by field: a patch sets top-level members, `null` is a value, and members to remove are named separately. */
import { deepEqual, type Json, type JsonObject, jsonFault, toJson } from "../shared/json.ts";

/** A patch as the application writes it: `undefined` removes the field. */
export type LoosePatch = Readonly<Record<string, Json | undefined>>;
/** A patch as it is stored and sent: JSON has no `undefined`. */
export interface WirePatch {
  readonly patch: JsonObject;
  /** Names of the members to remove. */
  readonly unset: readonly string[];
}

/**
 * Copies the patch, since its caller may change the object afterwards. A value that is no JSON is not copied: {@link
 * jsonFault} will refuse it.
 */
export function copyPatch(loose: LoosePatch): LoosePatch {
  const copied = ([name, value]: [string, Json | undefined]) => [name, jsonFault(value) ? value : toJson(value)];
  return Object.fromEntries(Object.entries(loose).map(copied));
}

/** The data with the members of the patch, and without those that `unset` names. */
export function applyPatch(data: JsonObject, patch: JsonObject, unset: readonly string[] = []): JsonObject {
  // Spread defines members and never calls the setter of `__proto__`, which `Object.assign` would.
  const patched: Record<string, Json> = { ...data, ...patch };
  for (const name of unset) delete patched[name];
  return patched;
}

/** The members of `data` with these names; those that it does not have are left out. */
export function pick(data: JsonObject | null | undefined, names: readonly string[]): JsonObject {
  const picked: Record<string, Json> = {};
  for (const name of names) {
    const value = data?.[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** Separates what to set from what to remove. */
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
 * The patch that turns `before` into `after`: the members of `after` that differ. A member that is `undefined` in
 * `after` is removed; one that `after` doesn't have stays, because a form has only some of the fields.
 *
 * @param excluded names that no patch may have: `id`, counters, server-assigned fields
 */
export function changesBetween(before: JsonObject, after: LoosePatch, excluded: readonly string[] = []): LoosePatch {
  const changed = Object.keys(after).filter((name) => !excluded.includes(name) && differs(name, before, after));
  return Object.fromEntries(changed.map((name) => [name, after[name]]));
}

/** The same for two whole records: a member that `after` doesn't have is removed. */
export function wholeChanges(before: JsonObject, after: LoosePatch, excluded: readonly string[] = []): LoosePatch {
  const absent = Object.fromEntries(Object.keys(before).map((name) => [name, undefined]));
  return changesBetween(before, { ...absent, ...after }, excluded);
}

function differs(name: string, before: LoosePatch, after: LoosePatch): boolean {
  return !deepEqual(Object.hasOwn(before, name) ? before[name] : undefined, after[name]);
}
