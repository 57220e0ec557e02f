/** What the server's answer to a registration reveals about this store. Pure. */
import type { RegisterResponse } from "../../protocol/types.ts";
import type { Identity } from "../state/meta.ts";

export type RegistrationVerdict =
  /** The token is for another shop or branch than the store: nothing is pushed, pulled or wiped. */
  | { readonly kind: "wrong_workspace" }
  /**
   * The server has seen higher sequence numbers of this incarnation than the store has given out: its disk was put back
   * [C7].
   */
  | { readonly kind: "rolled_back"; readonly loss: StorageLoss }
  /**
   * The store may sync. `loss`: the store is new but its device is not, so the operations that the old store had not
   * sent are lost [M11].
   */
  | { readonly kind: "welcome"; readonly loss: StorageLoss | undefined };

/** What a device has lost with a store, or with the newer state of one. */
export interface StorageLoss {
  /** The highest sequence number that the store is known to have given out. */
  readonly lastKnownSequence: number;
  /** How many operations the server has not received; `undefined` if it is not known to miss any. */
  readonly missing: number | undefined;
}

/** `sequence`: the last sequence number that the store has given out. */
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
