/** A conflict that was found under an older schema, in the one that the server has now [H7]. */
import { upcastEdit, upcastRow } from "../../schema/upcast.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { ConflictRow } from "../ports/rows.ts";
import type { Catalog } from "./rows/catalog.ts";
import { labelOf } from "./rows/rows.ts";

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
    const row =
      server.data === undefined ? { deleted: true as const } : { data: upcastRow(name, resolved, from, server.data) };
    return { client: raised.patch, server: { ...head, ...row } };
  } catch (error) {
    if (!isTillSyncError(error, "validation_failed")) throw error;
    return { client, server };
  }
}
