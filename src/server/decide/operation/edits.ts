/** Edits of records: field by field, so that a conflict is only where two devices changed the same one [C5]. */
import type {
  CreateOperation,
  DeleteOperation,
  Flag,
  OperationResult,
  UpdateOperation,
  VerdictIssue,
  WireOperation,
} from "../../../protocol/types.ts";
import { applyPatch } from "../../../schema/patch.ts";
import { deepEqual, type JsonObject } from "../../../shared/json.ts";
import type { RecordRow } from "../../ports/rows.ts";
import { mayDo, type Right, type ServedCollection } from "../rows/catalog.ts";
import {
  checkData,
  currentRow,
  dataOf,
  fieldVersion,
  foreignFields,
  type RowDraft,
  recordOf,
  stateOf,
  without,
} from "../rows/rows.ts";
import { canSee, inScope, isBranchScoped } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { applyChange } from "./apply-change.ts";
import { type FieldConflict, settleByPolicy } from "./conflict-policy.ts";
import { unresolved } from "./facts.ts";
import { applied, conflict, missing, outOfScope, rejected } from "./verdicts.ts";

export function createRecord(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: CreateOperation,
): OperationResult {
  const { entityId, data } = operation;
  const refusal = notPermitted(view, served, operation, "create") ?? notTheTills(served, operation, Object.keys(data));
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, entityId);
  if (before !== undefined && before.state !== "stub" && !inScope(view.principal, before.scope))
    return outOfScope(operation);
  const checked = checkData(served, entityId, data, before?.counters ?? {});
  if (!checked.ok) return invalid(operation, checked.issues);

  if (before?.state === "live") return meetExisting(ws, view, served, operation, before, checked.data);
  const draft: RowDraft = {
    ...draftOn(view, served, operation, before),
    state: "live",
    data: checked.data,
    isCreation: true,
    writtenFields: Object.keys(checked.data),
  };
  const record = recordOf(served, draft);
  const flags = unresolved(ws, served.resolved.references, checked.data);
  return applyChange(ws, view, { operation, draft, flags, echo: true, content: { data: record } });
}

/** Two tills that made the same row have no quarrel; two that made different ones have. */
function meetExisting(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: CreateOperation,
  before: RecordRow,
  data: JsonObject,
): OperationResult {
  const stored = without(before.data, served.resolved.assigned);
  if (deepEqual(stored, data)) return applied(operation, before.version, seen(view, served, before));
  const names = [...new Set([...Object.keys(stored), ...Object.keys(data)])];
  const fields = names.filter((name) => !deepEqual(stored[name], data[name]));
  const client = applyPatch(before.data, data);
  return inConflict(ws, view, served, operation, before, { fields, client });
}

export function updateRecord(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: UpdateOperation,
): OperationResult {
  const { entityId, patch, unset = [], baseVersion, force } = operation;
  const touched = [...Object.keys(patch), ...unset];
  const refusal =
    notPermitted(view, served, operation, "update") ??
    (force === true ? notPermitted(view, served, operation, "force") : undefined) ??
    notTheTills(served, operation, touched);
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, entityId);
  if (before === undefined || before.state === "stub" || !inScope(view.principal, before.scope)) {
    return unknown(ws, served, operation, baseVersion);
  }
  if (before.state === "deleted") {
    const client = applyPatch(before.data, patch, unset);
    return inConflict(ws, view, served, operation, before, { fields: touched, client });
  }
  const merged = applyPatch(before.data, patch, unset);
  if (force !== true) {
    const fields = touched.filter((name) => isForeign(fieldVersion(before, name), baseVersion, view));
    if (fields.length > 0) return inConflict(ws, view, served, operation, before, { fields, client: merged });
  }
  const checked = checkData(served, entityId, merged, before.counters);
  if (!checked.ok) return invalid(operation, checked.issues);
  const draft: RowDraft = {
    ...draftOn(view, served, operation, before),
    state: "live",
    data: checked.data,
    writtenFields: touched,
  };
  const flags: Flag[] = force === true ? [{ code: "forced" }] : [];
  flags.push(...unresolved(ws, served.resolved.references, patch));
  const echo = before.version !== baseVersion || !deepEqual(checked.data, merged);
  return applyChange(ws, view, { operation, draft, flags, echo });
}

export function deleteRecord(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: DeleteOperation,
): OperationResult {
  const { entityId, baseVersion, force } = operation;
  const refusal =
    notPermitted(view, served, operation, "delete") ??
    (force === true ? notPermitted(view, served, operation, "force") : undefined);
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, entityId);
  const isThere = before !== undefined && before.state !== "stub";
  if (isBranchScoped(served) && (!isThere || !inScope(view.principal, before.scope))) return outOfScope(operation);
  if (!isThere) return applied(operation, 0, { deleted: true });
  if (before.state === "deleted") return applied(operation, before.version, { deleted: true });
  if (force !== true) {
    // Sales move counters all day: only what somebody wrote into the fields stands against a deletion [H4].
    const fields = foreignFields(before, baseVersion, view.incarnation);
    if (fields.length > 0) {
      // `id` stands for the row's own life, and is no field that anybody edited.
      const named = fields.filter((field) => field !== "id");
      return inConflict(ws, view, served, operation, before, { fields: named, client: undefined });
    }
  }
  const draft: RowDraft = {
    ...draftOn(view, served, operation, before),
    state: "deleted",
    data: before.data,
    writtenFields: [],
  };
  return applyChange(ws, view, { operation, draft, flags: force === true ? [{ code: "forced" }] : [], echo: false });
}

function isForeign([version, writer]: readonly [number, string], baseVersion: number, view: Viewpoint): boolean {
  return version > baseVersion && writer !== view.incarnation;
}

function inConflict(
  ws: WorkingSet,
  view: Viewpoint,
  served: ServedCollection,
  operation: WireOperation,
  before: RecordRow,
  quarrel: FieldConflict,
): OperationResult {
  // In scope, and yet not to be read: a conflict would show it.
  if (!canSee(served, before, view.principal)) {
    return rejected(operation, "not_permitted", `The token may not read \`${served.name}\``);
  }
  const settled = settleByPolicy(ws, view, served, operation, before, quarrel);
  return settled ?? conflict(operation, quarrel.fields, stateOf(served, before));
}

function notPermitted(view: Viewpoint, served: ServedCollection, operation: WireOperation, right: Right) {
  if (view.released === true || mayDo(served, right, view.principal)) return undefined;
  return rejected(operation, "not_permitted", `The token may not ${right} in \`${served.name}\``);
}

/** Counters move by `increment`, assigned fields by the server, an id never. */
function notTheTills({ resolved }: ServedCollection, operation: WireOperation, names: readonly string[]) {
  const stray = names.find(
    (name) => name === "id" || resolved.counters.includes(name) || resolved.assigned.includes(name),
  );
  if (stray === undefined) return undefined;
  return rejected(operation, "malformed", `\`${stray}\` can't be set by \`${operation.action}\``);
}

/**
 * No row that this till may know of. Where rows belong to branches the answer is the same for one that is not there and one that
 * is another branch's [C10]; after a restore another till may still bring one that this till has had from the server [C8.6]. The row
 * of an edit without a base was made by the editor, and its own create has been answered before it: nobody else brings that.
 */
function unknown(
  ws: WorkingSet,
  served: ServedCollection,
  operation: UpdateOperation,
  baseVersion: number,
): OperationResult {
  const { epochOrdinal, epochStart } = ws.clock;
  if (epochOrdinal > 1 && baseVersion > 0 && baseVersion <= epochStart) return missing(operation);
  if (isBranchScoped(served)) return outOfScope(operation);
  return rejected(operation, "not_found", "There is no such row");
}

export function invalid(operation: WireOperation, issues: readonly VerdictIssue[]): OperationResult {
  return rejected(operation, "validation_failed", "The schema does not accept the record", { issues });
}

export function draftOn(
  view: Viewpoint,
  served: ServedCollection,
  { entityId }: WireOperation,
  before: RecordRow | undefined,
) {
  return { served, id: entityId, before, counters: before?.counters ?? {}, writer: view.incarnation };
}

/** The row, where the till may see it. */
export function seen(view: Viewpoint, served: ServedCollection, row: RecordRow): { readonly data?: JsonObject } {
  return row.state === "live" && canSee(served, row, view.principal) ? { data: dataOf(served, row) } : {};
}
