/**
 * What the back office does: releases and discards quarantined operations, and settles conflicts. Each revises results
 * [H3].
 */
import type {
  FinalResult,
  OperationResult,
  RejectedResult,
  ResolveConflictRequest,
  RowState,
  VerdictIssue,
  WireOperation,
} from "../../protocol/types.ts";
import { applyPatch } from "../../schema/patch.ts";
import { deepEqual, type JsonObject } from "../../shared/json.ts";
import { rfc3339 } from "../../shared/rfc3339.ts";
import type { Principal } from "../policy-types.ts";
import { type CommitRow, type ConflictRow, isOpenQuarantine, type OperationRow } from "../ports/rows.ts";
import { applyChange, type ProposedChange } from "./operation/apply-change.ts";
import { boundTo } from "./operation/bound.ts";
import { inCurrentSchema } from "./operation/current-schema.ts";
import { evaluate } from "./operation/evaluate.ts";
import { discardedVerdict, flagFacts, isLeftOut } from "./operation/out-of-range.ts";
import { prepareStored, type Revision, revise } from "./operation/revise.ts";
import { markSuperseded, revisedAsSuperseded } from "./operation/supersede.ts";
import { isFinal } from "./operation/verdicts.ts";
import { type Catalog, mayDo, type Right, type ServedCollection } from "./rows/catalog.ts";
import { redactFor } from "./rows/redact.ts";
import {
  checkData,
  currentRow,
  draftScope,
  fieldsWrittenAfter,
  isUnreadable,
  type RowDraft,
  readableState,
  recordOf,
} from "./rows/rows.ts";
import { branchOf, canSee, inScope, type Touched } from "./rows/scope.ts";
import type { Viewpoint } from "./rows/sender.ts";
import type { WorkingSet } from "./rows/working-set.ts";

export interface DeskInput {
  readonly catalog: Catalog;
  readonly principal: Principal;
  readonly id: string;
  /** The id of the commit that this action makes. */
  readonly commitId: string;
  readonly now: number;
}

export type DeskOutcome =
  | { readonly kind: "revised"; readonly results: readonly FinalResult[]; readonly touched: readonly Touched[] }
  | { readonly kind: "not_found" | "not_quarantined" | "conflict_settled" | "conflict_moved" }
  | { readonly kind: "refused"; readonly issues: readonly VerdictIssue[] };

/**
 * A released operation is judged as sent by the till that made it, in the branch that it was made in, but with the
 * rights of the office. An operation by a till of the whole tenant has no branch: it is limited to the branch of the
 * office that releases it (L9).
 */
function viewOf({ catalog, principal, now }: DeskInput, row: OperationRow): Viewpoint {
  const branch = branchOf(row);
  const till: Principal = {
    ...principal,
    branch: branch === "" ? principal.branch : branch,
    device: row.device,
    actor: row.sentBy,
  };
  return {
    catalog,
    principal: till,
    device: row.device,
    incarnation: row.incarnation,
    receivedAt: now,
    released: true,
  };
}

/** Whether the caller's desk has the operation: a token that is bound to a branch sees its branch's desk. */
function isOnDesk({ principal }: DeskInput, row: OperationRow): boolean {
  return inScope(principal, branchOf(row));
}

export function release(ws: WorkingSet, input: DeskInput): DeskOutcome {
  const found = ws.operation(input.id);
  if (found === undefined || !isOnDesk(input, found)) return { kind: "not_found" };
  if (!isOpenQuarantine(found)) return { kind: "not_quarantined" };
  const before = ws.clock.position;
  const savepoint = ws.savepoint();
  // A commercial transaction is released as a whole, or not at all [C1].
  const members = boundTo(ws, [found]);
  const results: FinalResult[] = [];
  for (const row of members) {
    const view = viewOf(input, row);
    const prepared = prepareStored(row);
    const result = evaluate(ws, view, prepared);
    const isIn = result.status === "applied" || (members.length > 1 && isLeftOut(row.operation, result));
    if (!isFinal(result) || !isIn) {
      // Not even a person can release what the schema refuses. The answer says why, and nothing has changed.
      ws.rollback(savepoint);
      return refused(row, result);
    }
    // While it was quarantined because its sender might not do this, it superseded nothing. Now it does.
    if (prepared.parsed.ok) markSuperseded(ws, view, prepared.parsed.value, result);
    results.push(revise(ws, row, result, revisionOf(input)));
  }
  const [first] = members;
  if (first !== undefined && results.every(({ status }) => status !== "applied")) {
    // Steps alone, and no counter has room for one of them: nothing has changed.
    ws.rollback(savepoint);
    return refused(first, results[0] as FinalResult);
  }
  flagFacts(
    ws,
    input.catalog,
    members.map(({ id }) => id),
  );
  commit(ws, input, "release");
  const revised = results.map((result) => {
    const row = ws.operation(result.id);
    return row === undefined ? result : redactFor(ws, input, row);
  });
  return { kind: "revised", results: revised, touched: [...ws.touchedSince(before), ...touchedResults(members)] };
}

function refused({ id }: OperationRow, result: OperationResult): DeskOutcome {
  const refusal = "error" in result ? result.error : { message: result.status, issues: undefined };
  return { kind: "refused", issues: refusal.issues ?? [{ path: id, message: refusal.message }] };
}

export function discard(ws: WorkingSet, input: DeskInput, reason: string): DeskOutcome {
  const found = ws.operation(input.id);
  if (found === undefined || !isOnDesk(input, found)) return { kind: "not_found" };
  if (!isOpenQuarantine(found)) return { kind: "not_quarantined" };
  // It stays quarantined, with a code that closes it: only the till's own people can say that a fact did not happen
  // (L11), and its payload is kept forever. The other members of its transaction are discarded with it: released alone
  // they would be a payment without its sale [C1].
  const members = boundTo(ws, [found]).filter(isOpenQuarantine);
  const results = members.map((row) => revise(ws, row, discardedVerdict(row, reason), revisionOf(input)));
  commit(ws, input, "discard");
  return { kind: "revised", results, touched: touchedResults(members) };
}

/** Their devices have revised results to pull. */
function touchedResults(rows: readonly OperationRow[]): readonly Touched[] {
  return rows
    .filter(({ collection }) => collection !== "")
    .map((row) => ({ collection: row.collection, scope: branchOf(row) }));
}

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
  const server = served && rowSeenBy(ws, served, conflict.entityId, till);
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

/** The row as the till may see it. */
function rowSeenBy(ws: WorkingSet, served: ServedCollection, id: string, till: Principal): RowState | undefined {
  const row = ws.record(served.name, id);
  return row !== undefined && canSee(served, row, till) ? readableState(served, row) : undefined;
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

function revisionOf({ commitId, now }: DeskInput): Revision {
  return { takenBy: commitId, at: now };
}

/** The commit takes the last position, so the next mark points at it. */
function commit(ws: WorkingSet, { commitId, principal, now }: DeskInput, kind: CommitRow["kind"]): void {
  ws.putCommit({ id: commitId, position: ws.take(commitId), kind, actor: principal.actor, at: now });
}
