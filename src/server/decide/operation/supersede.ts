/**
 * Superseding [C3]: an operation that takes the place of others, which can't take effect any more, not even those that the server
 * has never seen. Once only, by a till or by the back office.
 */

import type {
  FinalResult,
  QuarantinedResult,
  RejectedResult,
  RowState,
  WireOperation,
} from "../../../protocol/types.ts";
import { deepEqual } from "../../../shared/json.ts";
import type { ConflictRow, OperationRow } from "../../ports/rows.ts";
import { stateOf, upToDate } from "../rows/rows.ts";
import { branchOf, canSee, inScope } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { refused, rejected } from "./verdicts.ts";

/** Why the operation can't take the place of its chain, if it can't: what it names is another row's, or it comes too late. */
export function barredFromSuperseding(
  ws: WorkingSet,
  view: Viewpoint,
  operation: WireOperation,
): RejectedResult | QuarantinedResult | undefined {
  const chain = operation.supersedes ?? [];
  for (const id of chain) {
    const target = ws.operation(id);
    if (target === undefined) continue;
    // A void of another collection would need that one's rights, and one of another row would close a desk that is not its own.
    if (!targetsSameRow(target, operation)) return refusedAsForeign(view, operation, "malformed", "row", id);
    if (!targetsOwnBranch(ws, view, target)) return refusedAsForeign(view, operation, "out_of_scope", "branch", id);
    if (target.status === "applied") {
      return tooLate(ws, view, operation, "already_applied", id, "What it supersedes has taken effect");
    }
    const { supersededBy: by } = target;
    // Its own chain may have superseded the earlier links: the last one counts.
    if (by !== undefined && by !== operation.id && !chain.includes(by)) {
      return tooLate(ws, view, operation, "already_superseded", by, "What it supersedes was settled by somebody else");
    }
  }
  return undefined;
}

/** What came malformed may have had neither: then nothing speaks against it. */
function targetsSameRow(target: OperationRow, { collection, entityId }: WireOperation): boolean {
  return (
    (target.collection === "" || target.collection === collection) &&
    (target.entityId === "" || target.entityId === entityId)
  );
}

/** What another branch's people decide about is nothing for this one's till (L9). */
function targetsOwnBranch(ws: WorkingSet, { principal }: Viewpoint, target: OperationRow): boolean {
  return principal.branch === undefined || inScope(principal, branchOf(target, ws.device(target.device)));
}

function refusedAsForeign(
  { catalog }: Viewpoint,
  operation: WireOperation,
  code: "malformed" | "out_of_scope",
  whose: string,
  id: string,
): RejectedResult | QuarantinedResult {
  const message = `It supersedes an operation of another ${whose}`;
  const issues = [{ path: "supersedes", message: id }];
  // A void is no fact: it holds nothing that people would have to look at.
  if (operation.action === "void") return rejected(operation, code, message, { issues });
  return refused(catalog, operation, code, message, issues);
}

function tooLate(
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

/** Who sent it may not: it takes nobody's place, until people let it in. */
const WITHOUT_STANDING = ["device_revoked", "branch_mismatch", "not_permitted", "out_of_scope"];

/**
 * Whether the operation now stands where its chain stood. Also one that was refused does, as what it replaces was given up for it; but
 * a void is nothing unless it is applied, and nothing takes the place of what has taken effect (L11).
 */
function supersedesChain(ws: WorkingSet, view: Viewpoint, operation: WireOperation, result: FinalResult): boolean {
  if (result.status === "applied") return true;
  if (operation.action === "void") return false;
  if ("error" in result && WITHOUT_STANDING.includes(result.error.code)) return false;
  // Refused before anybody has looked at its chain, as what is too large.
  return barredFromSuperseding(ws, view, operation) === undefined;
}

/** Marks the whole chain, where the operation takes its place. */
export function markSuperseded(ws: WorkingSet, view: Viewpoint, operation: WireOperation, result: FinalResult): void {
  const chain = operation.supersedes ?? [];
  if (chain.length === 0 || !supersedesChain(ws, view, operation, result)) return;
  for (const id of chain) {
    const target = ws.operation(id);
    if (target === undefined) ws.putOperation(placeholder(ws, view, operation, id));
    else if (target.supersededBy !== operation.id) {
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
