/** What the actions of the back office have in common. */
import type { FinalResult, VerdictIssue } from "../../protocol/types.ts";
import type { Principal } from "../policy-types.ts";
import type { CommitRow, OperationRow } from "../ports/rows.ts";
import type { Catalog } from "./rows/catalog.ts";
import { branchOf, type Touched } from "./rows/scope.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface DeskInput {
  readonly catalog: Catalog;
  readonly principal: Principal;
  readonly id: string;
  /** The id of the commit that this action makes. */
  readonly commitId: string;
  readonly now: number;
}

export type DeskOutcome =
  | { readonly kind: "revised"; readonly results: readonly FinalResult[]; readonly touched: readonly Touched[] }
  | { readonly kind: "not_found" | "not_quarantined" | "conflict_settled" | "conflict_moved" }
  | { readonly kind: "refused"; readonly issues: readonly VerdictIssue[] };

/** Their devices have revised results to pull. */
export function touchedResults(rows: readonly OperationRow[]): readonly Touched[] {
  return rows
    .filter(({ collection }) => collection !== "")
    .map((row) => ({ collection: row.collection, scope: branchOf(row) }));
}

/** The commit takes the last position, so the next mark points at it. */
export function commit(ws: WorkingSet, { commitId, principal, now }: DeskInput, kind: CommitRow["kind"]): void {
  ws.putCommit({ id: commitId, position: ws.take(commitId), kind, actor: principal.actor, at: now });
}
