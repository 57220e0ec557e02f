/** Turns the answer to a conflict, a resolver's or a person's, into a superseding operation. Pure. */
import { resolverOf } from "../../conflict/default-resolver.ts";
import { type Resolution, runResolver } from "../../conflict/run-resolver.ts";
import type { RowState } from "../../protocol/types.ts";
import { applyPatch, changesBetween, type LoosePatch, pick, splitPatch, wholeChanges } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { assert } from "../../shared/assert.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredConflict } from "../state/rows.ts";
import { versionLabel, versionOf } from "../state/versions.ts";
import { newerSchema, readAgain, type Sides, sidesOf } from "./conflict-sides.ts";
import { readPatch, uneditableFields } from "./local-write.ts";
import { type MintContext, type OperationPayload, payloadFault, type Target } from "./mint.ts";
import { supersede, unknownCollection } from "./supersede.ts";
import type { Workspace } from "./workspace.ts";

/** A conflict that the server has reported. `siblings`: the loaded members of the operation's local transaction. */
export interface ConflictInput {
  readonly operation: StoredOperation;
  readonly conflictId: string;
  /** The fields in conflict, as the server named them. */
  readonly fields: readonly string[];
  /** The row as the server has it. */
  readonly server: RowState;
  readonly siblings: readonly StoredOperation[];
}

/**
 * Asks the collection's resolver. Whatever it returns, the edit that lost is kept on the desk (L1). `fault`: the
 * resolver threw, or returned something invalid, so the conflict was left to people.
 */
export function resolveAutomatically(
  workspace: Workspace,
  context: MintContext,
  input: ConflictInput,
): { readonly conflict: StoredConflict; readonly fault?: unknown } {
  const { operation } = input;
  const known = knownSides(workspace, input, context.now);
  if ("conflict" in known) {
    workspace.putConflict(known.conflict);
    return known;
  }
  const { definition, sides } = known;
  const id = operation.entityId;
  const answer = runResolver(resolverOf(definition), {
    base: sides.base && { id, ...sides.base },
    client: sides.client && { id, ...sides.client },
    server: sides.server && { id, ...sides.server },
    fields: input.fields,
    excluded: uneditableFields(definition),
  });
  const open = openConflict(input, { ...sides, ...labels(workspace, operation, definition) }, context.now);
  const payload = resolutionPayload(definition, operation, sides, answer);
  // A merged record may be more than an operation may carry. It must not keep the rest of the answer from being stored.
  const fault = "fault" in answer ? answer.fault : payloadFault(payload);
  if (answer.kept === "manual" || fault !== undefined) {
    workspace.annotate(operation.collection, id, { conflictId: open.id });
    workspace.putConflict(open);
    return fault === undefined ? { conflict: open } : { conflict: open, fault };
  }
  // The resolution is made in the name of the edit's author, not of the person who is at the till when the answer
  // arrives.
  const author = { ...context, actor: operation.actor };
  supersede(workspace, author, operation, payload, input.siblings);
  const conflict: StoredConflict = { ...open, settled: { by: "resolver", at: context.now, kept: answer.kept } };
  workspace.putConflict(conflict);
  return { conflict };
}

/** The sides, or the conflict as it is left to people, because the app can't read them [H7]. */
function knownSides(
  workspace: Workspace,
  input: ConflictInput,
  now: number,
):
  | { readonly definition: ResolvedCollection; readonly sides: Sides }
  | { readonly conflict: StoredConflict; readonly fault?: unknown } {
  const { operation, conflictId, server } = input;
  const { collection, entityId } = operation;
  // The server's row as it came: an app that can read it is shown the sides.
  const schemaVersion = server.schemaVersion ?? operation.schemaVersion;
  const unread = { data: server.data, schemaVersion, version: server.version };
  if (!workspace.knows(collection)) return { conflict: unreadConflict(input, unread, now) };
  const definition = workspace.definition(collection);
  const isAhead = server.data !== undefined && schemaVersion > definition.schemaVersion;
  const { unknown = undefined, ...sides } = isAhead
    ? { ...NO_SIDES, unknown: newerSchema(operation) }
    : sidesOf(workspace, operation);
  if (unknown === undefined) return { definition, sides };
  workspace.annotate(collection, entityId, { conflictId });
  if (isTillSyncError(unknown, "not_found"))
    return { conflict: openConflict(input, { ...sides, ...labels(workspace, operation, definition) }, now) };
  const conflict = unreadConflict(input, unread, now);
  return isTillSyncError(unknown, "validation_failed") ? { conflict, fault: unknown } : { conflict };
}

const NO_SIDES: Sides = { base: undefined, client: undefined, server: undefined };

function unreadConflict(
  input: ConflictInput,
  {
    data,
    ...labels
  }: { readonly data: JsonObject | undefined; readonly schemaVersion: number; readonly version: number },
  now: number,
): StoredConflict {
  return { ...openConflict(input, { ...NO_SIDES, server: data, ...labels }, now), unread: true };
}

/** A person's answer. `merged`: the fields that they chose, on top of the server's record as the desk shows it. */
export type Choice = "client" | "server" | { readonly merged: LoosePatch };

/** A person's answer to an open conflict, whose operation is loaded with the members of its local transaction. */
export interface PersonsChoice {
  readonly conflict: StoredConflict;
  readonly operation: StoredOperation;
  readonly choice: Choice;
  readonly note?: string | undefined;
  readonly siblings: readonly StoredOperation[];
}

/** Carries out a person's answer, and returns the operation that supersedes the one in conflict. */
export function resolveByPerson(workspace: Workspace, context: MintContext, input: PersonsChoice): StoredOperation {
  const { operation, note, choice } = input;
  const conflict = readAgain(workspace.collections, input.conflict, operation);
  const { sides, answer, payload } = settlement(workspace, operation, conflict, choice);
  const successor = supersede(workspace, context, operation, payload, input.siblings, { seen: conflict.version });
  const kept = answer.kept === "manual" ? "merged" : answer.kept;
  workspace.putConflict({
    ...conflict,
    ...sides,
    settled: { by: "person", at: context.now, kept, ...(note !== undefined && { note }) },
  });
  return successor;
}

/** What a person's answer comes to. Keeping the server's side needs neither a collection nor a row that can be read. */
function settlement(workspace: Workspace, operation: StoredOperation, conflict: StoredConflict, choice: Choice) {
  const { collection } = operation;
  const keepsServer = choice === "server";
  if (!workspace.knows(collection) || versionOf(conflict) > workspace.definition(collection).schemaVersion) {
    if (keepsServer) return { sides: {}, answer: { kept: choice }, payload: { action: "void" } } as const;
    throw workspace.knows(collection) ? newerSchema(operation) : unknownCollection(collection);
  }
  const definition = workspace.definition(collection);
  const isShown =
    !conflict.unread &&
    conflict.version !== undefined &&
    versionOf(conflict) === definition.schemaVersion &&
    (conflict.client !== undefined || operation.action === "delete");
  // A person decides on what the desk shows. What was written since, the server finds by the version [C5].
  const { base, client, server } = conflict;
  const { unknown, ...sides } = isShown ? { base, client, server, unknown: undefined } : sidesOf(workspace, operation);
  const needsEdit = choice === "client" || !isTillSyncError(unknown, "not_found");
  if (unknown !== undefined && needsEdit && !keepsServer) throw unknown;
  const answer = personsAnswer(definition, operation, sides, choice);
  const payload = resolutionPayload(definition, operation, sides, answer);
  return { sides: { ...sides, ...versionLabel(definition.schemaVersion) }, answer, payload };
}

function personsAnswer(definition: ResolvedCollection, target: Target, sides: Sides, choice: Choice): Resolution {
  if (choice === "client" || choice === "server") return { kept: choice };
  const lastServer = sides.server ?? sides.client ?? {};
  const { patch, unset } = readPatch(definition, target, lastServer, choice.merged);
  return { kept: "merged", record: applyPatch(lastServer, patch, unset) };
}

/** The edit that makes the server's row, as it is now, agree with the answer; `void` if there is nothing to change. */
function resolutionPayload(
  definition: ResolvedCollection,
  operation: StoredOperation,
  sides: Sides,
  answer: Resolution,
): OperationPayload {
  if (answer.kept === "server" || answer.kept === "manual") return { action: "void" };
  if (answer.kept === "client" && operation.action === "delete") return { action: "delete" };
  const wanted = answer.kept === "merged" ? answer.record : sides.client;
  assert(wanted !== undefined, "the client's side of an edit is known, or was not offered");
  const excluded = uneditableFields(definition);
  if (sides.server === undefined) return recreate(definition, wanted);
  const loose =
    answer.kept === "client" && operation.action === "create"
      ? changesBetween(sides.server, wanted, excluded)
      : wholeChanges(sides.server, wanted, excluded);
  const { patch, unset } = splitPatch(loose);
  const names = [...Object.keys(patch), ...unset];
  // The server's row already has all of these values.
  return names.length === 0
    ? { action: "void" }
    : { action: "update", patch, unset, before: pick(sides.server, names) };
}

/**
 * The server has deleted the row, so keeping the edit means creating it again. Its counters live on at the server [H4].
 */
function recreate(definition: ResolvedCollection, record: JsonObject): OperationPayload {
  const data = Object.fromEntries(
    Object.entries(record).filter(([name]) => !uneditableFields(definition).includes(name)),
  );
  const zeros = Object.fromEntries(
    definition.counters
      .filter((name) => record[name] !== undefined)
      .map((name) => [name, typeof record[name] === "string" ? "0" : 0]),
  );
  return { action: "create", data, ...(definition.counters.length > 0 && { zeros }) };
}

/** The versions of the sides: that of the server's row, and that of their schema. */
const labels = (workspace: Workspace, { collection, entityId }: Target, definition: ResolvedCollection) => ({
  version: workspace.row(collection, entityId)?.version,
  ...versionLabel(definition.schemaVersion),
});

function openConflict(
  { operation, conflictId, fields }: ConflictInput,
  sides: Sides & Pick<StoredConflict, "schemaVersion" | "version">,
  now: number,
): StoredConflict {
  return {
    id: conflictId,
    operationId: operation.id,
    collection: operation.collection,
    entityId: operation.entityId,
    ...sides,
    fields,
    detectedAt: now,
    sequence: operation.sequence,
    actor: operation.actor,
  };
}
