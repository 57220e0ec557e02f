/** A stored row as an app sees it. Pure. */
import type { JsonObject } from "../../shared/json.ts";
import type { StoredRow } from "../state/rows.ts";
import type { RecordMeta, RecordSync } from "../types/record.ts";

/** A record as an app reads it. */
export type AppRecord = JsonObject & { readonly id: string };

/** `id` first, then the fields. Frozen, because all readers get the same object. */
export function recordOf(id: string, data: JsonObject): AppRecord {
  return Object.freeze({ id, ...data });
}

/** What `meta()` returns for a row. */
export function metaOf(row: StoredRow): RecordMeta {
  const waiting = (row.states?.pending ?? 0) + (row.states?.blocked ?? 0);
  return {
    version: row.version,
    sync: syncOf(row),
    pendingOperations: waiting,
    flags: row.flags ?? [],
    changedHereAt: row.changedHereAt,
    deleted: row.data === undefined && (waiting > 0 || (row.states?.conflict ?? 0) > 0),
    conflictId: row.conflictId,
  };
}

/** The state of the row that most needs attention. */
function syncOf({ states }: StoredRow): RecordSync {
  if (states === undefined) return "synced";
  for (const state of ["rejected", "conflict", "quarantined", "blocked", "pending"] as const)
    if (states[state]) return state;
  return "synced";
}
