/** What the back office does with quarantined operations: it releases and discards them. Each revises results [H3]. */
import type { FinalResult, OperationResult } from "../../protocol/types.ts";
import type { Principal } from "../policy-types.ts";
import { isOpenQuarantine, type OperationRow } from "../ports/rows.ts";
import { commit, type DeskInput, type DeskOutcome, touchedResults } from "./desk.ts";
import { boundTo, nameTooMany } from "./operation/bound.ts";
import { evaluate } from "./operation/evaluate.ts";
import { discardedVerdict, flagFacts, isLeftOut } from "./operation/out-of-range.ts";
import { prepareStored, type Revision, revise } from "./operation/revise.ts";
import { markSuperseded } from "./operation/supersede.ts";
import { isFinal } from "./operation/verdicts.ts";
import { redactFor } from "./rows/redact.ts";
import { branchOf, inScope } from "./rows/scope.ts";
import type { Viewpoint } from "./rows/sender.ts";
import type { WorkingSet } from "./rows/working-set.ts";

/**
 * A released operation is judged as sent by the till that made it, in the branch that it was made in, but with the
 * rights of the office. An operation by a till of the whole tenant has no branch: it is limited to the branch of the
 * office that releases it (L9).
 */
function viewOf({ catalog, principal, now }: DeskInput, row: OperationRow): Viewpoint {
  const branch = branchOf(row);
  const till: Principal = {
    ...principal,
    branch: branch === "" ? principal.branch : branch,
    device: row.device,
    actor: row.sentBy,
  };
  return {
    catalog,
    principal: till,
    device: row.device,
    incarnation: row.incarnation,
    receivedAt: now,
    released: true,
  };
}

/** Whether the caller's desk has the operation: a token that is bound to a branch sees its branch's desk. */
function isOnDesk({ principal }: DeskInput, row: OperationRow): boolean {
  return inScope(principal, branchOf(row));
}

export function release(ws: WorkingSet, input: DeskInput): DeskOutcome {
  const found = ws.operation(input.id);
  if (found === undefined || !isOnDesk(input, found)) return { kind: "not_found" };
  if (!isOpenQuarantine(found)) return { kind: "not_quarantined" };
  const before = ws.clock.position;
  const savepoint = ws.savepoint();
  // A commercial transaction is released as a whole, or not at all [C1].
  const members = boundTo(ws, [found]);
  if (nameTooMany(members)) {
    const message = "It and what it is bound to name too many operations: discard it";
    return { kind: "refused", issues: [{ path: found.id, message }] };
  }
  const results: FinalResult[] = [];
  let refusal: DeskOutcome | undefined;
  for (const row of members) {
    const view = viewOf(input, row);
    const prepared = prepareStored(row);
    const result = evaluate(ws, view, prepared);
    const isIn = result.status === "applied" || (members.length > 1 && isLeftOut(row.operation, result));
    if (!isFinal(result) || !isIn) {
      refusal ??= refused(row, result);
      // This run is thrown away: the others still note what they lack. A transaction has more members than there are runs.
      if (ws.lacksRows) continue;
      break;
    }
    // While it was quarantined because its sender might not do this, it superseded nothing. Now it does.
    if (prepared.parsed.ok) markSuperseded(ws, view, prepared.parsed.value, result);
    results.push(revise(ws, row, result, revisionOf(input)));
  }
  if (refusal !== undefined) {
    // Not even a person can release what the schema refuses. The answer says why, and nothing has changed.
    ws.rollback(savepoint);
    return refusal;
  }
  const [first] = members;
  if (first !== undefined && results.every(({ status }) => status !== "applied")) {
    // Steps alone, and no counter has room for one of them: nothing has changed.
    ws.rollback(savepoint);
    return refused(first, results[0] as FinalResult);
  }
  flagFacts(
    ws,
    input.catalog,
    members.map(({ id }) => id),
  );
  commit(ws, input, "release");
  const revised = results.map((result) => {
    const row = ws.operation(result.id);
    return row === undefined ? result : redactFor(ws, input, row);
  });
  return { kind: "revised", results: revised, touched: [...ws.touchedSince(before), ...touchedResults(members)] };
}

function refused({ id }: OperationRow, result: OperationResult): DeskOutcome {
  const refusal = "error" in result ? result.error : { message: result.status, issues: undefined };
  return { kind: "refused", issues: refusal.issues ?? [{ path: id, message: refusal.message }] };
}

export function discard(ws: WorkingSet, input: DeskInput, reason: string): DeskOutcome {
  const found = ws.operation(input.id);
  if (found === undefined || !isOnDesk(input, found)) return { kind: "not_found" };
  if (!isOpenQuarantine(found)) return { kind: "not_quarantined" };
  // It stays quarantined, with a code that closes it: only the till's own people can say that a fact did not happen
  // (L11), and its payload is kept forever. The other members of its transaction are discarded with it: released alone
  // they would be a payment without its sale [C1].
  const members = boundTo(ws, [found]).filter(isOpenQuarantine);
  const results = members.map((row) => revise(ws, row, discardedVerdict(row, reason), revisionOf(input)));
  commit(ws, input, "discard");
  return { kind: "revised", results, touched: touchedResults(members) };
}

function revisionOf({ commitId, now }: DeskInput): Revision {
  return { takenBy: commitId, at: now };
}
