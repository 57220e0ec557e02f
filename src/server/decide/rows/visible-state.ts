/** The row as a caller may see it. */
import type { RowState } from "../../../protocol/types.ts";
import { readableState } from "./rows.ts";
import { canSee } from "./scope.ts";
import type { Viewpoint } from "./sender.ts";
import type { WorkingSet } from "./working-set.ts";

/** The row as it is now, if the caller may see it and this server can read it. */
export function visibleState(
  ws: WorkingSet,
  { catalog, principal, revoked }: Pick<Viewpoint, "catalog" | "principal" | "revoked">,
  { collection, entityId }: { readonly collection: string; readonly entityId: string },
): RowState | undefined {
  // A revoked device gets nothing to read [H6].
  if (revoked === true) return undefined;
  const served = catalog.collections.get(collection);
  const row = ws.record(collection, entityId);
  if (served === undefined || row === undefined || row.state === "stub") return undefined;
  return canSee(served, row, principal) ? readableState(served, row) : undefined;
}
