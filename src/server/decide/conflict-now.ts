/** A conflict as a desk shows it, in the schema that the server has now [H7]. */

import type { RowState } from "../../protocol/types.ts";
import { upcastEdit, upcastRow } from "../../schema/upcast.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { Principal } from "../policy-types.ts";
import type { ConflictRow, RecordRow } from "../ports/rows.ts";
import { type Catalog, mayDo, type ServedCollection } from "./rows/catalog.ts";
import { labelOf, readableState } from "./rows/rows.ts";
import { inScope } from "./rows/scope.ts";

/**
 * The two sides of the conflict. If they can't be raised they are returned as they are, with the version that they have:
 * people can still read them.
 */
export function conflictNow(
  catalog: Catalog,
  { collection, client, server }: Pick<ConflictRow, "collection" | "client"> & { readonly server: RowState },
): { readonly client: JsonObject; readonly server: RowState } {
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

/** Who reads a desk. `hasDesk`: the office, as opposed to a till that reads its own conflicts. */
export interface DeskViewer {
  readonly principal: Principal;
  readonly hasDesk: boolean;
}

/**
 * The row that stood against the edit. If no copy of it was kept, it is the row as it is now, which is the same row if
 * nobody has written it since.
 */
export function serverSide(
  catalog: Catalog,
  viewer: DeskViewer,
  { server }: Pick<ConflictRow, "server">,
  row: RecordRow | undefined,
): RowState {
  if (!("omitted" in server)) return server;
  const served = row && catalog.collections.get(row.collection);
  const now = served && row.state !== "stub" && isTheirs(served, viewer, row) ? readableState(served, row) : undefined;
  return now ?? { version: 0, deleted: true };
}

/**
 * The row as it is now, if it was written since the conflict was found. A row that the viewer may not see any more is
 * deleted for them. `undefined` too if this server can't read it: then the conflict's resolution is refused.
 */
export function currentState(
  catalog: Catalog,
  viewer: DeskViewer,
  { server }: Pick<ConflictRow, "server">,
  row: RecordRow,
): RowState | undefined {
  const served = catalog.collections.get(row.collection);
  if (served === undefined || row.state === "stub" || row.version === server.version) return undefined;
  return isTheirs(served, viewer, row) ? readableState(served, row) : { version: 0, deleted: true };
}

function isTheirs(served: ServedCollection, { principal, hasDesk }: DeskViewer, row: RecordRow): boolean {
  return inScope(principal, row.scope) && (hasDesk || mayDo(served, "read", principal));
}
