/** Three-way comparison and merge of records. Pure, on plain JSON; the records have `id` in them. */
import { applyPatch, splitPatch, wholeChanges } from "../schema/patch.ts";
import type { ConflictContext } from "../schema/types.ts";
import { deepEqual, type Json, type JsonObject } from "../shared/json.ts";

/**
 * A field with its three values. `undefined`: that side doesn't have the record, or the record doesn't have the field.
 */
export interface FieldDifference {
  readonly field: string;
  readonly base: Json | undefined;
  readonly client: Json | undefined;
  readonly server: Json | undefined;
}

/**
 * The fields in which client and server differ, including those that only one of them changed. First in the server's
 * order, then those that only the client has. If one side is deleted, every field of the other differs.
 *
 * @param excluded fields that are never edited: counters, `id`
 */
export function fieldDifferences(
  base: JsonObject | undefined,
  client: JsonObject | undefined,
  server: JsonObject | undefined,
  excluded: readonly string[] = [],
): readonly FieldDifference[] {
  return Object.keys({ ...server, ...client })
    .filter((field) => !excluded.includes(field))
    .map((field) => ({
      field,
      base: fieldOf(base, field),
      client: fieldOf(client, field),
      server: fieldOf(server, field),
    }))
    .filter((field) => !deepEqual(field.client, field.server));
}

/**
 * The server's record, with what only the client changed (its differences from `base` outside of `fields`), and with
 * the `chosen` values of the `fields` in conflict; `undefined` removes a field.
 *
 * Without a base nothing counts as changed by the client only: every difference is in conflict.
 */
export function mergeRecords(
  { base, client, server, fields }: ConflictContext<JsonObject>,
  chosen: Readonly<Record<string, Json | undefined>>,
): JsonObject {
  const own = base === undefined ? {} : wholeChanges(base, client, fields);
  const { patch, unset } = splitPatch({ ...own, ...chosen });
  return applyPatch(server, patch, unset);
}

/**
 * The fields that both client and server have changed, to different values: those that the server `named`, and those
 * that the three records show. Without a base (two devices created the same id): all that differ.
 */
export function conflictingFields(
  base: JsonObject | undefined,
  client: JsonObject,
  server: JsonObject,
  named: readonly string[],
  excluded: readonly string[] = [],
): readonly string[] {
  return fieldDifferences(base, client, server, excluded)
    .filter(
      ({ field, base: before, client, server }) =>
        base === undefined || named.includes(field) || !(deepEqual(before, client) || deepEqual(before, server)),
    )
    .map(({ field }) => field);
}

function fieldOf(record: JsonObject | undefined, field: string): Json | undefined {
  return record !== undefined && Object.hasOwn(record, field) ? record[field] : undefined;
}
