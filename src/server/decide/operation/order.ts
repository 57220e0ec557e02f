/** `after`: what must have taken effect first (L7) [C2, C3, H1]. */
import type { WireOperation } from "../../../protocol/types.ts";
import type { WorkingSet } from "../rows/working-set.ts";

/** A chain longer than this is an attack or a loop. */
const MAX_CHAIN = 50;

/**
 * The ids in `after` that are in the way. Operations earlier in this batch are in the working set like any other: only what they
 * came to counts, and not that they came first [H1].
 */
export function unmet(ws: WorkingSet, operation: WireOperation, commercial: boolean): readonly string[] {
  return (operation.after ?? []).filter((id) => !isMet(ws, id, commercial, 0));
}

function isMet(ws: WorkingSet, id: string, commercial: boolean, depth: number): boolean {
  const row = ws.operation(id);
  if (row === undefined) {
    // What a resolution of the back office superseded was superseded by a commit: the row is as the office left it.
    return depth > 0 && ws.commit(id) !== undefined;
  }
  if (row.status === "applied") return true;
  const { supersededBy } = row;
  // Through the chain: a voided one leads to the void, which is applied, as nothing waits for what was called off.
  if (supersededBy !== undefined && supersededBy !== id) {
    return depth < MAX_CHAIN && isMet(ws, supersededBy, commercial, depth + 1);
  }
  // Money waits for no verdict on anything else: any final result will do (L11).
  return commercial;
}
