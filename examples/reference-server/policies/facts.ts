/** The checks that all policies of facts share. */
import type { Principal, Quarantined } from "tillsync/server";

export type Flags = { readonly code: string; readonly message?: string }[];

/**
 * A till speaks for its own branch. If a fact names another branch, the till is set up wrongly, or worse: the fact is
 * added neither to the other branch's books nor to this one's, but quarantined for a person.
 */
export function ofAnotherBranch(principal: Principal, branchId: string): Flags {
  if (principal.branch === undefined || principal.branch === branchId) return [];
  return [{ code: "branch_mismatch", message: "It names another branch than its till's" }];
}

/**
 * Quarantines the fact if there is a doubt, unless a person has released it or a till sends it again after a restore.
 * In those cases it gets its number and moves points and balances like any other fact, and the doubt remains as a
 * flag.
 */
export function setAside(
  { released, acknowledged }: { readonly released?: true | undefined; readonly acknowledged?: object | undefined },
  [doubt]: Flags,
): Quarantined | undefined {
  if (doubt === undefined || released === true || acknowledged !== undefined) return undefined;
  return { outcome: "quarantined", code: doubt.code, message: doubt.message ?? doubt.code };
}

/** More than a clock drifts in a day. */
const AHEAD_MS = 5 * 60 * 1_000;

/**
 * The age of a fact does not matter: an outage may last for weeks. A fact from the future shows that a clock is
 * wrong.
 */
export function clockFlags(input: {
  readonly operation: { readonly occurredAt: number };
  readonly receivedAt: number;
}): Flags {
  return input.operation.occurredAt > input.receivedAt + AHEAD_MS ? [{ code: "clock_ahead" }] : [];
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
