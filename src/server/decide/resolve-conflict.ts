/** How the back office settles a conflict: it keeps the row, or writes the edit or a merge over it [C5, H3]. */
import type { RejectedResult, ResolveConflictRequest, VerdictIssue, WireOperation } from "../../protocol/types.ts";
import { applyPatch } from "../../schema/patch.ts";
import { deepEqual, type JsonObject } from "../../shared/json.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import type { Principal } from "../policy-types.ts";
import type { ConflictRow, OperationRow } from "../ports/rows.ts";
import { commit, type DeskInput, type DeskOutcome, touchedResults } from "./desk.ts";
import { applyChange, type ProposedChange } from "./operation/apply-change.ts";
import { inCurrentSchema } from "./operation/current-schema.ts";
import { revisedAsSuperseded } from "./operation/supersede.ts";
import { mayDo, type Right, type ServedCollection } from "./rows/catalog.ts";
import { redactFor } from "./rows/redact.ts";
import {
  checkData,
  currentRow,
  draftScope,
  fieldsWrittenAfter,
  isUnreadable,
  type RowDraft,
  recordOf,
} from "./rows/rows.ts";
import { inScope } from "./rows/scope.ts";
import type { Viewpoint } from "./rows/sender.ts";
import { visibleState } from "./rows/visible-state.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export function resolveConflict(ws: WorkingSet, input: DeskInput, request: ResolveConflictRequest): DeskOutcome {
  try {
    return settleConflict(ws, input, request);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    ws.log("error", error.message, { collection: error.collection, conflict: input.id });
    return { kind: "refused", issues: [{ path: "", message: error.message }] };
  }
}

function settleConflict(
  ws: WorkingSet,
  input: DeskInput,
  { choice, data, note, version }: ResolveConflictRequest,
): DeskOutcome {
  const conflict = ws.conflict(input.id);
  if (conflict === undefined || !inScope(input.principal, conflict.scope)) return { kind: "not_found" };
  const operation = ws.operation(conflict.operationId);
  if (conflict.settled !== undefined || operation?.supersededBy !== undefined) return { kind: "conflict_settled" };
  if (operation === undefined) return { kind: "not_found" };
  const served = input.catalog.collections.get(conflict.collection);
  // Nothing is written over what the desk has not seen [C5]. A desk that names no version has seen the row in the list.
  const seen = version ?? (choice === "server" ? undefined : conflict.server.version);
  if (seen !== undefined && hasMoved(ws, input, conflict, seen)) return { kind: "conflict_moved" };
  const before = ws.clock.position;
  if (choice !== "server") {
    // Without its collection the row can't be written. The server's side can still be kept: nothing is written then.
    if (served === undefined) return { kind: "not_found" };
    const edit = choice === "client" ? clientEdit(ws, served, operation) : mergedEdit(conflict, data);
    const issues = "issues" in edit ? edit.issues : overwrite(ws, input, { conflict, served, edit: edit.edit });
    if (issues !== undefined) return { kind: "refused", issues };
  }
  const till: Principal = { ...input.principal, branch: operation.sentFrom };
  const server = visibleState(ws, { ...input, principal: till }, conflict);
  const by = input.principal.actor ?? "office";
  ws.putConflict({ ...conflict, settled: { choice, by, at: input.now, note } });
  const feedPosition = ws.take(input.commitId);
  const revised = revisedAsSuperseded(operation, { by: input.commitId, feedPosition, at: input.now, server });
  ws.putOperation(revised);
  commit(ws, input, "resolve");
  // The till may see more than the office, because the row may have moved to another branch since.
  return {
    kind: "revised",
    results: [redactFor(ws, input, revised)],
    touched: [...ws.touchedSince(before), ...touchedResults([operation])],
  };
}

/**
 * Whether a field of the row was written after that version, or the row was deleted or created again. Sales move its
 * counters all day, and that changes nothing of what a person has looked at [H4]. A row that has left the caller's
 * branch is not compared: it can't be written over anyway.
 */
function hasMoved(ws: WorkingSet, { principal }: DeskInput, conflict: ConflictRow, seen: number): boolean {
  const row = ws.record(conflict.collection, conflict.entityId);
  return row !== undefined && inScope(principal, row.scope) && fieldsWrittenAfter(row, seen).length > 0;
}

interface Edit {
  readonly action: WireOperation["action"];
  readonly patch?: JsonObject;
  readonly data?: JsonObject;
  readonly unset?: readonly string[] | undefined;
}

type Shaped = { readonly edit: Edit | undefined } | { readonly issues: readonly VerdictIssue[] };

/** The till's edit, in the schema that the server has now [H7]. */
function clientEdit(ws: WorkingSet, served: ServedCollection, { operation }: OperationRow): Shaped {
  if (operation === undefined) return { edit: undefined };
  const shaped = inCurrentSchema(served, operation, ws.record(operation.collection, operation.entityId));
  if ("operation" in shaped) return { edit: shaped.operation };
  const { error } = shaped.result as RejectedResult;
  return { issues: error.issues ?? [{ path: "", message: error.message }] };
}

function mergedEdit(conflict: ConflictRow, data: JsonObject | undefined): { readonly edit: Edit } {
  return { edit: { action: "update", patch: data ?? conflict.client } };
}

interface Resolution {
  readonly conflict: ConflictRow;
  readonly served: ServedCollection;
  readonly edit: Edit | undefined;
}

/**
 * Writes the office's edit. It meets no conflict, because its author has just looked at both sides. It takes the
 * office's own rights, and asks the policy: what the policy rejects stays rejected, and where it would quarantine, a
 * person has just decided. It revives a row that was deleted.
 */
function overwrite(
  ws: WorkingSet,
  input: DeskInput,
  { conflict, served, edit }: Resolution,
): readonly VerdictIssue[] | undefined {
  const before = currentRow(ws, served, conflict.entityId);
  const isLive = before?.state === "live";
  const base = { served, id: conflict.entityId, before, counters: before?.counters ?? {}, writer: "office" };
  if (edit?.action === "delete") {
    if (before === undefined || !isLive) return undefined;
    const draft: RowDraft = { ...base, state: "deleted", data: before.data, writtenFields: [] };
    return write(ws, input, { draft, right: "delete", content: { action: "delete", baseVersion: before.version } });
  }
  const set = edit?.patch ?? edit?.data ?? conflict.client;
  const names = [...Object.keys(set), ...(edit?.unset ?? [])];
  const { counters, assigned } = served.resolved;
  const stray = names.find((name) => name === "id" || counters.includes(name) || assigned.includes(name));
  if (stray !== undefined) return [{ path: stray, message: "Can't be set" }];
  const merged = applyPatch(before?.data ?? {}, set, edit?.unset);
  const foreign = isLive ? foreignFieldOf(conflict, names, before.data, merged) : undefined;
  if (foreign !== undefined) return [{ path: foreign, message: "Is not part of the conflict" }];
  const checked = checkData(served, conflict.entityId, merged, base.counters);
  if (!checked.ok) return checked.issues;
  const draft: RowDraft = {
    ...base,
    state: "live",
    data: checked.data,
    isCreation: !isLive,
    writtenFields: isLive ? names : Object.keys(checked.data),
  };
  if (!isLive) return write(ws, input, { draft, right: "create", content: { action: "create", data: checked.data } });
  const { unset } = edit ?? {};
  const patch = { action: "update", patch: set, ...(unset && { unset }), baseVersion: before.version } as const;
  return write(ws, input, { draft, right: "update", content: patch });
}

/**
 * A field that the resolution would change though neither the conflict nor the edit that lost is about it: a person who
 * settles a conflict has the right to settle that one. If the whole row is in conflict, every field is.
 */
function foreignFieldOf(
  { fields, client }: ConflictRow,
  names: readonly string[],
  before: JsonObject,
  after: JsonObject,
): string | undefined {
  if (fields.length === 0) return undefined;
  const own = (data: JsonObject, name: string) => (Object.hasOwn(data, name) ? data[name] : undefined);
  return names.find(
    (name) => !fields.includes(name) && !Object.hasOwn(client, name) && !deepEqual(own(before, name), own(after, name)),
  );
}

type Content<O extends WireOperation = WireOperation> = O extends WireOperation
  ? Omit<O, "id" | "sequence" | "collection" | "entityId" | "schemaVersion" | "occurredAt">
  : never;

interface OfficeWrite {
  readonly draft: RowDraft;
  readonly right: Right;
  /** The write as the policy sees it. */
  readonly content: Content;
}

/** A branch's office can neither write into another branch nor overwrite a row that has moved to one since (L9). */
function write(
  ws: WorkingSet,
  { catalog, principal, commitId, now }: DeskInput,
  { draft, right, content }: OfficeWrite,
): readonly VerdictIssue[] | undefined {
  const { before, served } = draft;
  if (!mayDo(served, right, principal)) {
    return [{ path: "", message: `The token may not ${right} in \`${served.name}\`` }];
  }
  const scopes = [...(before === undefined || before.state === "stub" ? [] : [before.scope]), draftScope(draft)];
  if (!scopes.every((scope) => inScope(principal, scope)))
    return [{ path: "", message: "The row belongs to another branch" }];
  const view: Viewpoint = {
    catalog,
    principal,
    device: principal.device ?? "office",
    incarnation: draft.writer,
    receivedAt: now,
    released: true,
  };
  const operation: WireOperation = {
    id: commitId,
    sequence: 1,
    collection: served.name,
    entityId: draft.id,
    schemaVersion: served.resolved.schemaVersion,
    occurredAt: rfc3339(now),
    ...(principal.actor !== undefined && { actor: principal.actor }),
    ...content,
  };
  const judgement = { ws, view, served, operation, isRaised: false };
  const result = applyChange(judgement, { draft, flags: [], echo: false, ...policyContent(draft, content) });
  if (result.status === "applied") return undefined;
  const { error } = result as RejectedResult;
  return error.issues ?? [{ path: "", message: error.message }];
}

/** A policy sees a create with its whole record. */
function policyContent({ served, ...row }: RowDraft, { action }: Content): Pick<ProposedChange, "content"> {
  return action === "create" ? { content: { data: recordOf(served, row) } } : {};
}
