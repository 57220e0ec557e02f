/** Which branches see a row [C10, L9]. */

import type { JsonObject } from "../../../shared/json.ts";
import type { Principal } from "../../policy-types.ts";
import type { OperationRow, RecordRow } from "../../ports/rows.ts";
import type { ScopeFilter } from "../../ports/store.ts";
import { mayDo, type ServedCollection } from "./catalog.ts";
import { PolicyFailure } from "./policy-failure.ts";

/** The branch that sees a record; "" for the whole tenant. */
export function scopeOf(served: ServedCollection, record: JsonObject): string {
  const { scope } = served.policy;
  if (scope === "tenant") return "";
  let branch: unknown;
  try {
    branch = scope.branch(record);
  } catch (cause) {
    throw new PolicyFailure(served.name, "scope.branch", cause);
  }
  if (branch === undefined || branch === null) return "";
  if (typeof branch === "string") return branch;
  throw new PolicyFailure(served.name, "scope.branch", `it returned a ${typeof branch}`);
}

export function isBranchScoped(served: ServedCollection): boolean {
  return served.policy.scope !== "tenant";
}

export function inScope(principal: Principal, scope: string): boolean {
  return principal.branch === undefined || scope === "" || scope === principal.branch;
}

/**
 * The branch whose people decide about an operation: the branch that the operation names, otherwise that of the token
 * that sent it; "" for the whole tenant. A malformed operation may name anything, or nothing. The device's branch of
 * today does not count: whoever signs in at another branch would take the operation off its desk (L9).
 */
export function branchOf({ operation, sentFrom }: Pick<OperationRow, "operation" | "sentFrom">): string {
  const claimed: unknown = operation?.branch;
  return typeof claimed === "string" && claimed !== "" ? claimed : (sentFrom ?? "");
}

/** Whether the principal may receive the row's data. */
export function canSee(served: ServedCollection, row: RecordRow, principal: Principal): boolean {
  return inScope(principal, row.scope) && mayDo(served, "read", principal);
}

/** Where something has changed. */
export interface Touched {
  readonly collection: string;
  /** The branch whose tills see the change; "" for the whole tenant. `undefined`: not known. */
  readonly scope: string | undefined;
}

/** The scopes whose rows a pull returns. */
export function scopesSeen(principal: Principal): ScopeFilter {
  return principal.branch === undefined ? "all" : ["", principal.branch];
}
