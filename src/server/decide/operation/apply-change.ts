/** Asks the policy, writes the row and what goes with it, and says what was done. */
import type { Flag, OperationResult, WireOperation } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { PolicyVerdict } from "../rows/catalog.ts";
import { PolicyFailure } from "../rows/policy-failure.ts";
import { checkData, dataOf, draftScope, type RowDraft, recordOf, without, writeRow } from "../rows/rows.ts";
import { canSee, inScope } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { applyEffects } from "./effects.ts";
import { askPolicy, contentOf } from "./policy.ts";
import { applied, isCommercial, outOfScope, quarantined, rejected } from "./verdicts.ts";

export interface ProposedChange {
  readonly operation: WireOperation;
  readonly draft: RowDraft;
  readonly flags: readonly Flag[];
  /** Whether the till could not tell what the row is now [C4]. Assigned values and effects make it so in any case. */
  readonly echo: boolean;
  /** The `data` of a create as the schema gave it back. */
  readonly content?: Readonly<Record<string, unknown>> | undefined;
  readonly acknowledged?: { readonly assigned: JsonObject | undefined } | undefined;
}

/** @throws PolicyFailure */
export function applyChange(ws: WorkingSet, view: Viewpoint, change: ProposedChange): OperationResult {
  const { operation, draft } = change;
  const { served, before } = draft;
  // Into another branch's rows as little as out of them, whoever settled a conflict on the way: a till writes where it reads (L9).
  if (!isCommercial(view.catalog, operation) && !inScope(view.principal, draftScope(draft)))
    return outOfScope(operation);
  const verdict = askPolicy(ws, view, {
    served,
    operation,
    content: change.content ?? contentOf(operation),
    current: before?.state === "live" ? recordOf(served, before) : undefined,
    next: draft.state === "live" ? recordOf(served, draft) : undefined,
    acknowledged: change.acknowledged,
  });
  if (verdict.outcome !== "applied") return refusal(view, operation, verdict);
  const assigned = { ...verdict.assigned, ...ownAssigned(change) };
  writeRow(ws, amended(draft, assigned, verdict.without), operation.id);
  const effectFlags = applyEffects(ws, view, served, verdict.effects, operation.id);
  const flags = [...change.flags, ...discrepancyFlags(ws, view, operation, verdict), ...effectFlags];

  // Read again: an effect may have been on the same row.
  const row = ws.record(served.name, operation.entityId);
  if (row === undefined) return applied(operation, 0);
  const assignedSomething = Object.keys(assigned).length > 0;
  const echo = change.echo || assignedSomething || verdict.without.length > 0 || verdict.effects.length > 0;
  return applied(operation, row.version, {
    ...(row.state === "deleted" && { deleted: true }),
    ...(echo && row.state === "live" && canSee(served, row, view.principal) && { data: dataOf(served, row) }),
    ...(assignedSomething && { assigned }),
    flags,
  });
}

function refusal(
  view: Viewpoint,
  operation: WireOperation,
  verdict: Exclude<PolicyVerdict, { outcome: "applied" }>,
): OperationResult {
  const { outcome, code, message, issues } = verdict;
  // The types let no policy refuse a fact; JavaScript does, and of increments the types say nothing (L11).
  if (outcome === "rejected" && !isCommercial(view.catalog, operation))
    return rejected(operation, code, message, { issues });
  return quarantined(operation, code, message, issues);
}

/** What the lost history had assigned stands [C8.5]. */
function ownAssigned({ acknowledged, draft }: ProposedChange): JsonObject {
  const assigned = acknowledged?.assigned ?? {};
  const declared = Object.entries(assigned).filter(([name]) => draft.served.resolved.assigned.includes(name));
  return Object.fromEntries(declared);
}

/** The row with what the policy fills in, and without what it leaves out. */
function amended(draft: RowDraft, assigned: JsonObject, left: readonly string[]): RowDraft {
  const isAsSent = Object.keys(assigned).length === 0 && left.length === 0;
  if (isAsSent || draft.state !== "live") return draft;
  const checked = checkData(draft.served, draft.id, { ...without(draft.data, left), ...assigned }, draft.counters);
  if (checked.ok) return { ...draft, data: checked.data };
  const { path, message } = checked.issues[0] ?? { path: "", message: "refused" };
  throw new PolicyFailure(
    draft.served.name,
    "decide",
    `the schema refuses what it made of the row: ${path} ${message}`,
  );
}

const DISCREPANCY = "stock_discrepancy";

/** The first discrepancy belongs to the first flag of that code, and so on; what is left over makes flags of its own. */
function discrepancyFlags(
  ws: WorkingSet,
  view: Viewpoint,
  operation: WireOperation,
  { flags, discrepancies }: Extract<PolicyVerdict, { outcome: "applied" }>,
): readonly Flag[] {
  const ids = discrepancies.map((found, index) => {
    // Made of the operation's id: the same again in every run of this decision.
    const id = `${operation.id}-${index}`;
    const position = ws.take(operation.id);
    ws.putDiscrepancy({
      id,
      operationId: operation.id,
      ...found,
      at: view.receivedAt,
      position,
      resolution: undefined,
    });
    return id;
  });
  const named = flags.map((flag): Flag => {
    const discrepancyId = flag.code === DISCREPANCY ? ids.shift() : undefined;
    return discrepancyId === undefined ? flag : { ...flag, discrepancyId };
  });
  return [...named, ...ids.map((discrepancyId): Flag => ({ code: DISCREPANCY, discrepancyId }))];
}
