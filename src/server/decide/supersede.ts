/**
 * Superseding [C3]: an operation that takes the place of others, which can't take effect any more, not even those that the server
 * has never seen. Once only, by a till or by the back office. (server/decide)
 */

import type { RejectedResult, RowState, WireOperation } from "../../protocol/types.ts";
import { deepEqual } from "../../shared/json.ts";
import type { ConflictRow, OperationRow } from "../ports/store.ts";
import { stateOf, upToDate } from "./rows.ts";
import { canSee } from "./scope.ts";
import type { Viewpoint } from "./session.ts";
import { rejected } from "./verdicts.ts";
import type { WorkingSet } from "./working-set.ts";

/** Why the operation comes too late to supersede, if it does. */
export function tooLateToSupersede(
  ws: WorkingSet,
  view: Viewpoint,
  operation: WireOperation,
): RejectedResult | undefined {
  const chain = operation.supersedes ?? [];
  for (const id of chain) {
    const target = ws.operation(id);
    if (target === undefined) continue;
    if (target.status === "applied") {
      return standing(ws, view, operation, "already_applied", id, "What it supersedes has taken effect");
    }
    const { supersededBy: by } = target;
    // Its own chain may have superseded the earlier links: the last one counts.
    if (by !== undefined && by !== operation.id && !chain.includes(by)) {
      return standing(ws, view, operation, "already_superseded", by, "What it supersedes was settled by somebody else");
    }
  }
  return undefined;
}

function standing(
  ws: WorkingSet,
  view: Viewpoint,
  operation: WireOperation,
  code: "already_applied" | "already_superseded",
  by: string,
  message: string,
): RejectedResult {
  return rejected(operation, code, message, { by, server: visibleState(ws, view, operation) });
}

/** The row as it is, where the device may see it. */
export function visibleState(
  ws: WorkingSet,
  view: Viewpoint,
  { collection, entityId }: Pick<WireOperation, "collection" | "entityId">,
): RowState | undefined {
  const served = view.catalog.collections.get(collection);
  const row = ws.record(collection, entityId);
  if (served === undefined || row === undefined || row.state === "stub") return undefined;
  return canSee(served, row, view.principal) ? stateOf(served, upToDate(served, row)) : undefined;
}

/** Whether the result says that the operation superseded nothing, because others had. */
export function cameTooLate(result: { readonly status: string; readonly error?: { readonly code: string } }): boolean {
  return result.status === "rejected" && /^already_(applied|superseded)$/.test(result.error?.code ?? "");
}

/** Marks the whole chain, whatever came of the operation that supersedes it. */
export function markSuperseded(ws: WorkingSet, view: Viewpoint, operation: WireOperation): void {
  for (const id of operation.supersedes ?? []) {
    const target = ws.operation(id);
    if (target === undefined) ws.putOperation(placeholder(ws, view, operation, id));
    else {
      ws.putOperation(revisedAsSuperseded(target, operation.id, ws.take(operation.id), view.receivedAt));
      closeConflict(ws, view, operation, id);
    }
  }
}

/** The result reaches the superseded operation's own device by its new feed position [H3]. */
export function revisedAsSuperseded(
  target: OperationRow,
  by: string,
  feedPosition: number,
  at: number,
  server?: RowState | undefined,
): OperationRow {
  const revision = target.revision + 1;
  const result = rejected(target, "superseded", "Another operation has taken its place", { by, server });
  return {
    ...target,
    status: "rejected",
    supersededBy: by,
    revision,
    feedPosition,
    result: { ...result, revision, at },
  };
}

/** Never seen, and never to take effect: should it arrive after all, this is its answer. */
function placeholder(ws: WorkingSet, view: Viewpoint, by: WireOperation, id: string): OperationRow {
  const position = ws.take(id);
  return {
    id,
    device: view.device,
    incarnation: view.incarnation,
    sequence: undefined,
    collection: by.collection,
    entityId: by.entityId,
    transaction: undefined,
    hash: "",
    status: "rejected",
    version: 0,
    position,
    feedPosition: position,
    revision: 0,
    supersededBy: by.id,
    result: {
      ...rejected({ id }, "superseded", "Another operation took its place before it came", { by: by.id }),
      at: view.receivedAt,
    },
    operation: undefined,
    receivedAt: view.receivedAt,
  };
}

/** The desk closes with it [C3]: a conflict that is settled twice would be settled in two ways. */
function closeConflict(ws: WorkingSet, view: Viewpoint, operation: WireOperation, superseded: string): void {
  const conflict = ws.conflictOf(superseded);
  if (conflict === undefined || conflict.settled !== undefined) return;
  const by = operation.actor ?? view.principal.actor ?? view.device;
  ws.putConflict({
    ...conflict,
    settled: { choice: choiceOf(conflict, operation), by, at: view.receivedAt, note: undefined },
  });
}

function choiceOf(conflict: ConflictRow, operation: WireOperation): "server" | "client" | "merged" {
  if (operation.action === "void") return "server";
  if (operation.action === "delete") return "client";
  const edit = operation.action === "update" ? operation.patch : operation.action === "create" ? operation.data : {};
  return deepEqual(edit, conflict.client) ? "client" : "merged";
}
