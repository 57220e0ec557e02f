/** Rows as they are stored, read and shown. */

import type { RowState, VerdictIssue } from "../../../protocol/types.ts";
import { addCounter, zeroCounters } from "../../../schema/counters.ts";
import type { SchemaIssue } from "../../../schema/standard-schema.ts";
import { upcastData } from "../../../schema/upcast.ts";
import { checkRecord } from "../../../schema/validate.ts";
import type { CounterValue } from "../../../shared/counter-step.ts";
import type { Json, JsonObject } from "../../../shared/json.ts";
import type { FeedRow, RecordRow } from "../../ports/rows.ts";
import type { ServedCollection } from "./catalog.ts";
import { PolicyFailure } from "./policy-failure.ts";
import { scopeOf } from "./scope.ts";
import type { WorkingSet } from "./working-set.ts";

/**
 * A record's `id` never changes, so the place for its version holds that of the record's own life: who created it, or who
 * deleted it. A field without a version has this one [H4].
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

/** Fields that another incarnation wrote behind `baseVersion` [C5]; the row's life is `id`. */
export function foreignFields(row: RecordRow, baseVersion: number, incarnation: string): readonly string[] {
  return Object.entries(row.fields)
    .filter(([, [version, writer]]) => version > baseVersion && writer !== incarnation)
    .map(([field]) => field);
}

/** The row in the shape of the schema that the server has now. */
export function currentRow(ws: WorkingSet, served: ServedCollection, id: string): RecordRow | undefined {
  const row = ws.record(served.name, id);
  return row === undefined ? undefined : upToDate(served, row);
}

/** Rows are brought up when they are read, and stored so when they are next written: no migration walks the table. */
export function upToDate(served: ServedCollection, row: RecordRow): RecordRow {
  const { schemaVersion } = served.resolved;
  if (row.schemaVersion >= schemaVersion || row.state === "stub") return row;
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
 * The steps say nothing of which field became which: what is new takes over from what is gone, and where nothing is gone from whatever was
 * written last. At worst a conflict too many; a field without its writer would let an edit pass over one that its author never saw [C5].
 */
function upcastFields(row: RecordRow, data: JsonObject): RecordRow["fields"] {
  const brought = Object.keys(data).filter((name) => !Object.hasOwn(row.data, name));
  if (brought.length === 0) return row.fields;
  const gone = Object.keys(row.data).filter((name) => !Object.hasOwn(data, name));
  const sources = gone.length > 0 ? gone : Object.keys(row.fields);
  const stamps = sources.map((name) => own(row.fields, name)).filter((stamp) => stamp !== undefined);
  // Without any, the row's own life answers for the new fields too.
  if (stamps.length === 0) return row.fields;
  const newest = stamps.reduce((a, b) => (b[0] > a[0] ? b : a));
  return { ...row.fields, ...Object.fromEntries(brought.map((name) => [name, newest])) };
}

/** What an answer carries: fields, and counters with zero for those that nothing has moved yet. */
export function dataOf(served: ServedCollection, row: Pick<RecordRow, "data" | "counters">): JsonObject {
  if (served.resolved.counters.length === 0) return row.data;
  return { ...zeroCounters(served.resolved, row.data), ...row.counters };
}

/** What policies and resolvers see. */
export function recordOf(served: ServedCollection, row: Pick<RecordRow, "id" | "data" | "counters">): JsonObject {
  return { ...dataOf(served, row), id: row.id };
}

export function stateOf(served: ServedCollection, row: RecordRow): RowState {
  if (row.state !== "live") return { version: row.version, deleted: true };
  return { version: row.version, data: dataOf(served, row) };
}

export type DataCheck =
  | { readonly ok: true; readonly data: JsonObject }
  | { readonly ok: false; readonly issues: readonly VerdictIssue[] };

/** Holds a record against its schema with the counters that it has; gives back what is to be stored, without them. */
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

/** The counters after the steps; `undefined` where one does not count, or would not be exact any more. */
export function addSteps(
  served: ServedCollection,
  counters: Readonly<Record<string, CounterValue>>,
  by: Readonly<Record<string, CounterValue>>,
): Readonly<Record<string, CounterValue>> | undefined {
  const known = zeroCounters(served.resolved, {}) as Readonly<Record<string, CounterValue>>;
  const sums: Record<string, CounterValue> = { ...counters };
  for (const [field, step] of Object.entries(by)) {
    const zero = own(known, field);
    if (zero === undefined || (typeof zero === "number" && typeof step !== "number")) return undefined;
    const sum = addCounter(own(counters, field) ?? zero, step);
    if (sum === undefined) return undefined;
    sums[field] = sum;
  }
  return sums;
}

/** A row that is about to be written; its version is known when it takes its position. */
export interface RowDraft {
  readonly served: ServedCollection;
  readonly id: string;
  readonly before: RecordRow | undefined;
  readonly state: RecordRow["state"];
  readonly data: JsonObject;
  readonly counters: RecordRow["counters"];
  /** A new life: what was known of the fields before is forgotten, and all of them are written now. */
  readonly isCreation?: boolean | undefined;
  /** The fields written now. */
  readonly writtenFields: readonly string[];
  readonly writer: string;
  /** Stamped with this version instead of the row's own: an acknowledged write that comes back after a restore [C8.5]. */
  readonly stampedVersion?: number | undefined;
}

/** The scope that the row would have. */
export function draftScope(draft: RowDraft): string {
  if (draft.state !== "live") return draft.before?.scope ?? "";
  return scopeOf(draft.served, recordOf(draft.served, draft));
}

/** Writes the row, and what tells a branch that it has left or come back [C10]. */
export function writeRow(ws: WorkingSet, draft: RowDraft, taker: string): RecordRow {
  const { served, id, before } = draft;
  const scope = draftScope(draft);
  const version = ws.take(taker);
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
    // A fact is never edited: nobody asks for the versions of its fields.
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
