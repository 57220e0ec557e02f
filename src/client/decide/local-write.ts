/** The decision of a local write: what a till's own user does, checked, in the view at once, and in the outbox. Pure. */

import { addCounter, splitCounters } from "../../schema/counters.ts";
import { applyPatch, type LoosePatch, splitPatch, type WirePatch } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { validateRecord } from "../../schema/validate.ts";
import { type CounterValue, isCounterStep } from "../../shared/counter-step.ts";
import { TillSyncError } from "../../shared/errors.ts";
import { deepEqual, type JsonObject, jsonFault, toJson } from "../../shared/json.ts";
import type { StoredOperation } from "../state/operation.ts";
import type { StoredRow } from "../state/rows.ts";
import { checkTransactionSize, group, type MintContext, mint, type OperationPayload, type Target } from "./mint.ts";
import { addDelta, type Delta, type Edit, mergeDelta, pick, replay } from "./replay.ts";
import type { Workspace } from "./workspace.ts";

/** One change as the app made it. A create's `data` has been validated: its caller got the record back at once. */
export type LocalChange = Target &
  (
    | { readonly action: "create"; readonly data: JsonObject }
    | { readonly action: "update"; readonly patch: LoosePatch }
    | {
        readonly action: "increment";
        readonly by: Readonly<Record<string, unknown>>;
        /** The caller wants the record back. */
        readonly mustExist?: boolean | undefined;
      }
    | { readonly action: "delete" }
  );

/** Applies the changes in order. `separate`: an import, whose records are not bound to each other. */
export function decideLocalWrite(
  workspace: Workspace,
  context: MintContext,
  changes: readonly LocalChange[],
  options: { readonly separate?: boolean | undefined } = {},
): readonly StoredOperation[] {
  const minted: StoredOperation[] = [];
  for (const change of changes) {
    const { collection, entityId } = change;
    for (const payload of payloadsOf(workspace.definition(collection), workspace.view(collection, entityId), change)) {
      const operation = mint(workspace, context, change, payload);
      minted.push(operation);
      // Stored as it is minted: the next change of this transaction must see it. Its group is known only at the end.
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

/** The view of a stored row with a transaction's changes of it, as the commit will make it. What is wrong with one of them is said there. */
export function viewWith(
  definition: ResolvedCollection,
  row: StoredRow | undefined,
  changes: readonly LocalChange[],
): JsonObject | undefined {
  // Where there is no record there may be counters, which whoever creates it takes over [H4].
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

/** A `create` can't set counters on the wire: what they start with is a step from zero [H4]. */
function createPayloads(definition: ResolvedCollection, target: Target, data: JsonObject): readonly OperationPayload[] {
  if (definition.counters.length === 0) return [{ action: "create", data }];
  const { data: rest, by } = splitCounters(definition.counters, data);
  const zeros: Record<string, CounterValue> = {};
  for (const [name, value] of Object.entries(pick(data, definition.counters))) {
    // The schema may accept it; no step could carry it, and the record would start from zero.
    if (!isCounterStep(value))
      throw invalid(target, name, "a counter starts from a safe integer, or from a decimal string");
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
 * A patch as a person or an app gives it, checked on the record that it makes: the fields that it names, as the schema puts them out
 * (trimmed, coerced), and nothing that others may have changed.
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
  const valid = validateRecord(
    target.collection,
    definition,
    target.entityId,
    applyPatch(current, toJson(wanted.patch), wanted.unset),
  );
  return splitPatch(Object.fromEntries(Object.keys(loose).map((name) => [name, valid[name]])));
}

/** What no patch may carry. */
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
    // Not only a step: a sum may have more digits than one.
    if ((typeof value === "number" || typeof value === "string") && addCounter(value, step) === undefined)
      throw invalid(target, name, "the counter would leave the bounds within which it can be counted exactly");
    steps[name] = step;
  }
  if (Object.keys(steps).length === 0) throw invalid(target, "", "an increment names at least one counter");
  return steps;
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
    `There is a \`${entityId}\` in \`${collection}\` already. Leave \`id\` out to have one minted, or update it.`,
    { collection, id: entityId },
  );
}
