/** Decides a local write: checks what a till's own user does, and puts it into the view and into the outbox. Pure. */

import { isId } from "../../protocol/values.ts";
import { isBeyondMaxStep, maxStepOf } from "../../schema/counter-bounds.ts";
import { splitCounters } from "../../schema/counters.ts";
import { applyPatch, type LoosePatch, pick, splitPatch, type WirePatch } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { validateEdited } from "../../schema/validate.ts";
import { type CounterValue, isCounterStep } from "../../shared/counter-step.ts";
import { TillSyncError } from "../../shared/errors.ts";
import { deepEqual, type JsonObject, jsonFault, toJson } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredRow } from "../state/rows.ts";
import { checkTransactionSize, group, type MintContext, mint, type OperationPayload, type Target } from "./mint.ts";
import { addDelta, type Delta, type Edit, mergeDelta, replay } from "./replay.ts";
import type { Workspace } from "./workspace.ts";

/**
 * One change as the app made it. A create's `data` is validated already, because its caller gets the record back at
 * once.
 */
export type LocalChange = Target &
  (
    | { readonly action: "create"; readonly data: JsonObject }
    | { readonly action: "update"; readonly patch: LoosePatch }
    | {
        readonly action: "increment";
        readonly by: Readonly<Record<string, unknown>>;
        /** The caller wants the record back, so there must be one. */
        readonly mustExist?: boolean | undefined;
      }
    | { readonly action: "delete" }
  );

/**
 * Applies the changes in order, and returns the operations. `separate`: the records of an import, which are not bound
 * to each other.
 */
export function decideLocalWrite(
  workspace: Workspace,
  context: MintContext,
  changes: readonly LocalChange[],
  options: { readonly separate?: boolean | undefined } = {},
): readonly StoredOperation[] {
  const minted: StoredOperation[] = [];
  for (const change of changes) {
    const { collection, entityId } = change;
    // Of an update or a delete there is a row. The others could be stored under any id, and never be sent [M1].
    if (!isId(entityId) && (change.action === "create" || change.action === "increment"))
      throw invalid(change, "id", "an id is 1 to 64 of A-Z, a-z, 0-9, _ and -");
    for (const payload of payloadsOf(workspace.definition(collection), workspace.view(collection, entityId), change)) {
      const operation = mint(workspace, context, change, payload);
      minted.push(operation);
      // Stored at once, because the next change of this transaction must see it. Its group is known only at the end.
      workspace.put(operation);
      workspace.annotate(collection, entityId, { changedHereAt: context.now });
    }
  }
  if (minted.length > 0 && workspace.queue.oldestAt === undefined) workspace.setOldest(context.now);
  if (options.separate) return minted;
  checkTransactionSize(minted);
  const bound = group(minted, context.transaction);
  for (const operation of bound) workspace.put(operation);
  return bound;
}

/**
 * The view of a stored row with a transaction's changes on it, as the commit will make it. An invalid change is skipped
 * here: the commit decides it again, and throws.
 */
export function viewWith(
  definition: ResolvedCollection,
  row: StoredRow | undefined,
  changes: readonly LocalChange[],
): JsonObject | undefined {
  // If there is no record, there may still be counters, which the next create of the row takes over [H4].
  const base = row?.data ?? { ...row?.base, ...addDelta(row?.base ?? {}, row?.delta ?? {}) };
  const edits: Edit[] = row?.data ? [] : [{ action: "delete" }];
  let delta: Delta | undefined;
  let view = row?.data;
  for (const change of changes) {
    let payloads: readonly OperationPayload[];
    try {
      payloads = payloadsOf(definition, view, change);
    } catch {
      continue; // the commit decides it again, and throws
    }
    for (const payload of payloads) {
      if (payload.action === "increment") delta = mergeDelta(delta, payload.by, 1);
      else edits.push(payload);
    }
    view = replay(base, edits, delta, definition.counters);
  }
  return view;
}

function payloadsOf(
  definition: ResolvedCollection,
  current: JsonObject | undefined,
  change: LocalChange,
): readonly OperationPayload[] {
  switch (change.action) {
    case "create":
      if (current) throw alreadyExists(change);
      return createPayloads(definition, change, change.data);
    case "update":
      if (!current) throw notFound(change);
      return updatePayloads(definition, change, current, change.patch);
    case "increment":
      if (!current && change.mustExist) throw notFound(change);
      return [{ action: "increment", by: checkSteps(definition, change, change.by, current) }];
    case "delete":
      return current ? [{ action: "delete" }] : [];
  }
}

/** A `create` can't set counters on the wire: their initial values are sent as a step from zero [H4]. */
function createPayloads(definition: ResolvedCollection, target: Target, data: JsonObject): readonly OperationPayload[] {
  if (definition.counters.length === 0) return [{ action: "create", data }];
  const { data: rest, by } = splitCounters(definition.counters, data);
  const zeros: Record<string, CounterValue> = {};
  for (const [name, value] of Object.entries(pick(data, definition.counters))) {
    // The schema may accept the value, but no step could carry it, and the counter would start from zero.
    if (!isCounterStep(value))
      throw invalid(target, name, "a counter starts from a safe integer, or from a decimal string");
    checkStepSize(definition, target, name, value);
    zeros[name] = typeof value === "string" ? "0" : 0;
  }
  const create: OperationPayload = { action: "create", data: rest, zeros };
  return Object.keys(by).length === 0 ? [create] : [create, { action: "increment", by }];
}

function updatePayloads(
  definition: ResolvedCollection,
  target: Target,
  current: JsonObject,
  loose: LoosePatch,
): readonly OperationPayload[] {
  const read = readPatch(definition, target, current, loose);
  const patch = Object.fromEntries(
    Object.entries(read.patch).filter(([name, value]) => !deepEqual(value, current[name])),
  );
  const unset = read.unset.filter((name) => current[name] !== undefined);
  const names = [...Object.keys(patch), ...unset];
  return names.length === 0 ? [] : [{ action: "update", patch, unset, before: pick(current, names) }];
}

/**
 * Checks a patch of a person or an app on the record that it makes. Returns the fields that it names, as the schema
 * outputs them (trimmed, coerced), and no field that someone else may have changed.
 */
export function readPatch(
  definition: ResolvedCollection,
  target: Target,
  current: JsonObject,
  loose: LoosePatch,
): WirePatch {
  for (const name of Object.keys(loose)) {
    if (uneditableFields(definition).includes(name)) throw notPatchable(definition, target, name);
  }
  const wanted = splitPatch(loose);
  const fault = jsonFault(wanted.patch);
  if (fault)
    throw new TillSyncError(
      "not_json",
      `Field \`${fault.path}\` of \`${target.collection}\` is not JSON: ${fault.reason}.`,
      { collection: target.collection, path: fault.path },
    );
  const valid = validateEdited(
    target.collection,
    definition,
    target.entityId,
    applyPatch(current, toJson(wanted.patch), wanted.unset),
  );
  return splitPatch(Object.fromEntries(Object.keys(loose).map((name) => [name, valid[name]])));
}

/** The fields that no patch may contain. */
export const uneditableFields = ({
  counters,
  assigned,
}: Pick<ResolvedCollection, "counters" | "assigned">): readonly string[] => ["id", ...counters, ...assigned];

function checkSteps(
  definition: ResolvedCollection,
  target: Target,
  by: Readonly<Record<string, unknown>>,
  current: JsonObject | undefined,
): Readonly<Record<string, CounterValue>> {
  const steps: Record<string, CounterValue> = {};
  for (const [name, step] of Object.entries(by)) {
    if (step === undefined) continue;
    if (!definition.counters.includes(name))
      throw invalid(
        target,
        name,
        `\`${name}\` is not a counter of \`${target.collection}\`; declare it in \`counters\``,
      );
    if (!isCounterStep(step))
      throw invalid(target, name, "a counter changes by a safe integer, or by a decimal string");
    const value = current?.[name];
    if (typeof value === "number" && typeof step === "string")
      throw invalid(target, name, "a counter of integers changes by a safe integer");
    checkStepSize(definition, target, name, step);
    steps[name] = step;
  }
  if (Object.keys(steps).length === 0) throw invalid(target, "", "an increment names at least one counter");
  return steps;
}

/** The bounds of the sum are for the server to judge: a till that sells can't know the sum [H4]. */
function checkStepSize(definition: ResolvedCollection, target: Target, name: string, step: CounterValue): void {
  if (!isBeyondMaxStep(definition, name, step)) return;
  const most = maxStepOf(definition, name);
  throw invalid(target, name, `a step of this counter is at most ${most}, up or down; see \`counterBounds\``);
}

function notPatchable(
  definition: ResolvedCollection,
  target: Target,
  name: string,
): TillSyncError<"validation_failed"> {
  if (definition.counters.includes(name)) return invalid(target, name, "a counter changes by increment only");
  return invalid(target, name, name === "id" ? "an id never changes" : "only the server fills this in");
}

function invalid(target: Target, field: string, message: string): TillSyncError<"validation_failed"> {
  return new TillSyncError("validation_failed", `A change of \`${target.collection}\` was refused: ${message}.`, {
    collection: target.collection,
    id: target.entityId,
    issues: [{ message, path: field === "" ? [] : [field] }],
  });
}

function notFound({ collection, entityId }: Target): TillSyncError<"not_found"> {
  return new TillSyncError(
    "not_found",
    `There is no \`${entityId}\` in \`${collection}\` on this device. Create it, or wait for firstSync().`,
    { collection, id: entityId },
  );
}

function alreadyExists({ collection, entityId }: Target): TillSyncError<"already_exists"> {
  return new TillSyncError(
    "already_exists",
    `There already is a \`${entityId}\` in \`${collection}\`. Leave out \`id\` to get a new one, or update the record.`,
    { collection, id: entityId },
  );
}
