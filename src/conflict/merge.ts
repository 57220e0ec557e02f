/** Three-way comparison and merge of records. Pure, over plain JSON; the records carry `id`. */

import { applyPatch, splitPatch, wholeChanges } from "../schema/patch.ts";
import type { ConflictContext } from "../schema/types.ts";
import { deepEqual, type Json, type JsonObject } from "../shared/json.ts";

/** A field with its three values. `undefined`: the record, or the field in it, is not there on that side. */
export interface FieldDifference {
  readonly field: string;
  readonly base: Json | undefined;
  readonly client: Json | undefined;
  readonly server: Json | undefined;
}

/**
 * The fields in which client and server differ now, in the order in which the server, then the client, has them. That
 * includes what only one of them changed. Where a side is deleted, every field of the other differs.
 *
 * @param excluded fields that are nobody's edit: counters, `id`
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
 * The server's record, on it what only the client changed (its differences from `base` outside `fields`), on that the
 * values `chosen` for the `fields` in conflict; `undefined` removes a field.
 *
 * Without a base the client can't have changed anything: what differs is in conflict.
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
 * The fields that client and server have both changed, to different values: those the server named, and those that the
 * three records show. Without a base (two devices made the same id) all that differ.
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
