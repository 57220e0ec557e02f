/** What a till does when the server's history is another one than it knew (a restore from backup) [C8]. Pure. */
import { omit } from "../../shared/omit.ts";
import { generationOf, nextGenerations, type StoredOperation, type SyncPoint } from "../state/stored.ts";
import type { Workspace } from "./workspace.ts";

/**
 * The journal goes back into the outbox: every final result that no operation of this device has superseded. What had been applied says
 * so, and re-enters at its old version. Versions, revisions and blocks of the lost history mean nothing any more.
 */
export function decideEpochChange(
  workspace: Workspace,
  /** Of the lost history. */
  point: SyncPoint,
  journal: readonly StoredOperation[],
): number {
  let replaying = 0;
  for (const operation of journal) {
    const next = backToOutbox(operation, point);
    if (next === undefined) continue;
    workspace.put(next);
    replaying += 1;
  }
  workspace.unblock();
  return replaying;
}

const OF_THE_LOST_HISTORY = [
  "version",
  "assigned",
  "epoch",
  "revision",
  "resultAt",
  "blockedInRound",
  "blockedBy",
  "missing",
  "error",
  "conflictId",
] as const;

function backToOutbox(operation: StoredOperation, point: SyncPoint): StoredOperation | undefined {
  const { version, assigned, epoch } = operation;
  const rest = omit(operation, ...OF_THE_LOST_HISTORY);
  switch (operation.state) {
    case "applied":
      if (operation.action === "void" || epoch === undefined || version === undefined)
        return { ...rest, state: "pending", resend: true };
      return {
        ...rest,
        state: "pending",
        resend: true,
        acknowledged: { epoch, version, ...(assigned && { assigned }) },
        missingSince: generationOf(point, operation.collection) + 1,
      };
    case "quarantined":
    case "conflict":
    case "closed_elsewhere":
      return { ...rest, state: "pending", resend: true };
    case "blocked":
      return { ...rest, state: "pending" };
    default:
      // pending: waits anyway. rejected: nothing of it was ever stored. superseded: its superseder names it.
      return undefined;
  }
}

/** The sync point of the new epoch: no marks, and bases of the old one give way to any answer. */
export function newEpoch(point: SyncPoint, epoch: string, collections: readonly string[]): SyncPoint {
  return { ...nextGenerations(point, collections), epoch, marks: {} };
}
