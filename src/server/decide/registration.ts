/** The answer to a till that introduces itself: let in, refused, or a sign that this server was restored. (server/decide) */
import type { RegisterRequest } from "../../protocol/types.ts";
import { type Registration, register } from "./devices.ts";
import { type EpochClaim, type NeedsEpoch, needsEpoch, standingOf } from "./epoch.ts";
import { type Mark, type MarksSeen, markOf } from "./marks.ts";
import type { Session } from "./session.ts";
import type { WorkingSet } from "./working-set.ts";

export interface RegistrationInput {
  readonly session: Session;
  readonly named: RegisterRequest["device"];
  readonly epoch: EpochClaim;
  readonly marks: MarksSeen;
}

export type RegistrationOutcome =
  | {
      readonly kind: "registered";
      readonly registration: Registration;
      readonly epoch: string;
      /** For a store that has sent nothing yet: what came before it is none of its business, and may be years of results. */
      readonly mark: Mark | undefined;
    }
  | NeedsEpoch
  | { readonly kind: "wrong_workspace" }
  | { readonly kind: "revoked"; readonly epoch: string };

/** A pull refuses in the same order: a restore shows first, whoever it is that shows it [C8] [H6]. */
export function decideRegistration(
  ws: WorkingSet,
  { session, named, epoch, marks }: RegistrationInput,
): RegistrationOutcome {
  if (!ws.hasClock) return needsEpoch(ws);
  const standing = standingOf(ws, epoch, marks);
  if (standing === "restored") return needsEpoch(ws);
  // A stale epoch is no reason to refuse: the answer names the one that holds.
  if (standing === "wrong_workspace") return { kind: standing };
  if (ws.device(session.device)?.revokedAt !== undefined) return { kind: "revoked", epoch: ws.clock.epoch };
  const registration = register(ws, session, named);
  // A clone of it may have sent something already: results that it must hear before it sees their rows [C6].
  const isNew = epoch.kind === "none" && registration.lastSequence === 0;
  const mark = isNew ? markOf(ws, ws.clock.position) : undefined;
  return { kind: "registered", registration, epoch: ws.clock.epoch, mark };
}
