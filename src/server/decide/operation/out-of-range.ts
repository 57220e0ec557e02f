/**
 * Steps that a counter can't take [H4]: too large, or their sum would be. The goods have left the shop all the same, so
 * the sale counts without its step, and says so with a flag. The step alone waits in quarantine until there is room, and
 * is no half of a sale [C1]: nothing that was bound to it waits with it.
 */
import type {
  FinalResult,
  Flag,
  IncrementOperation,
  QuarantinedResult,
  UnknownOperation,
  VerdictIssue,
  WireOperation,
} from "../../../protocol/types.ts";
import type { OperationRow } from "../../ports/rows.ts";
import { type Catalog, isFact } from "../rows/catalog.ts";
import type { StepFault } from "../rows/rows.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { quarantined } from "./verdicts.ts";

export const OUT_OF_RANGE = "counter_out_of_range";

/** Named on each fact of a transaction. There may be 250 members, and each naming all others would be 60,000 names (L12). */
const MAX_NAMED = 5;

export function outOfRange(operation: IncrementOperation, faults: readonly StepFault[]): QuarantinedResult {
  return quarantined(operation, OUT_OF_RANGE, "A counter can't take the step", issuesOf(faults));
}

export function issuesOf(faults: readonly StepFault[]): readonly VerdictIssue[] {
  return faults.map(({ counter, message }) => ({ path: `by.${counter}`, message }));
}

/** What a flag calls a counter. */
export function counterName(collection: string, id: string, counter: string): string {
  return `${collection}/${id}/${counter}`;
}

/** Whether the operation was left out of a sum that had no room for it. A policy may use the code too, for a sale. */
export function isLeftOut(
  operation: WireOperation | UnknownOperation | undefined,
  result: { readonly status: string; readonly error?: { readonly code: string } | undefined },
): boolean {
  return operation?.action === "increment" && result.status === "quarantined" && result.error?.code === OUT_OF_RANGE;
}

/**
 * Whether the operation in quarantine is bound to no other: it was left out of a sum, and what it was sent with is in
 * the books. It stays so when it is discarded.
 */
export function standsAlone({ operation, result }: OperationRow): boolean {
  if (isLeftOut(operation, result)) return true;
  const error = "error" in result ? result.error : undefined;
  return operation?.action === "increment" && error?.code === "discarded" && error.issues !== undefined;
}

/** The verdict on what people discard. The issues of a step that stands alone are kept: they tell that it does. */
export function discardedVerdict(row: OperationRow, message: string): QuarantinedResult {
  const issues = standsAlone(row) && "error" in row.result ? (row.result.error.issues ?? []) : undefined;
  return quarantined(row, "discarded", message, issues);
}

/** Flags the facts among the operations, as far as they were applied, with the counters that could not take their step. */
export function flagFacts(ws: WorkingSet, catalog: Catalog, ids: readonly string[]): void {
  const rows = ids.map((id) => ws.operation(id)).filter((row) => row !== undefined);
  const flags = rows.flatMap(flagsOf).slice(0, MAX_NAMED);
  if (flags.length === 0) return;
  for (const row of rows) {
    const { result, operation } = row;
    if (!isFact(catalog, row.collection) || operation?.action !== "create" || result.status !== "applied") continue;
    const flagged: FinalResult = { ...result, flags: [...(result.flags ?? []), ...flags] };
    ws.putOperation({ ...row, result: flagged });
  }
}

function flagsOf({ collection, entityId, operation, result }: OperationRow): readonly Flag[] {
  if (!isLeftOut(operation, result) || !("error" in result)) return [];
  const counters = (result.error.issues ?? []).map(({ path }) => path.slice("by.".length));
  return counters.map((counter) => ({ code: OUT_OF_RANGE, message: counterName(collection, entityId, counter) }));
}
