/** `after`: the operations that must have taken effect first (L7) [C2, C3, H1]. */
import type { WireOperation } from "../../../protocol/types.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { knownTo } from "./known-to.ts";

/** A longer chain is an attack or a loop. */
const MAX_CHAIN = 50;

/** How an operation waits: a commercial one waits only for a final result, whatever that is. */
export interface Waiting {
  readonly commercial: boolean;
  /** Whose operation it is. */
  readonly device: string;
}

/**
 * The ids in `after` that the operation still waits for. Operations from earlier in the same batch are in the working
 * set like any others: only their results count, not that they came first [H1].
 */
export function unmet(ws: WorkingSet, operation: WireOperation, waiting: Waiting): readonly string[] {
  return (operation.after ?? []).filter((id) => !isMet(ws, id, waiting, 0));
}

function isMet(ws: WorkingSet, id: string, waiting: Waiting, depth: number): boolean {
  const row = knownTo(ws, waiting, id);
  if (row === undefined) {
    // A resolution of the back office supersedes by a commit, not by an operation: the row is as the office left it.
    return depth > 0 && ws.commit(id) !== undefined;
  }
  if (row.status === "applied") return true;
  const { supersededBy } = row;
  // The successor counts instead, along the whole chain. The successor of a voided operation is the void, which is
  // applied: nothing waits for what was called off.
  if (supersededBy !== undefined && supersededBy !== id) {
    return depth < MAX_CHAIN && isMet(ws, supersededBy, waiting, depth + 1);
  }
  // Money waits for no verdict on anything else: any final result will do (L11).
  return waiting.commercial;
}
