/**
 * Acknowledged operations that come back after a restore [C8.5]. They were judged once, in the history that is lost, and are let in
 * at the version that they had there: each field only if its own version is lower. No conflict is possible; where a later write
 * stands, the result says `overtaken`.
 */
import type {
  CreateOperation,
  DeleteOperation,
  OperationResult,
  UpdateOperation,
  WireOperation,
} from "../../../protocol/types.ts";
import { applyPatch } from "../../../schema/patch.ts";
import type { Json, JsonObject } from "../../../shared/json.ts";
import type { RecordRow } from "../../ports/rows.ts";
import { mayDo, type ServedCollection } from "../rows/catalog.ts";
import { checkData, currentRow, fieldVersion, lifeVersion, type RowDraft, recordOf } from "../rows/rows.ts";
import { inScope } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { applyChange } from "./apply-change.ts";
import { increment } from "./counters.ts";
import { draftOn, invalid, seen } from "./edits.ts";
import { createFact } from "./facts.ts";
import { applied, missing, outOfScope, rejected } from "./verdicts.ts";

export interface Acknowledgement {
  readonly version: number;
  readonly assigned: JsonObject | undefined;
}

const OVERTAKEN = [{ code: "overtaken" }] as const;

export function replayAcknowledged(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: Exclude<WireOperation, { action: "void" }>,
  acknowledged: Acknowledgement,
): OperationResult {
  if (operation.action === "increment") return increment(ws, view, served, operation, acknowledged);
  if (operation.action === "create" && served.resolved.kind === "fact") {
    return createFact(ws, view, served, operation, acknowledged);
  }
  // What the server's word was then does not make a token hold more now.
  if (view.released !== true && !mayDo(served, operation.action, view.principal)) {
    return rejected(operation, "not_permitted", `The token may not ${operation.action} in \`${served.name}\``);
  }
  const before = currentRow(ws, served, operation.entityId);
  if (before !== undefined && before.state !== "stub" && !inScope(view.principal, before.scope))
    return outOfScope(operation);
  const known = before?.state === "stub" ? undefined : before;
  if (operation.action === "delete") return remove(ws, view, served, operation, known, acknowledged);
  if (
    operation.action === "create" &&
    (known === undefined || (known.state === "deleted" && lifeVersion(known) < acknowledged.version))
  ) {
    return setFields(ws, view, served, operation, before, acknowledged);
  }
  if (known === undefined) return missing(operation);
  if (known.state === "deleted") return applied(operation, known.version, { deleted: true, flags: OVERTAKEN });
  return setFields(ws, view, served, operation, known, acknowledged);
}

function remove(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: DeleteOperation,
  before: RecordRow | undefined,
  acknowledged: Acknowledgement,
): OperationResult {
  if (before === undefined) return applied(operation, 0, { deleted: true });
  if (before.state === "deleted") return applied(operation, before.version, { deleted: true });
  if (Object.values(before.fields).some(([version]) => version > acknowledged.version)) {
    return applied(operation, before.version, { ...seen(view, served, before), flags: OVERTAKEN });
  }
  const draft: RowDraft = {
    ...draftOn(view, served, operation, before),
    state: "deleted",
    data: before.data,
    writtenFields: [],
    stampedVersion: acknowledged.version,
  };
  return applyChange(ws, view, { operation, draft, flags: [], echo: true, acknowledged });
}

/** Creates and updates: every field that nobody has written later. */
function setFields(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: CreateOperation | UpdateOperation,
  before: RecordRow | undefined,
  acknowledged: Acknowledgement,
): OperationResult {
  const live = before?.state === "live" ? before : undefined;
  const said = operation.action === "create" ? operation.data : operation.patch;
  const removed = operation.action === "create" ? [] : (operation.unset ?? []);
  const { counters, assigned } = served.resolved;
  const names = [...Object.keys(said), ...removed].filter(
    (name) => !counters.includes(name) && !assigned.includes(name),
  );
  const lower = names.filter((name) => live === undefined || fieldVersion(live, name)[0] < acknowledged.version);
  const patch = Object.fromEntries(
    lower.filter((name) => Object.hasOwn(said, name)).map((name) => [name, said[name] as Json]),
  );
  const merged = applyPatch(
    live?.data ?? {},
    patch,
    lower.filter((name) => removed.includes(name)),
  );
  const checked = checkData(served, operation.entityId, merged, before?.counters ?? {});
  if (!checked.ok) return invalid(operation, checked.issues);
  const draft: RowDraft = {
    ...draftOn(view, served, operation, before),
    state: "live",
    data: checked.data,
    isCreation: live === undefined,
    writtenFields: live === undefined ? Object.keys(checked.data) : lower,
    stampedVersion: acknowledged.version,
  };
  const record = recordOf(served, draft);
  return applyChange(ws, view, {
    operation,
    draft,
    flags: lower.length < names.length ? OVERTAKEN : [],
    echo: true,
    ...(operation.action === "create" && { content: { data: record } }),
    acknowledged,
  });
}
