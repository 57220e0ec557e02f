/** Edits of records, field by field: there is a conflict only if two devices changed the same field [C5]. */
import type {
  CreateOperation,
  DeleteOperation,
  Flag,
  OperationResult,
  RejectedResult,
  UpdateOperation,
  VerdictIssue,
  WireOperation,
} from "../../../protocol/types.ts";
import { applyPatch } from "../../../schema/patch.ts";
import { deepEqual, type JsonObject, jsonBytes } from "../../../shared/json.ts";
import type { RecordRow } from "../../ports/rows.ts";
import {
  checkData,
  currentRow,
  type FieldVersion,
  fieldVersion,
  foreignFields,
  type RowDraft,
  recordOf,
  stateOf,
  without,
} from "../rows/rows.ts";
import { canSee, inScope, isBranchScoped } from "../rows/scope.ts";
import type { Viewpoint } from "../rows/sender.ts";
import { applyChange } from "./apply-change.ts";
import { type FieldConflict, settleByPolicy } from "./conflict-policy.ts";
import { unresolvedReferences } from "./facts.ts";
import type { Judgement } from "./judgement.ts";
import { withoutRight } from "./rights.ts";
import { applied, conflict, missing, outOfScope, rejected } from "./verdicts.ts";
import { visibleData } from "./visible.ts";

export function createRecord(judgement: Judgement<CreateOperation>): OperationResult {
  const { ws, view, served, operation } = judgement;
  const { entityId, data } = operation;
  const refusal = withoutRight(view, served, operation) ?? notSettable(judgement, Object.keys(data));
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, entityId);
  if (before !== undefined && before.state !== "stub" && !inScope(view.principal, before.scope))
    return outOfScope(operation);
  const checked = checkData(served, entityId, data, before?.counters ?? {});
  if (!checked.ok) return invalid(operation, checked.issues);

  if (before?.state === "live") return meetExisting(judgement, before, checked.data);
  const draft: RowDraft = {
    ...draftOn(judgement, before),
    state: "live",
    data: checked.data,
    isCreation: true,
    writtenFields: Object.keys(checked.data),
  };
  const record = recordOf(served, draft);
  const flags = unresolvedReferences(judgement, checked.data);
  return applyChange(judgement, { draft, flags, echo: true, content: { data: record } });
}

/** Two tills that created equal rows under one id do not conflict; two that created different ones do. */
function meetExisting(judgement: Judgement<CreateOperation>, before: RecordRow, data: JsonObject): OperationResult {
  const { served, operation } = judgement;
  const stored = without(before.data, served.resolved.assigned);
  if (deepEqual(stored, data)) return applied(operation, before.version, visibleData(judgement, before));
  const names = [...new Set([...Object.keys(stored), ...Object.keys(data)])];
  const fields = names.filter((name) => !deepEqual(stored[name], data[name]));
  const client = applyPatch(before.data, data);
  return inConflict(judgement, before, { fields, client });
}

export function updateRecord(judgement: Judgement<UpdateOperation>): OperationResult {
  const { ws, view, served, operation } = judgement;
  const { entityId, patch, unset = [], baseVersion, force } = operation;
  const touched = [...Object.keys(patch), ...unset];
  const refusal = withoutRight(view, served, operation) ?? notSettable(judgement, touched);
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, entityId);
  if (before === undefined || before.state === "stub" || !inScope(view.principal, before.scope)) {
    return unknownRow(judgement);
  }
  const neverGiven = basedOnNothing(judgement, before);
  if (neverGiven !== undefined) return neverGiven;
  if (before.state === "deleted") {
    const client = applyPatch(before.data, patch, unset);
    return inConflict(judgement, before, { fields: touched, client });
  }
  const merged = applyPatch(before.data, patch, unset);
  if (force !== true) {
    const fields = touched.filter((name) => isForeign(fieldVersion(before, name), baseVersion, view));
    if (fields.length > 0) return inConflict(judgement, before, { fields, client: merged });
  }
  const checked = checkData(served, entityId, merged, before.counters);
  if (!checked.ok) return invalid(operation, checked.issues);
  const draft: RowDraft = {
    ...draftOn(judgement, before),
    state: "live",
    data: checked.data,
    writtenFields: touched,
  };
  const flags: Flag[] = force === true ? [{ code: "forced" }] : [];
  flags.push(...unresolvedReferences(judgement, patch));
  const echo = judgement.isRaised || before.version !== baseVersion || !deepEqual(checked.data, merged);
  return applyChange(judgement, { draft, flags, echo });
}

export function deleteRecord(judgement: Judgement<DeleteOperation>): OperationResult {
  const { ws, view, served, operation } = judgement;
  const { entityId, baseVersion, force } = operation;
  const refusal = withoutRight(view, served, operation);
  if (refusal !== undefined) return refusal;
  const before = currentRow(ws, served, entityId);
  const exists = before !== undefined && before.state !== "stub";
  if (isBranchScoped(served) && (!exists || !inScope(view.principal, before.scope))) return outOfScope(operation);
  if (!exists) return applied(operation, 0, { deleted: true });
  const neverGiven = basedOnNothing(judgement, before);
  if (neverGiven !== undefined) return neverGiven;
  if (before.state === "deleted") return applied(operation, before.version, { deleted: true });
  if (force !== true) {
    // Sales move counters all day: only edits of fields by others are in conflict with a deletion [H4].
    const fields = foreignFields(before, baseVersion, view.incarnation);
    if (fields.length > 0) {
      // `id` means the row's own life, and is not a field that was edited.
      const named = fields.filter((field) => field !== "id");
      return inConflict(judgement, before, { fields: named, client: undefined });
    }
  }
  const draft: RowDraft = { ...draftOn(judgement, before), state: "deleted", data: before.data, writtenFields: [] };
  return applyChange(judgement, { draft, flags: force === true ? [{ code: "forced" }] : [], echo: false });
}

/** Whether another incarnation has written the field after the edit's base. */
function isForeign([version, writer]: FieldVersion, baseVersion: number, view: Viewpoint): boolean {
  return version > baseVersion && writer !== view.incarnation;
}

/**
 * Refuses a base that no server has given out: an edit that claims to have seen the future would be in conflict with
 * nothing, as if it had `force` [C5]. A till has its base from this row, so it is at most the row's version; or from a
 * history that was lost, and then below the start of the present epoch [C8.1].
 */
function basedOnNothing(
  { ws, operation }: Judgement<UpdateOperation | DeleteOperation>,
  before: RecordRow,
): RejectedResult | undefined {
  if (operation.baseVersion <= Math.max(before.version, ws.clock.epochStart)) return undefined;
  const issues = [{ path: "baseVersion", message: "The row was never given out in this version" }];
  return rejected(operation, "malformed", "It is based on a version that the row has never had", { issues });
}

function inConflict(judgement: Judgement, before: RecordRow, fieldConflict: FieldConflict): OperationResult {
  const { view, served, operation } = judgement;
  // The row is in scope, but the token may not read it: a conflict would show it.
  if (!canSee(served, before, view.principal)) {
    return rejected(operation, "not_permitted", `The token may not read \`${served.name}\``);
  }
  const settled = settleByPolicy(judgement, before, fieldConflict);
  return settled ?? conflict(operation, namedFields(operation, fieldConflict.fields), stateOf(served, before));
}

/**
 * Of the names that the operation does not have itself, a conflict has the first hundred, and 4 KiB of them. A row may
 * have thousands, and a deletion of few bytes would have them stored twice (L12).
 */
const OTHER_NAMES = 100;
const OTHER_NAME_BYTES = 4_096;

function namedFields(operation: WireOperation, fields: readonly string[]): readonly string[] {
  // Of an update only its own are ever in conflict.
  if (operation.action === "update") return fields;
  const own = new Set(operation.action === "create" ? Object.keys(operation.data) : []);
  let bytes = 0;
  let others = 0;
  return fields.filter((name) => {
    if (own.has(name)) return true;
    others += 1;
    bytes += jsonBytes(name);
    return others <= OTHER_NAMES && bytes <= OTHER_NAME_BYTES;
  });
}

/** Counters change by `increment`, assigned fields by the server, an id never. */
function notSettable({ served, operation }: Judgement, names: readonly string[]) {
  const { counters, assigned } = served.resolved;
  const stray = names.find((name) => name === "id" || counters.includes(name) || assigned.includes(name));
  if (stray === undefined) return undefined;
  return rejected(operation, "malformed", `\`${stray}\` can't be set by \`${operation.action}\``);
}

/**
 * The result for an edit of a row that does not exist, or that this till may not know of. In a collection whose rows
 * belong to branches both get the same answer [C10]. After a restore, a row that this till once received from the
 * server may still be brought back by another till: the edit then waits for it [C8.6]. An edit without a base does not
 * wait: its author created the row, that create was answered before the edit, and no other till would bring the row.
 */
export function unknownRow({ ws, served, operation }: Judgement<UpdateOperation>): OperationResult {
  const { baseVersion } = operation;
  const { epochOrdinal, epochStart } = ws.clock;
  if (epochOrdinal > 1 && baseVersion > 0 && baseVersion <= epochStart) return missing(operation);
  if (isBranchScoped(served)) return outOfScope(operation);
  return rejected(operation, "not_found", "The row does not exist");
}

export function invalid(operation: WireOperation, issues: readonly VerdictIssue[]): OperationResult {
  return rejected(operation, "validation_failed", "The schema does not accept the record", { issues });
}

export function draftOn({ view, served, operation }: Judgement, before: RecordRow | undefined) {
  const id = operation.entityId;
  return { served, id, before, counters: before?.counters ?? {}, writer: view.incarnation };
}
