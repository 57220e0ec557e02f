/** What all policies of facts look at. */
import type { Principal, Quarantined } from "tillsync/server";

export type Flags = { readonly code: string; readonly message?: string }[];

/**
 * A till speaks for its own branch. A fact that names another one is a till that was set up wrongly, or worse: it is neither put
 * into the other branch's books nor taken for this one's, but kept aside for a person.
 */
export function ofAnotherBranch(principal: Principal, branchId: string): Flags {
  if (principal.branch === undefined || principal.branch === branchId) return [];
  return [{ code: "branch_mismatch", message: "It names another branch than its till's" }];
}

/**
 * Whether a doubt keeps the fact aside. Not when a person has let it in, and not when it comes back after a restore: it gets its number,
 * and moves points and balances, as any other; the doubt stays on it as a flag.
 */
export function setAside(
  { released, acknowledged }: { readonly released?: true | undefined; readonly acknowledged?: object | undefined },
  [doubt]: Flags,
): Quarantined | undefined {
  if (doubt === undefined || released === true || acknowledged !== undefined) return undefined;
  return { outcome: "quarantined", code: doubt.code, message: doubt.message ?? doubt.code };
}

/** More than a wrong clock drifts in a day. */
const AHEAD_MS = 5 * 60 * 1_000;

/** How old a fact is does not matter: an outage may last for weeks. One from the future tells of a wrong clock. */
export function clockFlags(input: {
  readonly operation: { readonly occurredAt: number };
  readonly receivedAt: number;
}): Flags {
  return input.operation.occurredAt > input.receivedAt + AHEAD_MS ? [{ code: "clock_ahead" }] : [];
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
