/** Puts aside what the server refuses to read at all, however small the batch [C9]: on a desk, with the reason, never away (L1). */
import type { Verdict } from "../../protocol/types.ts";
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { OperationEvent } from "../decide/results.ts";
import type { RowChange } from "../decide/workspace.ts";
import type { StorageScript } from "../ports/storage.ts";
import { isCommercial, isWaiting, type QueueState, type StoredOperation } from "../state/stored.ts";
import { loadWorkspace } from "./load.ts";

export interface Parked {
  readonly events: readonly OperationEvent[];
  readonly changes: readonly RowChange[];
  readonly queue: QueueState;
}

/**
 * A fact stays in the till's view as quarantined; an edit leaves it as rejected. A person can send either again. `undefined`: the fence is
 * another's, who may be sending them.
 */
export function* parkOperations(
  collections: ResolvedCollections,
  fence: number,
  ids: readonly string[],
  error: Verdict,
): StorageScript<Parked | undefined> {
  const { workspace, point } = yield* loadWorkspace(collections, { operationIds: ids });
  if (point.fence !== fence) return { value: undefined, writes: [] };
  const events: OperationEvent[] = [];
  for (const id of ids) {
    const operation = workspace.operation(id);
    if (operation === undefined || !isWaiting(operation)) continue;
    const state = isCommercial(operation) ? "quarantined" : "rejected";
    const parked: StoredOperation = { ...operation, state, error };
    workspace.put(parked);
    events.push({ kind: state, operation: parked });
  }
  workspace.unblock();
  const { writes, changes } = workspace.finish();
  return { writes, value: { events, changes, queue: workspace.queue } };
}
