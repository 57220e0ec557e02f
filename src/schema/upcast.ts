/**
 * Raises data of older schema versions to the current one: whole records, and edits [H7].
 *
 * An edit has only some fields, and a step is written for whole records. So the step runs on a record with the edit and
 * without it, and what differs is the edit in the next version: a step that turns euros into cents turns `{ price: 3 }`
 * into `{ price: 300 }`, and a default that it fills in is no edit.
 */
import { assert } from "../shared/assert.ts";
import { messageOf, TillSyncError } from "../shared/errors.ts";
import { deepEqual, faultText, isPlainObject, type Json, type JsonObject, jsonFault, toJson } from "../shared/json.ts";
import { zeroCounters } from "./counters.ts";
import { applyPatch, type LoosePatch, pick, splitPatch, type WirePatch } from "./patch.ts";
import type { ResolvedCollection, UpcastStep } from "./resolved.ts";
import type { UpcastFunction } from "./types.ts";

/**
 * An edit. `before`: the values that its fields had, if they are known. A field that the record did not have is not in
 * it.
 */
export interface FieldEdit extends WirePatch {
  readonly before?: JsonObject | undefined;
}

/** What a step returned: its values need not be JSON. */
type Raised = Readonly<Record<string, unknown>>;

/**
 * Runs every step from version `from` up to the collection's own. The steps get a copy, so a step that edits its
 * argument can't change what is stored.
 *
 * @param data without `id` and counters: neither is a step's to change
 * @param from 1 to `resolved.schemaVersion`; the caller must keep newer records aside
 * @throws TillSyncError `validation_failed` if a step throws, or returns anything but a plain JSON object
 */
export function upcastData(name: string, resolved: ResolvedCollection, from: number, data: JsonObject): JsonObject {
  let current = data;
  for (const [version, step] of stepsFrom(name, resolved, from)) {
    const returned = run(name, version, step.record, current);
    const fault = jsonFault(returned, { allowUndefined: true });
    if (fault !== undefined) throw failed(name, version, `it returned ${faultText(fault)}`);
    current = toJson(returned) as JsonObject;
  }
  return current;
}

/**
 * The same for a row as a till has it, with its counters. They belong to the row and not to its data, so no step sees
 * them; one that is new counts from zero.
 */
export function upcastRow(name: string, resolved: ResolvedCollection, from: number, row: JsonObject): JsonObject {
  if (from === resolved.schemaVersion) return row;
  const { counters } = resolved;
  const data = upcastData(
    name,
    resolved,
    from,
    Object.fromEntries(Object.entries(row).filter(([field]) => !counters.includes(field))),
  );
  return counters.length === 0 ? data : { ...zeroCounters(resolved, data), ...pick(row, counters) };
}

/**
 * The same for an edit.
 *
 * @param record the record that is edited, without `id` and counters. Best is the record of version `from`. A newer one
 * serves too, because what it has or lacks is the same with and without the edit. `{}` if there is none.
 * @throws TillSyncError `validation_failed` if a step fails, or if it leaves nothing of the edit
 */
export function upcastEdit(
  name: string,
  resolved: ResolvedCollection,
  from: number,
  edit: FieldEdit,
  record: JsonObject,
): FieldEdit {
  if (edit.before !== undefined)
    return raise(name, resolved, from, edit, applyPatch(record, edit.before, absentBefore(edit)));
  // What is removed was there. A record that stands in for the old one may not have it, or not under that name.
  const gone = edit.unset.filter((field) => !Object.hasOwn(record, field));
  if (gone.length === 0) return raise(name, resolved, from, edit, record);
  let error: unknown;
  for (const value of STAND_INS) {
    try {
      const values = Object.fromEntries(gone.map((field) => [field, value]));
      return raise(name, resolved, from, edit, { ...record, ...values });
    } catch (caught) {
      error ??= caught;
    }
  }
  throw error;
}

/** Values of which at least one is accepted by steps that take a text, a number, a list or an object. */
const STAND_INS: readonly Json[] = ["", [], {}];

function raise(
  name: string,
  resolved: ResolvedCollection,
  from: number,
  edit: FieldEdit,
  record: JsonObject,
): FieldEdit {
  let raised = edit;
  let plain = record;
  for (const [version, step] of stepsFrom(name, resolved, from)) {
    const after = step.patch === undefined ? run(name, version, step.record, plain) : attempt(step.record, plain);
    const next =
      step.patch === undefined
        ? difference(raised, plain, after, (data) => run(name, version, step.record, data))
        : splitJson(run(name, version, step.patch, looseOf(raised)));
    const isChange = !deepEqual(plain, applyPatch(plain, raised.patch, raised.unset));
    if (next === undefined || (namesOf(next).length === 0 && isChange))
      throw failed(name, version, `it leaves nothing of an edit of \`${namesOf(raised).join("`, `")}\``);
    plain = onlyJson(after);
    raised = edit.before === undefined ? next : { ...next, before: pick(plain, namesOf(next)) };
  }
  return raised;
}

/** The fields of an edit that the record did not have before it. */
export function absentBefore({ patch, unset, before = {} }: FieldEdit): readonly string[] {
  return [...Object.keys(patch), ...unset].filter((name) => !Object.hasOwn(before, name));
}

function* stepsFrom(
  name: string,
  resolved: ResolvedCollection,
  from: number,
): Generator<readonly [version: number, step: UpcastStep]> {
  const { schemaVersion } = resolved;
  assert(from >= 1 && from <= schemaVersion, `data of version ${from} met \`${name}\` ${schemaVersion}`);
  for (let version = from; version < schemaVersion; version++) {
    const step = resolved.upcast[version];
    assert(step !== undefined, `\`${name}\` has no step from version ${version}`);
    yield [version, step];
  }
}

/**
 * What the edit changes in the next version: the fields that differ if the step gets the record with the edit, and those
 * that the edit names and the next version has. `undefined` if the edit's value is no JSON there. `after`: what the step
 * makes of `plain`, the record without the edit.
 */
function difference(
  { patch, unset }: FieldEdit,
  plain: JsonObject,
  after: Raised,
  step: (data: JsonObject) => Raised,
): WirePatch | undefined {
  const set: Record<string, Json> = {};
  const removed = new Set<string>();
  const without = unset.length === 0 ? after : step(applyPatch(plain, {}, unset));
  for (const [name, value] of changes(after, without)) {
    if (value === NO_JSON) return undefined;
    // A value that the step only passes on is one that a newer record has, and the old one had not.
    if (value === undefined || deepEqual(value, plain[name])) removed.add(name);
    else set[name] = value;
  }
  const edited = Object.keys(patch).length === 0 ? after : step(applyPatch(plain, patch));
  for (const [name, value] of changes(withoutEqual(patch, plain, step) ?? after, edited, patch)) {
    if (value === NO_JSON) return undefined;
    if (value === undefined) removed.add(name);
    else set[name] = value;
  }
  return { patch: set, unset: [...removed].filter((name) => !Object.hasOwn(set, name)) };
}

/**
 * What the step makes of a record that has nothing of the edit yet. An edit to the value that is there already is an
 * edit too: it meets the conflict of whoever wrote that value. `undefined` if there is no such field, or if the step
 * needs it.
 */
function withoutEqual(patch: JsonObject, plain: JsonObject, step: (data: JsonObject) => Raised): Raised | undefined {
  const equal = Object.keys(patch).filter((name) => Object.hasOwn(plain, name) && deepEqual(plain[name], patch[name]));
  if (equal.length === 0) return undefined;
  try {
    return step(applyPatch(plain, {}, equal));
  } catch {
    return undefined;
  }
}

/**
 * The fields whose values differ, and those of `named`, with their values in `edited`. A step may compute nonsense from
 * fields that a record does not have: that is in both, and counts as no difference.
 */
function changes(
  before: Raised,
  edited: Raised,
  named: JsonObject = {},
): readonly (readonly [name: string, value: Json | undefined | typeof NO_JSON])[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(edited)])];
  const values = names.map((name) => [name, jsonIn(before, name), jsonIn(edited, name)] as const);
  return values.flatMap(([name, from, to]) => {
    const isSame = from === NO_JSON || to === NO_JSON ? from === to : deepEqual(from, to);
    return isSame && !(to !== undefined && Object.hasOwn(named, name)) ? [] : [[name, to] as const];
  });
}

const NO_JSON: unique symbol = Symbol("no JSON");

function jsonIn(record: Raised, name: string): Json | undefined | typeof NO_JSON {
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  if (value === undefined) return undefined;
  return jsonFault(value) === undefined ? toJson(value) : NO_JSON;
}

function onlyJson(record: Raised): JsonObject {
  const entries = Object.keys(record).map((name) => [name, jsonIn(record, name)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== NO_JSON)) as JsonObject;
}

/** The edit as a step for patches gets it: `undefined` removes a field. */
function looseOf({ patch, unset }: WirePatch): LoosePatch {
  return { ...patch, ...Object.fromEntries(unset.map((name) => [name, undefined])) };
}

function splitJson(loose: Raised): WirePatch | undefined {
  return jsonFault(loose, { allowUndefined: true }) === undefined ? splitPatch(toLoose(loose)) : undefined;
}

const toLoose = (loose: Raised): LoosePatch =>
  Object.fromEntries(Object.entries(loose).map(([name, value]) => [name, value === undefined ? value : toJson(value)]));

const namesOf = ({ patch, unset }: WirePatch): readonly string[] => [...Object.keys(patch), ...unset];

/** A step that takes patches need not bear the record that stands in for the old one. */
function attempt(step: UpcastFunction, data: JsonObject): Raised {
  try {
    return step(toLoose(data));
  } catch {
    return data;
  }
}

function run(name: string, version: number, step: UpcastFunction, data: LoosePatch): Raised {
  let returned: unknown;
  try {
    returned = step(toLoose(data));
  } catch (cause) {
    throw failed(name, version, messageOf(cause), { cause });
  }
  if (!isPlainObject(returned)) throw failed(name, version, "it returned no object");
  return returned;
}

function failed(name: string, version: number, what: string, options?: { cause: unknown }): TillSyncError {
  const next = version + 1;
  const message = `Expected the step \`upcast[${version}]\` of \`${name}\` to return the record in version ${next}: ${what}.`;
  return new TillSyncError(
    "validation_failed",
    message,
    { collection: name, id: undefined, issues: [{ message }] },
    options,
  );
}
