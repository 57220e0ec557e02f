/** A conflict that was found under an older schema, in the one that the server has now [H7]. */
import { upcastData, upcastEdit } from "../../schema/upcast.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { ConflictRow } from "../ports/rows.ts";
import type { Catalog, ServedCollection } from "./rows/catalog.ts";
import { labelOf, without } from "./rows/rows.ts";

/**
 * The two sides of the conflict. If they can't be raised they are returned as they are, with the version that they have:
 * people can still read them.
 */
export function conflictNow(
  catalog: Catalog,
  { collection, client, server }: Pick<ConflictRow, "collection" | "client" | "server">,
): Pick<ConflictRow, "client" | "server"> {
  const served = catalog.collections.get(collection);
  const from = server.schemaVersion ?? 1;
  if (served === undefined || from >= served.resolved.schemaVersion) return { client, server };
  try {
    const { name, resolved } = served;
    const raised = upcastEdit(name, resolved, from, { patch: client, unset: [] }, server.data ?? {});
    const head = { version: server.version, ...labelOf(served) };
    const row = server.data === undefined ? { deleted: true as const } : { data: raiseRow(served, from, server.data) };
    return { client: raised.patch, server: { ...head, ...row } };
  } catch (error) {
    if (!isTillSyncError(error, "validation_failed")) throw error;
    return { client, server };
  }
}

/** A row as an answer carries it has its counters, which are no step's to change. */
function raiseRow({ name, resolved }: ServedCollection, from: number, data: JsonObject): JsonObject {
  const counters = Object.fromEntries(Object.entries(data).filter(([field]) => resolved.counters.includes(field)));
  return { ...upcastData(name, resolved, from, without(data, resolved.counters)), ...counters };
}
