/**
 * Increments [H4]: they commute, so they are in conflict with nothing, and are never refused. Counters belong to (collection, id) and
 * not to the row's life: steps on a row that is not there are in the sum when it appears.
 */
import type { Flag, IncrementOperation, OperationResult } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { ServedCollection } from "../rows/catalog.ts";
import { addSteps, currentRow } from "../rows/rows.ts";
import { inScope } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { applyChange } from "./apply-change.ts";
import { quarantined } from "./verdicts.ts";

export function increment(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: IncrementOperation,
  acknowledged?: { readonly assigned: JsonObject | undefined } | undefined,
): OperationResult {
  const { entityId, by } = operation;
  const before = currentRow(ws, served, entityId);
  const counters = addSteps(served, before?.counters ?? {}, by);
  if (counters === undefined) {
    return quarantined(
      operation,
      "malformed",
      `\`${Object.keys(by).join("`, `")}\` of \`${served.name}\` can't count that`,
    );
  }
  const flags: Flag[] = [];
  if (before === undefined || before.state === "stub") flags.push({ code: "unknown_row" });
  if (before?.state === "deleted") flags.push({ code: "deleted_row" });
  if (before !== undefined && !inScope(view.principal, before.scope)) flags.push({ code: "out_of_scope" });
  return applyChange(ws, view, {
    operation,
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
    // Two tills that sell one product: neither can tell the sum by itself [C4].
    echo: true,
    acknowledged,
  });
}
