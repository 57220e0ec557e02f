/**
 * Parks operations that the server refuses to read, however small the batch [C9]: they are put on a desk with the
 * reason, and never dropped (L1).
 */
import type { Verdict } from "../../protocol/types.ts";
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { OperationEvent } from "../decide/results.ts";
import type { RowChange } from "../decide/workspace.ts";
import type { StorageScript } from "../ports/storage.ts";
import type { QueueState } from "../state/meta.ts";
import { isCommercial, isWaiting } from "../state/operation.ts";
import { loadWorkspace } from "./load.ts";

/** What parking has changed. */
export interface Parked {
  readonly events: readonly OperationEvent[];
  readonly changes: readonly RowChange[];
  readonly queue: QueueState;
}

/**
 * Parks the operations that are still waiting. Facts and increments become quarantined, edits become rejected; a fact
 * stays in the till's view. A person can send each of them again. Returns `undefined` if another client has taken the
 * fence, because that client may be sending them.
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
    const event: OperationEvent = isCommercial(operation)
      ? { kind: "quarantined", operation: { ...operation, status: { state: "quarantined", error } } }
      : { kind: "rejected", operation: { ...operation, status: { state: "rejected", error } } };
    workspace.put(event.operation);
    events.push(event);
  }
  workspace.unblock();
  const { writes, changes } = workspace.finish();
  return { writes, value: { events, changes, queue: workspace.queue } };
}
