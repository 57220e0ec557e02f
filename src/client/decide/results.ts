/** Decides the server's results: each operation moves to its next state, and each row to its new base. Pure. */
import type { AppliedResult, FinalResult, OperationResult, RejectedResult, RowState } from "../../protocol/types.ts";
import { omit } from "../../shared/omit.ts";
import {
  isIn,
  isWaiting,
  type OperationIn,
  type ResultStamp,
  resultOf,
  type StoredOperation,
} from "../state/operation.ts";
import type { StoredConflict } from "../state/rows.ts";
import { baseAfter } from "./base-after.ts";
import { resolveAutomatically } from "./conflict.ts";
import type { MintContext } from "./mint.ts";
import type { Workspace } from "./workspace.ts";

/** What happened to an operation: the tab raises the client's events from it. */
export type OperationEvent =
  | { readonly kind: "queued"; readonly operation: StoredOperation }
  | { readonly kind: "applied"; readonly operation: OperationIn<"applied"> }
  | { readonly kind: "rejected"; readonly operation: OperationIn<"rejected"> }
  | { readonly kind: "quarantined"; readonly operation: OperationIn<"quarantined"> }
  | { readonly kind: "conflict"; readonly conflict: StoredConflict }
  /** A resolver threw, or returned something invalid. */
  | { readonly kind: "fault"; readonly error: unknown };

export interface ResultsInput {
  readonly results: readonly OperationResult[];
  /** Rows in the results may contain the effects of results that have not arrived. */
  readonly moreResults?: boolean | undefined;
  readonly epoch: string;
  /** The server's time in the answer, in epoch ms. */
  readonly serverTime: number;
  /** The loaded members of an operation's local transaction. */
  siblings(operation: StoredOperation): readonly StoredOperation[];
  /** The loaded conflict with that id. */
  conflict(id: string): StoredConflict | undefined;
}

/** Applies the results in their order, and returns what happened. */
export function decideResults(
  workspace: Workspace,
  context: MintContext,
  input: ResultsInput,
): readonly OperationEvent[] {
  const events: OperationEvent[] = [];
  for (const result of input.results) {
    const operation = workspace.operation(result.id);
    // The operation belongs to another incarnation of the device, or was pruned from the journal.
    if (operation === undefined) continue;
    if (result.status === "blocked" || result.status === "retry") {
      if (isWaiting(operation)) workspace.put(asBlocked(workspace, operation, result));
    } else if (isNewResult(operation, result)) {
      events.push(...decideFinal(workspace, context, input, operation, result));
      workspace.unblock();
    }
  }
  return events;
}

/**
 * Whether a final result is new. The first one is, even for an operation that was parked here: the server may have
 * accepted it in a push whose answer was lost. After that, only a result with a higher revision is [H3]. An operation
 * that this device has superseded takes none.
 */
function isNewResult(operation: StoredOperation, result: FinalResult): boolean {
  if (operation.status.state === "superseded") return false;
  const before = resultOf(operation);
  return before === undefined || (result.revision ?? 0) > (before.revision ?? 0);
}

/**
 * `retry` is stored like `blocked`: the operation is sent again once a final result has arrived, or after a minute. It
 * may be blocked any number of times.
 */
function asBlocked(
  workspace: Workspace,
  operation: StoredOperation,
  result: Extract<OperationResult, { status: "blocked" | "retry" }>,
): StoredOperation {
  const { status } = operation;
  return {
    ...operation,
    attempts: operation.attempts + 1,
    status: {
      state: "blocked",
      ...("resend" in status && status.resend && { resend: true }),
      // The round before this answer, because the final result that unblocks it may be in this same answer [H2].
      blockedInRound: workspace.unblockRoundBefore,
      blockedBy: result.status === "blocked" ? result.by : [],
      ...(result.status === "retry" && { error: result.error }),
      ...(result.status === "blocked" && result.missing && { missing: true }),
    },
  };
}

function decideFinal(
  workspace: Workspace,
  context: MintContext,
  input: ResultsInput,
  operation: StoredOperation,
  result: FinalResult,
): readonly OperationEvent[] {
  const stamp: ResultStamp = {
    at: result.at ?? input.serverTime,
    epoch: input.epoch,
    ...(result.revision !== undefined && { revision: result.revision }),
  };
  const judged = { ...operation, attempts: operation.attempts + (result.replayed ? 0 : 1) };
  switch (result.status) {
    case "applied":
      return [
        ...applied(workspace, judged, result, stamp, input),
        ...closeConflict(workspace, context, input, operation, "client"),
      ];
    case "quarantined": {
      const next: OperationIn<"quarantined"> = {
        ...judged,
        status: { state: "quarantined", error: result.error, result: stamp },
      };
      workspace.put(next);
      return [{ kind: "quarantined", operation: next }];
    }
    case "conflict": {
      takeRow(workspace, operation, result.server, input);
      const next: StoredOperation = {
        ...judged,
        status: { state: "conflict", conflictId: result.conflictId, result: stamp },
      };
      workspace.put(next);
      const { conflict, fault } = resolveAutomatically(workspace, context, {
        operation: next,
        conflictId: result.conflictId,
        fields: result.fields,
        server: result.server,
        siblings: input.siblings(operation),
      });
      return fault === undefined
        ? [{ kind: "conflict", conflict }]
        : [
            { kind: "conflict", conflict },
            { kind: "fault", error: fault },
          ];
    }
    case "rejected":
      takeRow(workspace, operation, result.server, input);
      return [
        ...rejected(workspace, judged, result, stamp),
        ...closeConflict(workspace, context, input, operation, "server"),
      ];
  }
}

function applied(
  workspace: Workspace,
  operation: StoredOperation,
  result: AppliedResult,
  stamp: ResultStamp,
  { moreResults = false }: ResultsInput,
): readonly OperationEvent[] {
  const next: OperationIn<"applied"> = {
    ...omit(operation, "acknowledged", "missingSince"),
    status: {
      state: "applied",
      version: result.version,
      ...(result.assigned && { assigned: result.assigned }),
      ...(result.assigned && result.schemaVersion !== undefined && { assignedVersion: result.schemaVersion }),
      ...(result.receipt !== undefined && { receipt: result.receipt }),
      ...(result.flags && { flags: result.flags }),
      result: stamp,
    },
  };
  const { collection, entityId } = operation;
  const before = {
    version: workspace.row(collection, entityId)?.version ?? 0,
    data: workspace.baseOf(collection, entityId),
    amendedTo: workspace.amendedTo(collection, entityId),
  };
  workspace.put(next);
  if (operation.action === "void" || !workspace.knows(collection)) return [];
  const base = baseAfter(workspace.definition(collection), operation, result, before, moreResults);
  if (base?.version !== undefined) {
    workspace.setBase(collection, entityId, base.version, base.data, base.schemaVersion);
    if (base.guessed) workspace.markGuessed(collection, entityId);
  } else if (base !== undefined) workspace.amendBase(collection, entityId, base.data, result.version);
  if (result.flags && result.flags.length > 0)
    workspace.annotate(operation.collection, operation.entityId, { flags: result.flags });
  return [{ kind: "applied", operation: next }];
}

function rejected(
  workspace: Workspace,
  operation: StoredOperation,
  { error, by }: RejectedResult,
  stamp: ResultStamp,
): readonly OperationEvent[] {
  const { code } = error;
  if (code === "superseded" || code === "already_superseded") {
    workspace.put({ ...operation, status: { state: "closed_elsewhere", error, result: stamp } });
    return [];
  }
  if (code === "already_applied") {
    // An operation that this one supersedes was applied before: it stays in effect, and this one is given up.
    workspace.put({
      ...operation,
      status: { state: "superseded", error, ...(by !== undefined && { supersededBy: by }), result: stamp },
    });
    const standing = by === undefined ? undefined : workspace.operation(by);
    if (standing && isIn(standing, "superseded")) {
      const { result } = standing.status;
      workspace.put({
        ...standing,
        status: { state: "applied", result: { ...result, at: stamp.at, epoch: stamp.epoch } },
      });
    }
    return [];
  }
  const next: OperationIn<"rejected"> = { ...operation, status: { state: "rejected", error, result: stamp } };
  workspace.put(next);
  return [{ kind: "rejected", operation: next }];
}

/** Closes the conflict of an operation that was on the desk and has another final result now. */
function closeConflict(
  workspace: Workspace,
  context: MintContext,
  input: ResultsInput,
  operation: StoredOperation,
  kept: "client" | "server",
): readonly OperationEvent[] {
  const conflict = isIn(operation, "conflict") ? input.conflict(operation.status.conflictId) : undefined;
  if (conflict === undefined || conflict.settled) return [];
  const settled: StoredConflict = { ...conflict, settled: { by: "server", at: context.now, kept } };
  workspace.putConflict(settled);
  return [{ kind: "conflict", conflict: settled }];
}

/**
 * Takes the row of a refusal, unless the server is ahead of the app and the row can't be read [H7], or the row is ahead
 * of the results that the till has [C6].
 */
function takeRow(
  workspace: Workspace,
  operation: StoredOperation,
  row: RowState | undefined,
  { moreResults }: ResultsInput,
): void {
  const { collection, entityId, schemaVersion } = operation;
  if (row === undefined || moreResults || !workspace.knows(collection)) return;
  const from = row.schemaVersion ?? schemaVersion;
  // That it was deleted can be read in any schema.
  if (!row.deleted && from > workspace.definition(collection).schemaVersion) return;
  workspace.setBase(collection, entityId, row.version, row.deleted ? null : row.data, from);
}
