/** The decision of the server's results: each operation to its next state, each row to its new base. Pure. */
import type { AppliedResult, FinalResult, OperationResult, RejectedResult, RowState } from "../../protocol/types.ts";
import { applyPatch } from "../../schema/patch.ts";
import type { JsonObject } from "../../shared/json.ts";
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
import { resolveAutomatically } from "./conflict.ts";
import type { MintContext } from "./mint.ts";
import { pick } from "./replay.ts";
import type { Workspace } from "./workspace.ts";

/** What people may want to hear of. */
export type OperationEvent =
  | { readonly kind: "queued"; readonly operation: StoredOperation }
  | { readonly kind: "applied"; readonly operation: OperationIn<"applied"> }
  | { readonly kind: "rejected"; readonly operation: OperationIn<"rejected"> }
  | { readonly kind: "quarantined"; readonly operation: OperationIn<"quarantined"> }
  | { readonly kind: "conflict"; readonly conflict: StoredConflict }
  /** A resolver that threw, or answered something unclear. */
  | { readonly kind: "fault"; readonly error: unknown };

export interface ResultsInput {
  readonly results: readonly OperationResult[];
  readonly epoch: string;
  /** Of the answer, epoch ms. */
  readonly serverTime: number;
  /** The loaded members of an operation's transaction. */
  siblings(operation: StoredOperation): readonly StoredOperation[];
  /** The loaded conflict of that id. */
  conflict(id: string): StoredConflict | undefined;
}

export function decideResults(
  workspace: Workspace,
  context: MintContext,
  input: ResultsInput,
): readonly OperationEvent[] {
  const events: OperationEvent[] = [];
  for (const result of input.results) {
    const operation = workspace.operation(result.id);
    // Not of this store: another incarnation of the device, or an entry that the journal has let go.
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
 * An answer tells something new to an operation that has none yet, also to one that was put aside here: the server may have taken it in a
 * push whose answer was lost. Afterwards only a revision does [H3].
 */
function isNewResult(operation: StoredOperation, result: FinalResult): boolean {
  if (operation.status.state === "superseded") return false;
  const before = resultOf(operation);
  return before === undefined || (result.revision ?? 0) > (before.revision ?? 0);
}

/** `retry` is held like `blocked`: sent again when something final has come, and at the latest after a while. Neither costs a budget. */
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
      // The round before this answer: what unblocks it may be in this very answer [H2].
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
        ...applied(workspace, judged, result, stamp),
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
      if (!workspace.knows(operation.collection)) {
        // Nobody here can settle it: asked again now and then, until an app that knows the collection is back.
        workspace.put(asBlocked(workspace, operation, { id: result.id, status: "blocked", by: [] }));
        return [];
      }
      takeRow(workspace, operation, result.server);
      const next: StoredOperation = {
        ...judged,
        status: { state: "conflict", conflictId: result.conflictId, result: stamp },
      };
      workspace.put(next);
      const { conflict, fault } = resolveAutomatically(workspace, context, {
        operation: next,
        conflictId: result.conflictId,
        fields: result.fields,
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
      takeRow(workspace, operation, result.server);
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
): readonly OperationEvent[] {
  const next: OperationIn<"applied"> = {
    ...omit(operation, "acknowledged", "missingSince"),
    status: {
      state: "applied",
      version: result.version,
      ...(result.assigned && { assigned: result.assigned }),
      ...(result.flags && { flags: result.flags }),
      result: stamp,
    },
  };
  const before = {
    version: workspace.row(operation.collection, operation.entityId)?.version ?? 0,
    data: workspace.baseOf(operation.collection, operation.entityId),
  };
  workspace.put(next);
  if (operation.action === "void" || !workspace.knows(operation.collection)) return [];
  const base = baseAfter(operation, result, before, workspace.definition(operation.collection).counters);
  if (base !== undefined) workspace.setBase(operation.collection, operation.entityId, result.version, base);
  if (result.flags && result.flags.length > 0)
    workspace.annotate(operation.collection, operation.entityId, { flags: result.flags });
  return [{ kind: "applied", operation: next }];
}

/** The row as the operation left it. `undefined`: the answer does not say, the pull will. */
function baseAfter(
  operation: StoredOperation,
  result: AppliedResult,
  before: { readonly version: number; readonly data: JsonObject | null },
  counters: readonly string[],
): JsonObject | null | undefined {
  if (result.deleted) return null;
  if (result.data) return result.data;
  // Without the row, its version before was the one the operation was minted on, so that its effect on the base is known [C4]:
  // not so when it re-entered after a restore, over a base of the lost history.
  if (operation.acknowledged && operation.kind !== "fact") return undefined;
  switch (operation.action) {
    case "create":
      return { ...operation.data, ...operation.zeros, ...pick(before.data, counters), ...result.assigned };
    case "update":
      // Where a resync is under way the base may be older than that: an earlier result of this till has put it back.
      if (before.data === null || before.version !== operation.baseVersion) return undefined;
      return { ...applyPatch(before.data, operation.patch ?? {}, operation.unset), ...result.assigned };
    case "delete":
      return null;
    default:
      return undefined;
  }
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
    // Somebody's copy of what this one replaces had taken effect first: that one stands, and this one is given up.
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

/** Whatever finally became of an operation that lay on the desk, it is no longer open there. */
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

function takeRow(workspace: Workspace, operation: StoredOperation, row: RowState | undefined): void {
  if (row && workspace.knows(operation.collection))
    workspace.setBase(operation.collection, operation.entityId, row.version, row.deleted ? null : row.data);
}
