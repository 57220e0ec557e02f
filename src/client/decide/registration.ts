/** What the server's answer to a registration says of this store. Pure. */
import type { RegisterResponse } from "../../protocol/types.ts";
import type { Identity } from "../state/meta.ts";

export type RegistrationVerdict =
  /** The token is for another shop than the store: nothing is pushed, pulled or wiped. */
  | { readonly kind: "wrong_workspace" }
  /** The server has seen numbers of this incarnation that the store has not given out: its disk was put back [C7]. */
  | { readonly kind: "rolled_back"; readonly loss: StorageLoss }
  /** `loss`: the store is new and its device is not, so that what the old one had not sent is gone [M11]. */
  | { readonly kind: "welcome"; readonly loss: StorageLoss | undefined };

export interface StorageLoss {
  readonly lastKnownSequence: number;
  /** How many operations the server never got; `undefined`: none that it knows of. */
  readonly missing: number | undefined;
}

/** `sequence`: the last one that the store has given out. */
export function decideRegistration(
  identity: Identity,
  sequence: number,
  answer: RegisterResponse,
): RegistrationVerdict {
  const { tenant, branch } = identity;
  if (tenant !== undefined && (tenant !== answer.tenant || branch !== answer.branch))
    return { kind: "wrong_workspace" };
  const { lastSequence } = answer;
  if (lastSequence > sequence) {
    return { kind: "rolled_back", loss: { lastKnownSequence: lastSequence, missing: lastSequence - sequence } };
  }
  return { kind: "welcome", loss: lostBefore(identity, answer.unsynced) };
}

function lostBefore(identity: Identity, earlier: RegisterResponse["unsynced"]): StorageLoss | undefined {
  if (identity.registered !== undefined || earlier.length === 0) return undefined;
  const missing = earlier.reduce((sum, incarnation) => sum + incarnation.missing, 0);
  return {
    lastKnownSequence: Math.max(...earlier.map(({ lastSequence }) => lastSequence)),
    missing: missing === 0 ? undefined : missing,
  };
}
