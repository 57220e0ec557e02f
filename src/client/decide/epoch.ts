/**
 * What a till does when the server has another history than before, because it was restored from a backup [C8]. Pure.
 */
import { LIMITS } from "../../protocol/constants.ts";
import { type JsonObject, jsonBytes } from "../../shared/json.ts";
import { generationOf, nextGenerations, type SyncPoint } from "../state/meta.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Puts the journal back into the outbox: every operation that is applied, quarantined, in conflict or closed elsewhere,
 * and every one whose id was taken.
 * An applied operation carries its old result in `acknowledged`, and re-enters at its old version. Versions, revisions
 * and blocks of the lost history mean nothing in the new one, so a blocked operation becomes pending too. Returns how
 * many operations became pending.
 */
export function decideEpochChange(
  workspace: Workspace,
  /** The sync point of the lost history. */
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

function fits(assigned: JsonObject): boolean {
  return jsonBytes(JSON.stringify(assigned)) <= LIMITS.assignedBytes;
}

const RESEND = { state: "pending", resend: true } as const;

function backToOutbox(operation: StoredOperation, point: SyncPoint): StoredOperation | undefined {
  const { status } = operation;
  switch (status.state) {
    case "applied": {
      const { version, assigned, assignedVersion: schemaVersion, receipt, result } = status;
      const again: StoredOperation = { ...operation, status: RESEND };
      if (operation.action === "void" || result.epoch === undefined || version === undefined) return again;
      return {
        ...again,
        acknowledged: {
          epoch: result.epoch,
          version,
          // More than a server may assign would make the operation too large to send. The server assigns it anew [M1].
          ...(assigned && fits(assigned) && { assigned, ...(schemaVersion !== undefined && { schemaVersion }) }),
          ...(receipt !== undefined && { receipt }),
        },
        missingSince: generationOf(point, operation.collection) + 1,
      };
    }
    case "quarantined":
    case "conflict":
    case "closed_elsewhere":
      return { ...operation, status: RESEND };
    case "blocked":
      return { ...operation, status: { state: "pending", ...(status.resend && { resend: true }) } };
    case "rejected":
      // The server kept its payload all the same, for people to decide about [H8]. What else is rejected had no effect
      // on the server, and nothing of it is lost.
      return status.error.code === "operation_id_reused" ? { ...operation, status: RESEND } : undefined;
    default:
      // pending: it waits anyway. superseded: its successor names it.
      return undefined;
  }
}

/** The sync point of the new epoch. It has no marks, and any answer replaces the bases of the old epoch. */
export function newEpoch(point: SyncPoint, epoch: string, collections: readonly string[]): SyncPoint {
  return { ...nextGenerations(point, collections), epoch, marks: {} };
}
