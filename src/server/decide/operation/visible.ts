/** What a result shows of a row. */
import type { AppliedResult } from "../../../protocol/types.ts";
import type { RecordRow } from "../../ports/rows.ts";
import { dataOf, labelOf } from "../rows/rows.ts";
import { canSee } from "../rows/scope.ts";
import type { Judgement } from "./judgement.ts";

/** The row's data with its schema version, if the row exists and the till may see it. */
export function visibleData(
  { view, served }: Pick<Judgement, "view" | "served">,
  row: RecordRow,
): Pick<AppliedResult, "data" | "schemaVersion"> {
  return row.state === "live" && canSee(served, row, view.principal)
    ? { data: dataOf(served, row), ...labelOf(served) }
    : {};
}
