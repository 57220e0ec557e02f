/** Turns the answer to a conflict, a resolver's or a person's, into a superseding operation. Pure. */
import { resolverOf } from "../../conflict/default-resolver.ts";
import { type Resolution, runResolver } from "../../conflict/run-resolver.ts";
import { applyPatch, changesBetween, type LoosePatch, pick, splitPatch, wholeChanges } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredConflict } from "../state/rows.ts";
import { readPatch, uneditableFields } from "./local-write.ts";
import { type MintContext, type OperationPayload, payloadFault, type Target } from "./mint.ts";
import { supersede } from "./supersede.ts";
import type { Workspace } from "./workspace.ts";

/** The three sides as they are now. `client` is the server's record with only this edit on it, without later edits. */
export interface Sides {
  readonly base: JsonObject | undefined;
  readonly client: JsonObject | undefined;
  readonly server: JsonObject | undefined;
}

/** `undefined` for a side means that it has no record. */
export function sidesOf(workspace: Workspace, operation: StoredOperation): Sides {
  const row = workspace.row(operation.collection, operation.entityId);
  const server = workspace.baseOf(operation.collection, operation.entityId) ?? undefined;
  const lastServer = server ?? row?.deletedBase;
  const base =
    lastServer && operation.action !== "create"
      ? applyPatch(lastServer, operation.before ?? {}, absentBefore(operation))
      : undefined;
  return { base, client: clientSide(operation, lastServer), server };
}

function clientSide(operation: StoredOperation, lastServer: JsonObject | undefined): JsonObject | undefined {
  if (operation.action === "create") return { ...operation.data, ...operation.zeros };
  if (operation.action === "update" && lastServer)
    return applyPatch(lastServer, operation.patch ?? {}, operation.unset);
  return undefined;
}

/** The fields of the patch that the record did not have before it. */
function absentBefore({ patch = {}, unset = [], before = {} }: StoredOperation): readonly string[] {
  return [...Object.keys(patch), ...unset].filter((name) => !Object.hasOwn(before, name));
}

/** A conflict that the server has reported. `siblings`: the loaded members of the operation's local transaction. */
export interface ConflictInput {
  readonly operation: StoredOperation;
  readonly conflictId: string;
  /** The fields in conflict, as the server named them. */
  readonly fields: readonly string[];
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
  const definition = workspace.definition(operation.collection);
  const sides = sidesOf(workspace, operation);
  const id = operation.entityId;
  const answer = runResolver(resolverOf(definition), {
    base: sides.base && { id, ...sides.base },
    client: sides.client && { id, ...sides.client },
    server: sides.server && { id, ...sides.server },
    fields: input.fields,
    excluded: uneditableFields(definition),
  });
  const open = openConflict(input, sides, context.now);
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

/** A person's answer. `merged`: the fields that they chose, on top of the server's record as it is now. */
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
  const { conflict, operation, note } = input;
  const definition = workspace.definition(operation.collection);
  const sides = sidesOf(workspace, operation);
  const answer = personsAnswer(definition, operation, sides, input.choice);
  const payload = resolutionPayload(definition, operation, sides, answer);
  const successor = supersede(workspace, context, operation, payload, input.siblings);
  const kept = answer.kept === "manual" ? "merged" : answer.kept;
  workspace.putConflict({
    ...conflict,
    ...sides,
    settled: { by: "person", at: context.now, kept, ...(note !== undefined && { note }) },
  });
  return successor;
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
  if (wanted === undefined) return { action: "void" };
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

function openConflict({ operation, conflictId, fields }: ConflictInput, sides: Sides, now: number): StoredConflict {
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
