/**
 * Whether a registration or a pull is admitted. A push has a rule of its own: what a revoked till sends is quarantined
 * [H6].
 */
import { type EpochClaim, type NeedsEpoch, needsEpoch, standingOf } from "./epoch.ts";
import type { MarksSeen } from "./rows/marks.ts";
import type { Sender } from "./rows/sender.ts";
import type { WorkingSet } from "./rows/working-set.ts";

/** What every request of a till carries: its sender, the epoch that it names, and the marks that it has seen. */
export interface Introduction {
  readonly session: Sender;
  readonly epoch: EpochClaim;
  readonly marks: MarksSeen;
  /**
   * How many bytes of results the answer may hold that the request did not ask for, and of changes: a till on a slow
   * line asks for less.
   *
   * @default what the protocol allows, which is also the most
   */
  readonly limitBytes?: number | undefined;
}

export type Refusal =
  | NeedsEpoch
  | { readonly kind: "wrong_workspace" }
  | { readonly kind: "revoked"; readonly epoch: string };
type Admission = Refusal | { readonly kind: "admitted"; readonly standing: "current" | "stale" };

/**
 * A restore is reported before a revocation: a revoked till may be the only one that knows of the restore, and it still
 * hands over what was lost in it [C8, H6].
 */
export function decideAdmission(ws: WorkingSet, { session, epoch, marks }: Introduction): Admission {
  if (!ws.hasClock) return needsEpoch(ws);
  const standing = standingOf(ws, epoch, marks);
  if (standing === "restored") return needsEpoch(ws);
  if (standing === "wrong_workspace") return { kind: standing };
  if (ws.device(session.device)?.revokedAt !== undefined) return { kind: "revoked", epoch: ws.clock.epoch };
  return { kind: "admitted", standing };
}
