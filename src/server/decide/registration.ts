/** The answer to a till that introduces itself: let in, refused, or a sign that this server was restored. */
import type { RegisterRequest } from "../../protocol/types.ts";
import { decideAdmission, type Introduction, type Refusal } from "./admission.ts";
import { type Registration, register } from "./rows/devices.ts";
import { type Mark, markOf } from "./rows/marks.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface RegistrationInput extends Introduction {
  readonly named: RegisterRequest["device"];
}

export type RegistrationOutcome =
  | {
      readonly kind: "registered";
      readonly registration: Registration;
      readonly epoch: string;
      /** For a store that has sent nothing yet: what came before it is none of its business, and may be years of results. */
      readonly mark: Mark | undefined;
    }
  | Refusal;

export function decideRegistration(ws: WorkingSet, input: RegistrationInput): RegistrationOutcome {
  const admitted = decideAdmission(ws, input);
  if (admitted.kind !== "admitted") return admitted;
  // A stale epoch is no reason to refuse: the answer names the one that holds.
  const { session, named, epoch } = input;
  const registration = register(ws, session, named);
  // A clone of it may have sent something already: results that it must hear before it sees their rows [C6].
  const isNew = epoch.kind === "none" && registration.lastSequence === 0;
  const mark = isNew ? markOf(ws, ws.clock.position) : undefined;
  return { kind: "registered", registration, epoch: ws.clock.epoch, mark };
}
