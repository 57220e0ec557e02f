/** The registration of a till: it is registered or refused, or it reveals that this server was restored. */
import type { RegisterRequest } from "../../protocol/types.ts";
import { decideAdmission, type Introduction, type Refusal } from "./admission.ts";
import { mayEnrol, type Registration, register } from "./rows/devices.ts";
import { type Mark, markOf } from "./rows/marks.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface RegistrationInput extends Introduction {
  readonly named: RegisterRequest["device"];
  /** The first sequence number of the incarnation, if it says so. */
  readonly firstSequence?: number | undefined;
}

export type RegistrationOutcome =
  | {
      readonly kind: "registered";
      readonly registration: Registration;
      readonly epoch: string;
      /** For a store that has sent nothing yet: it needs none of the earlier results, which may be those of years. */
      readonly mark: Mark | undefined;
    }
  | { readonly kind: "throttled" }
  | Refusal;

export function decideRegistration(ws: WorkingSet, input: RegistrationInput): RegistrationOutcome {
  const admitted = decideAdmission(ws, input);
  if (admitted.kind !== "admitted") return admitted;
  if (!mayEnrol(ws, input.session)) return { kind: "throttled" };
  // A stale epoch is no reason to refuse: the answer names the epoch in force.
  const { session, epoch } = input;
  const registration = register(ws, session, input);
  // If a clone of the store has sent something already, this store must receive those results before it sees their rows
  // [C6].
  const isNew = epoch.kind === "none" && registration.lastSequence === 0;
  const mark = isNew ? markOf(ws, ws.clock.position) : undefined;
  return { kind: "registered", registration, epoch: ws.clock.epoch, mark };
}
