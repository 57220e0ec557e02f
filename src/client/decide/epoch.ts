/** What a till does when the server's history is another one than it knew (a restore from backup) [C8]. Pure. */
import { generationOf, nextGenerations, type SyncPoint } from "../state/meta.ts";
import type { StoredOperation } from "../state/operation.ts";
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

const RESEND = { state: "pending", resend: true } as const;

function backToOutbox(operation: StoredOperation, point: SyncPoint): StoredOperation | undefined {
  const { status } = operation;
  switch (status.state) {
    case "applied": {
      const { version, assigned, result } = status;
      const again: StoredOperation = { ...operation, status: RESEND };
      if (operation.action === "void" || result.epoch === undefined || version === undefined) return again;
      return {
        ...again,
        acknowledged: { epoch: result.epoch, version, ...(assigned && { assigned }) },
        missingSince: generationOf(point, operation.collection) + 1,
      };
    }
    case "quarantined":
    case "conflict":
    case "closed_elsewhere":
      return { ...operation, status: RESEND };
    case "blocked":
      return { ...operation, status: { state: "pending", ...(status.resend && { resend: true }) } };
    default:
      // pending: waits anyway. rejected: the server never stored any of it. superseded: its successor names it.
      return undefined;
  }
}

/** The sync point of the new epoch: no marks, and bases of the old one give way to any answer. */
export function newEpoch(point: SyncPoint, epoch: string, collections: readonly string[]): SyncPoint {
  return { ...nextGenerations(point, collections), epoch, marks: {} };
}
