/**
 * Acknowledged operations that return after a restore [C8.5]. They were judged once, in the history that is lost, and
 * are applied at the version that they had there: a field is written only if its own version is lower. So no conflict
 * is possible. If a field has a later write, the result carries the flag `overtaken`.
 *
 * For example, a till sends again an update of { name, price } that was acknowledged at version 40. The restored row
 * has name: [30, A] and price: [45, B]. The name is written, and stamped [40, the till]; the price stays, and the
 * result is `overtaken`.
 */
import type {
  CreateOperation,
  DeleteOperation,
  OperationResult,
  UpdateOperation,
  WireOperation,
} from "../../../protocol/types.ts";
import { applyPatch } from "../../../schema/patch.ts";
import type { Json } from "../../../shared/json.ts";
import type { RecordRow } from "../../ports/rows.ts";
import { checkData, currentRow, fieldVersion, lifeVersion, type RowDraft, recordOf } from "../rows/rows.ts";
import { inScope } from "../rows/scope.ts";
import { applyChange } from "./apply-change.ts";
import { increment } from "./counters.ts";
import { draftOn, invalid, unknownRow } from "./edits.ts";
import { createFact } from "./facts.ts";
import type { Acknowledgement, Judgement } from "./judgement.ts";
import { withoutRight } from "./rights.ts";
import { applied, outOfScope } from "./verdicts.ts";
import { visibleData } from "./visible.ts";

const OVERTAKEN = [{ code: "overtaken" }] as const;

export function replayAcknowledged(
  judgement: Judgement<Exclude<WireOperation, { action: "void" }>>,
  acknowledged: Acknowledgement,
): OperationResult {
  const { ws, view, served, operation } = judgement;
  if (operation.action === "increment") return increment({ ...judgement, operation }, acknowledged);
  if (operation.action === "create" && served.resolved.kind === "fact") {
    return createFact({ ...judgement, operation }, acknowledged);
  }
  // The earlier verdict does not give the token more rights than it has now.
  const refusal = withoutRight(view, served, operation);
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, operation.entityId);
  if (before !== undefined && before.state !== "stub" && !inScope(view.principal, before.scope))
    return outOfScope(operation);
  const known = before?.state === "stub" ? undefined : before;
  if (operation.action === "delete") return deleteAgain({ ...judgement, operation }, known, acknowledged);
  if (known === undefined) {
    return operation.action === "create"
      ? writeLowerFields({ ...judgement, operation }, before, acknowledged)
      : unknownRow({ ...judgement, operation });
  }
  const beginsAgain = operation.action === "create" && lifeVersion(known) < acknowledged.version;
  if (known.state === "deleted" && !beginsAgain)
    return applied(operation, known.version, { deleted: true, flags: OVERTAKEN });
  return writeLowerFields({ ...judgement, operation }, known, acknowledged);
}

function deleteAgain(
  judgement: Judgement<DeleteOperation>,
  before: RecordRow | undefined,
  acknowledged: Acknowledgement,
): OperationResult {
  const { operation } = judgement;
  if (before === undefined) return applied(operation, 0, { deleted: true });
  if (before.state === "deleted") return applied(operation, before.version, { deleted: true });
  if (Object.values(before.fields).some(([version]) => version > acknowledged.version)) {
    return applied(operation, before.version, { ...visibleData(judgement, before), flags: OVERTAKEN });
  }
  const draft: RowDraft = {
    ...draftOn(judgement, before),
    state: "deleted",
    data: before.data,
    writtenFields: [],
    stampedVersion: acknowledged.version,
  };
  return applyChange(judgement, { draft, flags: [], echo: true, acknowledged });
}

/** For creates and updates: writes every field that was not written later. */
function writeLowerFields(
  judgement: Judgement<CreateOperation | UpdateOperation>,
  before: RecordRow | undefined,
  acknowledged: Acknowledgement,
): OperationResult {
  const { served, operation } = judgement;
  const live = before?.state === "live" ? before : undefined;
  const set = operation.action === "create" ? operation.data : operation.patch;
  const removed = operation.action === "create" ? [] : (operation.unset ?? []);
  const { counters, assigned } = served.resolved;
  const names = [...Object.keys(set), ...removed].filter(
    (name) => !counters.includes(name) && !assigned.includes(name),
  );
  const lower = names.filter((name) => live === undefined || fieldVersion(live, name)[0] < acknowledged.version);
  const patch = Object.fromEntries(
    lower.filter((name) => Object.hasOwn(set, name)).map((name) => [name, set[name] as Json]),
  );
  const merged = applyPatch(
    live?.data ?? {},
    patch,
    lower.filter((name) => removed.includes(name)),
  );
  const checked = checkData(served, operation.entityId, merged, before?.counters ?? {});
  if (!checked.ok) return invalid(operation, checked.issues);
  const draft: RowDraft = {
    ...draftOn(judgement, before),
    state: "live",
    data: checked.data,
    isCreation: live === undefined,
    writtenFields: live === undefined ? Object.keys(checked.data) : lower,
    stampedVersion: acknowledged.version,
  };
  const record = recordOf(served, draft);
  return applyChange(judgement, {
    draft,
    flags: lower.length < names.length ? OVERTAKEN : [],
    echo: true,
    ...(operation.action === "create" && { content: { data: record } }),
    acknowledged,
  });
}
