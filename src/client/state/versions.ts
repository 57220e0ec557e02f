/**
 * Stored rows in the schema version that the app has now [H7]. Rows are raised when they are read, and written in the
 * new version when they next change: no update of an app has to rewrite a catalogue before the shop can sell.
 *
 * A row that can't be read, because a newer app wrote it or a step fails on it, is kept as it is and has no view. It is
 * there again when an app that can read it is.
 */
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { upcastRow } from "../../schema/upcast.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import { omit } from "../../shared/omit.ts";
import type { StoredRow } from "./rows.ts";

/** The schema version of stored data. A collection without versions has version 1, and its rows don't name it. */
export const versionOf = ({ schemaVersion = 1 }: { readonly schemaVersion?: number | undefined }): number =>
  schemaVersion;

/** What stored data says of its schema version: {@link versionOf} the other way round. */
export const versionLabel = (version: number): { readonly schemaVersion: number | undefined } => ({
  schemaVersion: version === 1 ? undefined : version,
});

/**
 * Data of version `from` in the version that the app has; `undefined` if it can't be read. `failed` receives the error
 * of a step.
 */
export function raised(
  name: string,
  definition: ResolvedCollection,
  from: number,
  data: JsonObject,
  failed?: (error: unknown) => void,
): JsonObject | undefined {
  if (from > definition.schemaVersion) return undefined;
  try {
    return upcastRow(name, definition, from, data);
  } catch (error) {
    if (!isTillSyncError(error, "validation_failed")) throw error;
    failed?.(error);
    return undefined;
  }
}

/** The row as the app reads it. */
export function rowNow(name: string, definition: ResolvedCollection, row: StoredRow): StoredRow {
  const from = versionOf(row);
  if (from === definition.schemaVersion) return readableAgain(row);
  const sides = ["data", "base", "deletedBase"] as const;
  const next: { -readonly [K in keyof StoredRow]: StoredRow[K] } = { ...row, schemaVersion: definition.schemaVersion };
  for (const side of sides) {
    const data = row[side];
    if (data === undefined || data === null) continue;
    const now = raised(name, definition, from, data);
    if (now === undefined) return unreadable(row);
    next[side] = now;
  }
  return readableAgain(next);
}

/** A row that could not be read when it was written, which left its base as it came, is shown. */
function readableAgain(row: StoredRow): StoredRow {
  const { data, base, edits, delta } = row;
  const wasUnreadable = data === undefined && base && !edits && delta === undefined;
  return wasUnreadable ? { ...omit(row, "base"), data: base } : row;
}

/** A row whose data can't be read: only its base is kept, as it came. */
function unreadable(row: StoredRow): StoredRow {
  const base = row.base === undefined ? row.data : row.base;
  return { ...omit(row, "data"), ...(base !== undefined && { base }) };
}
