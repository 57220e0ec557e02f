/** What people do on the desks: resolve a conflict; retry, correct or give up an operation. Each is one transaction. */
import type { ResolvedCollections } from "../../schema/collections.ts";
import { splitCounters } from "../../schema/counters.ts";
import { applyPatch, type LoosePatch, pick } from "../../schema/patch.ts";
import { TillSyncError } from "../../shared/errors.ts";
import { type Choice, resolveByPerson } from "../decide/conflict.ts";
import { newerSchema } from "../decide/conflict-sides.ts";
import { raisedEdit } from "../decide/edit-now.ts";
import { readPatch } from "../decide/local-write.ts";
import type { MintContext, OperationPayload } from "../decide/mint.ts";
import { samePayload, supersede, unknownCollection } from "../decide/supersede.ts";
import type { RowChange, Workspace } from "../decide/workspace.ts";
import type { StorageScript } from "../ports/storage.ts";
import type { QueueState } from "../state/meta.ts";
import {
  isCommercial,
  isDiscarded,
  isIn,
  isLeftOut,
  isUnfinished,
  isWaiting,
  type StoredOperation,
} from "../state/operation.ts";
import { TRANSACTION_INDEX, transactionRange } from "../state/tables.ts";
import { loadWorkspace } from "./load.ts";
import { ask, conflictsById, operationsById, operationsIn, type Reads, valuesOf } from "./reads.ts";

/** What an action has stored. `operations`: those that it made. */
export interface DeskResult {
  readonly operations: readonly StoredOperation[];
  readonly changes: readonly RowChange[];
  readonly queue: QueueState;
}

/** @throws TillSyncError `conflict_settled` if the conflict is not open any more */
export function* resolveConflict(
  collections: ResolvedCollections,
  context: MintContext,
  conflictId: string,
  choice: Choice,
  note?: string,
): StorageScript<DeskResult> {
  const [[conflict]] = yield* ask([conflictsById([conflictId])]);
  if (conflict === undefined || conflict.settled) throw settled(conflictId);
  const { workspace, siblings } = yield* loadWorkspace(collections, {
    operationIds: [conflict.operationId],
    forSettling: true,
  });
  const operation = workspace.operation(conflict.operationId);
  if (operation?.status.state !== "conflict") throw settled(conflictId);
  const successor = resolveByPerson(workspace, context, {
    conflict,
    operation,
    choice,
    note,
    siblings: siblings(operation),
  });
  return finish(workspace, [successor]);
}

/** Sends rejected and quarantined operations again, unchanged. Operations that are waiting are only unblocked. */
export function* retryOperations(
  collections: ResolvedCollections,
  context: MintContext,
  asked: readonly string[],
): StorageScript<DeskResult> {
  const { ids, isBound } = yield* withGroups(asked);
  const { workspace, siblings } = yield* loadWorkspace(collections, { operationIds: ids, forSettling: true });
  const successors: StoredOperation[] = [];
  for (const id of ids) {
    const operation = workspace.operation(id);
    if (operation === undefined) throw notRejected(id, "unknown");
    if (isWaiting(operation)) workspace.unblock();
    else if (isIn(operation, "rejected", "quarantined")) {
      const options = { keepGroup: isBound(operation) };
      successors.push(supersede(workspace, context, operation, samePayload(operation), siblings(operation), options));
    } else throw notRejected(id, operation.status.state);
  }
  return finish(workspace, successors);
}

/**
 * Adds the members of each quarantined commercial transaction: they always take effect together, so none of them is
 * sent again without the others [C1]. A step that was left out of its sum is bound to none: its sale is in the books. `isBound`: whether another member is sent again with the operation.
 */
function* withGroups(
  asked: readonly string[],
): Reads<{ readonly ids: readonly string[]; isBound(operation: StoredOperation): boolean }> {
  const isKept = (o: StoredOperation) =>
    isIn(o, "quarantined") && o.group !== undefined && isCommercial(o) && !isLeftOut(o);
  const [found] = yield* ask([operationsById(asked)]);
  const kept = found.filter((o) => o !== undefined).filter(isKept);
  const groups = new Set(kept.map((o) => o.group));
  const transactions = new Set(kept.flatMap((o) => o.transaction ?? []));
  const scans = yield* ask([...transactions].map((id) => operationsIn(TRANSACTION_INDEX, transactionRange(id))));
  // What the office has discarded stays discarded, unless it was asked for. Then all of its transaction is sent again,
  // because goods do not move without their sale [C1].
  const reopened = new Set(kept.filter(isDiscarded).map((o) => o.group));
  const members = scans
    .flatMap(valuesOf)
    .filter((o) => isKept(o) && groups.has(o.group) && (!isDiscarded(o) || reopened.has(o.group)));
  return {
    ids: [...new Set([...asked, ...members.map((o) => o.id)])],
    isBound: (operation) => members.some((o) => o.id !== operation.id && o.group === operation.group),
  };
}

/**
 * Corrects a rejected or quarantined operation. The members of a quarantined commercial transaction are sent again with
 * it.
 */
export function* amendOperation(
  collections: ResolvedCollections,
  context: MintContext,
  id: string,
  patch: LoosePatch,
): StorageScript<DeskResult> {
  const { ids, isBound } = yield* withGroups([id]);
  const { workspace, siblings } = yield* loadWorkspace(collections, { operationIds: ids, forSettling: true });
  const amended = workspace.operation(id);
  if (amended === undefined || !isIn(amended, "rejected", "quarantined"))
    throw notRejected(id, amended?.status.state ?? "unknown");
  const successors: StoredOperation[] = [];
  for (const operation of ids.flatMap((member) => workspace.operation(member) ?? [])) {
    const payload = operation.id === id ? amendedPayload(workspace, operation, patch) : samePayload(operation);
    const options = { keepGroup: isBound(operation) };
    successors.push(supersede(workspace, context, operation, payload, siblings(operation), options));
  }
  return finish(workspace, successors);
}

/** Checked like any edit: on the record that the correction makes, and stored as the schema outputs it. */
function amendedPayload(workspace: Workspace, stored: StoredOperation, loose: LoosePatch): OperationPayload {
  const { collection, entityId } = stored;
  if (!workspace.knows(collection)) throw unknownCollection(collection);
  const definition = workspace.definition(collection);
  if (stored.schemaVersion > definition.schemaVersion) throw newerSchema(stored);
  const operation = raisedEdit(definition, stored, workspace.baseOf(collection, entityId));
  if (operation.action === "create") {
    const before = { ...operation.data, ...operation.zeros };
    const { patch, unset } = readPatch(definition, operation, before, loose);
    return {
      action: "create",
      data: splitCounters(definition.counters, applyPatch(before, patch, unset)).data,
      ...(operation.zeros && { zeros: operation.zeros }),
    };
  }
  if (operation.action !== "update")
    throw notRejected(
      operation.id,
      `an operation with the action \`${operation.action}\`; only a create or an update can be corrected`,
    );
  const current = workspace.view(collection, entityId);
  if (current === undefined)
    throw notRejected(
      operation.id,
      "an edit of a record that no longer exists; discard it, or create the record again",
    );
  const removed = Object.fromEntries((operation.unset ?? []).map((name) => [name, undefined]));
  const { patch, unset } = readPatch(definition, operation, current, { ...operation.patch, ...removed, ...loose });
  return { action: "update", patch, unset, before: pick(current, [...Object.keys(patch), ...unset]) };
}

/**
 * Gives up an edit, whatever its unfinished state. `void` tells the server, even if it is not known what became of the
 * edit there [C3].
 */
export function* discardOperation(
  collections: ResolvedCollections,
  context: MintContext,
  id: string,
  reason: string,
): StorageScript<DeskResult> {
  const { workspace, siblings, conflict } = yield* loadWorkspace(collections, {
    operationIds: [id],
    forSettling: true,
  });
  const operation = workspace.operation(id);
  if (operation === undefined) throw notRejected(id, "unknown");
  if (operation.kind === "fact") throw notRejected(id, "a fact, which is never given up");
  if (!isUnfinished(operation.status.state)) throw notRejected(id, operation.status.state);
  const open = isIn(operation, "conflict") ? conflict(operation.status.conflictId) : undefined;
  if (open && !open.settled)
    workspace.putConflict({ ...open, settled: { by: "person", at: context.now, kept: "server" } });
  const successor = supersede(workspace, context, operation, { action: "void" }, siblings(operation), { note: reason });
  return finish(workspace, [successor]);
}

function finish(
  workspace: Workspace,
  operations: readonly StoredOperation[],
): { readonly value: DeskResult; readonly writes: ReturnType<Workspace["finish"]>["writes"] } {
  if (operations.length > 0 && workspace.queue.oldestAt === undefined) workspace.setOldest(operations[0]?.occurredAt);
  const { writes, changes } = workspace.finish();
  return { writes, value: { operations, changes, queue: workspace.queue } };
}

function settled(conflictId: string): TillSyncError<"conflict_settled"> {
  return new TillSyncError(
    "conflict_settled",
    `The conflict ${conflictId} has already been settled, here or at the office. Read it again before you answer it.`,
    { conflictId },
  );
}

function notRejected(operationId: string, state: string): TillSyncError<"operation_not_rejected"> {
  return new TillSyncError(
    "operation_not_rejected",
    `The operation ${operationId} can't be changed on the desk: it is ${state}. Read it again, because its state may have changed.`,
    { operationId, state },
  );
}
