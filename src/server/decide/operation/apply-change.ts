/** Asks the policy about a change, writes the row and everything that belongs to the change, and returns the result. */
import type { Flag, OperationResult } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { PolicyVerdict } from "../rows/catalog.ts";
import { PolicyFailure } from "../rows/policy-failure.ts";
import { checkData, draftScope, type RowDraft, recordOf, without, writeRow } from "../rows/rows.ts";
import { inScope } from "../rows/scope.ts";
import { applyEffects } from "./effects.ts";
import type { Acknowledgement, Judgement } from "./judgement.ts";
import { askPolicy, contentOf } from "./policy.ts";
import { applied, isCommercial, outOfScope, quarantined, rejected } from "./verdicts.ts";
import { visibleData } from "./visible.ts";

export interface ProposedChange {
  readonly draft: RowDraft;
  readonly flags: readonly Flag[];
  /**
   * Whether the result carries the row because the till cannot tell it by itself [C4]. Assigned values and effects
   * always require that.
   */
  readonly echo: boolean;
  /** The `data` of a create as the schema returned it. */
  readonly content?: Readonly<Record<string, unknown>> | undefined;
  readonly acknowledged?: Acknowledgement | undefined;
}

/** @throws PolicyFailure */
export function applyChange(judgement: Judgement, change: ProposedChange): OperationResult {
  const { ws, view, served, operation } = judgement;
  const { draft } = change;
  const { before } = draft;
  // A till writes only where it reads (L9): it may not move a row into another branch either, even if a policy settled
  // a conflict for it.
  if (!isCommercial(view.catalog, operation) && !inScope(view.principal, draftScope(draft)))
    return outOfScope(operation);
  const verdict = askPolicy(judgement, {
    content: change.content ?? contentOf(operation),
    current: before?.state === "live" ? recordOf(served, before) : undefined,
    next: draft.state === "live" ? recordOf(served, draft) : undefined,
    acknowledged: change.acknowledged,
  });
  if (verdict.outcome !== "applied") return withoutEffect(judgement, verdict);
  const assigned = { ...verdict.assigned, ...acknowledgedValues(change) };
  writeRow(ws, amended(draft, assigned, verdict.without), operation.id);
  const effectFlags = applyEffects(judgement, verdict.effects);
  const flags = [...change.flags, ...discrepancyFlags(judgement, verdict), ...effectFlags];

  // Read again, because an effect may have written the same row.
  const row = ws.record(served.name, operation.entityId);
  if (row === undefined) return applied(operation, 0);
  const assignedSomething = Object.keys(assigned).length > 0;
  const echo = change.echo || assignedSomething || verdict.without.length > 0 || verdict.effects.length > 0;
  return applied(operation, row.version, {
    ...(row.state === "deleted" && { deleted: true }),
    ...(echo && visibleData(judgement, row)),
    ...(assignedSomething && { assigned }),
    flags,
  });
}

function withoutEffect(
  { view, operation }: Judgement,
  verdict: Exclude<PolicyVerdict, { outcome: "applied" }>,
): OperationResult {
  const { outcome, code, message, issues } = verdict;
  // The types let no policy reject a fact, but JavaScript can, and the types do not cover increments (L11).
  if (outcome === "rejected" && !isCommercial(view.catalog, operation))
    return rejected(operation, code, message, { issues });
  return quarantined(operation, code, message, issues);
}

/** Values that the lost history assigned remain valid [C8.5]. */
function acknowledgedValues({ acknowledged, draft }: ProposedChange): JsonObject {
  const assigned = acknowledged?.assigned ?? {};
  const declared = Object.entries(assigned).filter(([name]) => draft.served.resolved.assigned.includes(name));
  return Object.fromEntries(declared);
}

/** The row with the values that the policy assigns, and without the fields that it leaves out. */
function amended(draft: RowDraft, assigned: JsonObject, leftOut: readonly string[]): RowDraft {
  const isAsSent = Object.keys(assigned).length === 0 && leftOut.length === 0;
  if (isAsSent || draft.state !== "live") return draft;
  const checked = checkData(draft.served, draft.id, { ...without(draft.data, leftOut), ...assigned }, draft.counters);
  if (checked.ok) return { ...draft, data: checked.data };
  const { path, message } = checked.issues[0] ?? { path: "", message: "refused" };
  throw new PolicyFailure(
    draft.served.name,
    "decide",
    `the schema refuses the row that it would result in: ${path} ${message}`,
  );
}

const DISCREPANCY = "stock_discrepancy";

/** Links the n-th discrepancy to the n-th flag of that code, and adds a flag for each discrepancy that is left over. */
function discrepancyFlags(
  { ws, view, operation }: Judgement,
  { flags, discrepancies }: Extract<PolicyVerdict, { outcome: "applied" }>,
): readonly Flag[] {
  const ids = discrepancies.map((found, index) => {
    // Derived from the operation's id, so every run of this decision makes the same one.
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
