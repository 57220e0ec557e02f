/**
 * Increments [H4]. They commute, so they conflict with nothing and are never rejected. Counters belong to (collection,
 * id) and not to the row's life: steps on a row that does not exist count towards the sum when it appears. What the
 * counter has no room for waits alone: see out-of-range.ts.
 */
import type { Flag, IncrementOperation, OperationResult } from "../../../protocol/types.ts";
import { addSteps, currentRow } from "../rows/rows.ts";
import { inScope } from "../rows/scope.ts";
import { applyChange } from "./apply-change.ts";
import type { Acknowledgement, Judgement } from "./judgement.ts";
import { issuesOf, outOfRange } from "./out-of-range.ts";
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
  const steps = addSteps(served, before?.counters ?? {}, by);
  if (steps.kind === "outOfRange") return outOfRange(operation, steps.faults);
  if (steps.kind === "malformed") {
    return quarantined(operation, "malformed", "The counters can't take these steps", issuesOf(steps.faults));
  }
  const { counters } = steps;
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
