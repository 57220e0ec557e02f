/**
 * Rows as they are stored, read and shown.
 *
 * Each field of a record carries the version of its last write and the incarnation that wrote it. An example, of a
 * product:
 *
 *   write                               version   fields afterwards
 *   till A creates { name, price }      10        id: [10, A]   name: [10, A]   price: [10, A]
 *   till B updates { price }            12        id: [10, A]   name: [10, A]   price: [12, B]
 *   till A deletes it                   15        id: [15, A]   name: [10, A]   price: [12, B]
 *
 * An edit conflicts if another incarnation has written one of its fields after the edit's `baseVersion`. Before the
 * deletion, an edit by till A that is based on version 10 conflicts in `price`, but not in `name`.
 */
import type { RowState, VerdictIssue } from "../../../protocol/types.ts";
import { addWithinBounds, isBeyondMaxStep, maxStepOf } from "../../../schema/counter-bounds.ts";
import { zeroCounters } from "../../../schema/counters.ts";
import type { SchemaIssue } from "../../../schema/standard-schema.ts";
import { upcastData } from "../../../schema/upcast.ts";
import { checkRecord } from "../../../schema/validate.ts";
import type { CounterValue } from "../../../shared/counter-step.ts";
import type { Json, JsonObject } from "../../../shared/json.ts";
import type { FeedRow, RecordRow } from "../../ports/rows.ts";
import type { ServedCollection } from "./catalog.ts";
import { NewerRow } from "./newer-row.ts";
import { PolicyFailure } from "./policy-failure.ts";
import { scopeOf } from "./scope.ts";
import type { WorkingSet } from "./working-set.ts";

/**
 * A record's `id` never changes, so its entry in `fields` holds the version of the record's life instead: its creation
 * or its deletion, and who wrote that. It also counts for a field without an entry of its own [H4].
 */
const LIFE = "id";

export type FieldVersion = readonly [version: number, incarnation: string];

export function fieldVersion(row: RecordRow, field: string): FieldVersion {
  return own(row.fields, field) ?? own(row.fields, LIFE) ?? [row.createdVersion, ""];
}

function own<V>(object: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The version of the deletion, or of the creation. */
export function lifeVersion(row: RecordRow): number {
  return fieldVersion(row, LIFE)[0];
}

/** The fields that were written after `version`, by anybody. `id` among them means the row's life. */
export function fieldsWrittenAfter(row: RecordRow, version: number): readonly string[] {
  return Object.keys(row.fields).filter((field) => fieldVersion(row, field)[0] > version);
}

/** The fields that another incarnation wrote after `baseVersion` [C5]. `id` among them means the row's life. */
export function foreignFields(row: RecordRow, baseVersion: number, incarnation: string): readonly string[] {
  return fieldsWrittenAfter(row, baseVersion).filter((field) => fieldVersion(row, field)[1] !== incarnation);
}

/** The row in the shape of the schema that the server has now. */
export function currentRow(ws: WorkingSet, served: ServedCollection, id: string): RecordRow | undefined {
  const row = ws.record(served.name, id);
  return row === undefined ? undefined : upToDate(served, row);
}

/**
 * A row is upcast when it is read, and stored in the new shape when it is next written: no migration walks the table.
 *
 * @throws NewerRow if a newer server wrote the row
 */
export function upToDate(served: ServedCollection, row: RecordRow): RecordRow {
  const { schemaVersion } = served.resolved;
  if (row.schemaVersion === schemaVersion || row.state === "stub") return row;
  if (row.schemaVersion > schemaVersion) throw new NewerRow(served.name, row.id, row.schemaVersion, schemaVersion);
  const data = upToDateData(served, row.schemaVersion, row.data);
  return { ...row, data, fields: upcastFields(row, data), schemaVersion };
}

function upToDateData(served: ServedCollection, from: number, data: JsonObject): JsonObject {
  if (from >= served.resolved.schemaVersion) return data;
  try {
    return upcastData(served.name, served.resolved, from, data);
  } catch (cause) {
    throw new PolicyFailure(served.name, "upcast", cause);
  }
}

export type ReadRow = Pick<RecordRow, "id" | "data" | "counters">;

/** A row of the feed with its documents, in the shape of the schema that the server has now. */
export function readFeedRow(served: ServedCollection, { id, schemaVersion, data, counters }: FeedRow): ReadRow {
  return { id, data: upToDateData(served, schemaVersion, JSON.parse(data)), counters: JSON.parse(counters) };
}

/**
 * Upcasts do not say which field became which. So a new field takes over the newest stamp of the fields that are gone
 * or, if none is gone, of all fields. At worst that makes one conflict too many. Without a writer, the field would let
 * an edit overwrite a change that its author never saw [C5].
 */
function upcastFields(row: RecordRow, data: JsonObject): RecordRow["fields"] {
  const added = Object.keys(data).filter((name) => !Object.hasOwn(row.data, name));
  if (added.length === 0) return row.fields;
  const gone = Object.keys(row.data).filter((name) => !Object.hasOwn(data, name));
  const sources = gone.length > 0 ? gone : Object.keys(row.fields);
  const stamps = sources.map((name) => own(row.fields, name)).filter((stamp) => stamp !== undefined);
  // Without any stamp, the version of the row's life counts for the new fields too.
  if (stamps.length === 0) return row.fields;
  const newest = stamps.reduce((a, b) => (b[0] > a[0] ? b : a));
  return { ...row.fields, ...Object.fromEntries(added.map((name) => [name, newest])) };
}

/** What an answer carries: the fields and all counters, with zero for a counter that no operation has moved yet. */
export function dataOf(served: ServedCollection, row: Pick<RecordRow, "data" | "counters">): JsonObject {
  if (served.resolved.counters.length === 0) return row.data;
  return { ...zeroCounters(served.resolved, row.data), ...row.counters };
}

/** What policies and resolvers receive. */
export function recordOf(served: ServedCollection, row: Pick<RecordRow, "id" | "data" | "counters">): JsonObject {
  return { ...dataOf(served, row), id: row.id };
}

export function stateOf(served: ServedCollection, row: RecordRow): RowState {
  const head = { version: row.version, ...labelOf(served) };
  return row.state === "live" ? { ...head, data: dataOf(served, row) } : { ...head, deleted: true };
}

/**
 * The row for a result or a desk that may leave it out: `undefined` if this server can't read it in its own schema, which
 * is no reason to keep back the rest [H7].
 */
export function readableState(served: ServedCollection, row: RecordRow): RowState | undefined {
  try {
    return stateOf(served, upToDate(served, row));
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Whether a row could not be read: a newer server wrote it, or a function of the application fails on it. */
export function isUnreadable(error: unknown): error is NewerRow | PolicyFailure {
  return error instanceof NewerRow || error instanceof PolicyFailure;
}

/**
 * The schema version that stands beside data of the collection. Version 1 needs no label: every operation that has a
 * final result then is of version 1.
 */
export function labelOf({ resolved: { schemaVersion } }: ServedCollection): { readonly schemaVersion?: number } {
  return schemaVersion === 1 ? {} : { schemaVersion };
}

export type DataCheck =
  | { readonly ok: true; readonly data: JsonObject }
  | { readonly ok: false; readonly issues: readonly VerdictIssue[] };

/** Checks a record, with its counters, against its schema. Returns what is to be stored, without the counters. */
export function checkData(
  served: ServedCollection,
  id: string,
  data: JsonObject,
  counters: Readonly<Record<string, CounterValue>>,
): DataCheck {
  const checked = checkRecord(served.name, served.resolved, id, dataOf(served, { data, counters }));
  if (!checked.ok) return { ok: false, issues: checked.issues.slice(0, 20).map(wireIssue) };
  if (served.resolved.counters.length === 0) return checked;
  return { ok: true, data: without(checked.data, served.resolved.counters) };
}

function wireIssue({ message, path = [] }: SchemaIssue): VerdictIssue {
  return { path: path.map((part) => String(typeof part === "object" ? part.key : part)).join("."), message };
}

export function without(data: JsonObject, names: readonly string[]): JsonObject {
  if (!names.some((name) => Object.hasOwn(data, name))) return data;
  return Object.fromEntries(Object.entries(data).filter(([name]) => !names.includes(name))) as Record<string, Json>;
}

/**
 * The counters after the steps. `malformed`: a step is for no counter, or does not fit its type. `outOfRange`: what the
 * counters can't take, because a step is too large or a sum would be, though it may be possible some other day [H4].
 */
export type Steps =
  | { readonly kind: "counted"; readonly counters: Readonly<Record<string, CounterValue>> }
  | { readonly kind: "malformed"; readonly faults: readonly StepFault[] }
  | { readonly kind: "outOfRange"; readonly faults: readonly StepFault[] };

export interface StepFault {
  readonly counter: string;
  readonly message: string;
}

export function addSteps(
  served: ServedCollection,
  counters: Readonly<Record<string, CounterValue>>,
  by: Readonly<Record<string, CounterValue>>,
): Steps {
  const known = zeroCounters(served.resolved, {}) as Readonly<Record<string, CounterValue>>;
  const sums: Record<string, CounterValue> = { ...counters };
  const malformed: StepFault[] = [];
  const outOfRange: StepFault[] = [];
  for (const [counter, step] of Object.entries(by)) {
    const zero = own(known, counter);
    if (zero === undefined) {
      malformed.push({ counter, message: "There is no such counter" });
    } else if (typeof zero === "number" && typeof step !== "number") {
      malformed.push({ counter, message: "Expected an integer" });
    } else if (isBeyondMaxStep(served.resolved, counter, step)) {
      const most = maxStepOf(served.resolved, counter);
      outOfRange.push({ counter, message: `A step of it is at most ${most}, up or down` });
    } else {
      const sum = addWithinBounds(served.resolved, counter, own(counters, counter) ?? zero, step);
      if (sum === undefined) outOfRange.push({ counter, message: "The sum would be out of its range" });
      else sums[counter] = sum;
    }
  }
  if (malformed.length > 0) return { kind: "malformed", faults: [...malformed, ...outOfRange] };
  return outOfRange.length > 0 ? { kind: "outOfRange", faults: outOfRange } : { kind: "counted", counters: sums };
}

/** A row that is about to be written. It gets its version when it takes a position. */
export interface RowDraft {
  readonly served: ServedCollection;
  readonly id: string;
  readonly before: RecordRow | undefined;
  readonly state: RecordRow["state"];
  readonly data: JsonObject;
  readonly counters: RecordRow["counters"];
  /** The row begins a new life: the earlier stamps of its fields are forgotten, and all fields are written now. */
  readonly isCreation?: boolean | undefined;
  /** The fields that this write changes. */
  readonly writtenFields: readonly string[];
  readonly writer: string;
  /**
   * Stamps the fields with this version instead of the row's own: an acknowledged write returns after a restore [C8.5].
   */
  readonly stampedVersion?: number | undefined;
}

/** The scope that the row would have. */
export function draftScope(draft: RowDraft): string {
  if (draft.state !== "live") return draft.before?.scope ?? "";
  return scopeOf(draft.served, recordOf(draft.served, draft));
}

/** Writes the row, and the departure that tells a branch that the row has left it or has returned [C10]. */
export function writeRow(ws: WorkingSet, draft: RowDraft, takenBy: string): RecordRow {
  const { served, id, before } = draft;
  const scope = draftScope(draft);
  const version = ws.take(takenBy);
  const at = draft.stampedVersion ?? version;
  const stamp: FieldVersion = [at, draft.writer];
  const fields: Record<string, FieldVersion> = draft.isCreation === true ? {} : { ...before?.fields };
  for (const field of draft.writtenFields) fields[field] = stamp;
  if (draft.isCreation === true || (draft.state === "deleted" && before?.state !== "deleted")) fields[LIFE] = stamp;
  const row: RecordRow = {
    collection: served.name,
    id,
    version,
    createdVersion: draft.isCreation === true ? at : (before?.createdVersion ?? 0),
    state: draft.state,
    data: draft.data,
    counters: draft.counters,
    // A fact is never edited: the versions of its fields are never needed.
    fields: served.resolved.kind === "fact" ? {} : fields,
    scope,
    schemaVersion: served.resolved.schemaVersion,
  };
  ws.putRecord(row);
  if (before !== undefined && before.state !== "stub" && before.scope !== scope) {
    const key = { collection: served.name, id };
    ws.putDeparture({ ...key, scope: before.scope, version });
    ws.takeBackDeparture({ ...key, scope });
  }
  return row;
}
