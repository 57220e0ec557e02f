/**
 * Increments [H4]. They commute, so they conflict with nothing and are never rejected. Counters belong to (collection,
 * id) and not to the row's life: steps on a row that does not exist count towards the sum when it appears.
 */
import type { Flag, IncrementOperation, OperationResult, VerdictIssue } from "../../../protocol/types.ts";
import type { RecordRow } from "../../ports/rows.ts";
import type { ServedCollection } from "../rows/catalog.ts";
import { addSteps, currentRow } from "../rows/rows.ts";
import { inScope } from "../rows/scope.ts";
import { applyChange } from "./apply-change.ts";
import type { Acknowledgement, Judgement } from "./judgement.ts";
import { mayTakeEffect } from "./rights.ts";
import { quarantined } from "./verdicts.ts";

export function increment(
  judgement: Judgement<IncrementOperation>,
  acknowledged?: Acknowledgement | undefined,
): OperationResult {
  const { ws, view, served, operation } = judgement;
  const { entityId, by } = operation;
  if (!mayTakeEffect(view, served, "increment")) {
    return quarantined(operation, "not_permitted", `The token may not increment in \`${served.name}\``);
  }
  const before = currentRow(ws, served, entityId);
  const counters = addSteps(served, before?.counters ?? {}, by);
  if (counters === undefined) {
    const issues = stepIssues(served, before?.counters ?? {}, by);
    return quarantined(operation, "malformed", "The counters can't take these steps", issues);
  }
  const flags: Flag[] = [];
  if (before === undefined || before.state === "stub") flags.push({ code: "unknown_row" });
  if (before?.state === "deleted") flags.push({ code: "deleted_row" });
  if (before !== undefined && !inScope(view.principal, before.scope)) flags.push({ code: "out_of_scope" });
  return applyChange(judgement, {
    draft: {
      served,
      id: entityId,
      before,
      state: before?.state ?? "stub",
      data: before?.data ?? {},
      counters,
      writtenFields: [],
      writer: view.incarnation,
    },
    flags,
    // If two tills sell one product, neither can compute the sum by itself [C4].
    echo: true,
    acknowledged,
  });
}

/** What is wrong with each step. */
function stepIssues(
  served: ServedCollection,
  before: RecordRow["counters"],
  by: IncrementOperation["by"],
): readonly VerdictIssue[] {
  return Object.entries(by).flatMap(([name, step]) => {
    const path = `by.${name}`;
    if (!served.resolved.counters.includes(name)) return { path, message: "There is no such counter" };
    if (addSteps(served, {}, { [name]: step }) === undefined) return { path, message: "Expected an integer" };
    if (addSteps(served, before, { [name]: step }) !== undefined) return [];
    return { path, message: "The sum would be too large to be exact" };
  });
}
