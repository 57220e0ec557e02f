/** What one operation comes to. Writes into the working set only where it is applied. */
import { LIMITS } from "../../../protocol/constants.ts";
import type { OperationResult, WireOperation } from "../../../protocol/types.ts";
import { upcastData } from "../../../schema/upcast.ts";
import { isTillSyncError } from "../../../shared/errors.ts";
import { deepEqual, type JsonObject } from "../../../shared/json.ts";
import { mayDo, type ServedCollection } from "../rows/catalog.ts";
import { PolicyFailure } from "../rows/policy-failure.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { increment } from "./counters.ts";
import { createRecord, deleteRecord, updateRecord } from "./edits.ts";
import { createFact } from "./facts.ts";
import { unmet } from "./order.ts";
import type { PreparedOperation } from "./prepared-operation.ts";
import { type Acknowledgement, replayAcknowledged } from "./replay-acknowledged.ts";
import { barredFromSuperseding } from "./supersede.ts";
import { applied, blocked, isCommercial, quarantined, refused, rejected, retry } from "./verdicts.ts";

/** A till that is newer than the server: it helps when the server is brought up. */
const NEWER_RETRY_MS = 300_000;

export function evaluate(ws: WorkingSet, view: Viewpoint, prepared: PreparedOperation): OperationResult {
  const { raw, parsed } = prepared;
  if (view.revoked === true)
    return quarantined(raw, "device_revoked", "The device was revoked: people decide about its work");
  if (prepared.bytes > LIMITS.operationBytes) {
    return refused(view.catalog, raw, "too_large", `An operation has at most ${LIMITS.operationBytes} bytes`);
  }
  if (!parsed.ok) return refused(view.catalog, raw, "malformed", "This is no operation of the protocol", parsed.issues);
  const operation = parsed.value;
  const savepoint = ws.savepoint();
  const result = guarded(ws, view, operation, () =>
    judgeOperation(ws, view, operation, prepared.acknowledgedIsAuthentic),
  );
  if (result.status !== "applied") ws.rollback(savepoint);
  return result;
}

/** The application's mistakes stay with the one operation that met them. */
function guarded(
  ws: WorkingSet,
  view: Viewpoint,
  operation: WireOperation,
  run: () => OperationResult,
): OperationResult {
  try {
    return run();
  } catch (error) {
    if (error instanceof PolicyFailure) {
      ws.log("error", error.message, { collection: error.collection, member: error.member, operation: operation.id });
      if (isCommercial(view.catalog, operation))
        return quarantined(operation, "policy_failed", "The server's policy failed");
      return retry(operation, "policy_failed", "The server's policy failed");
    }
    if (isTillSyncError(error, "schema_async")) {
      // No record of the collection can be judged: a final word on each would be worse than none.
      ws.log("error", error.message, { collection: error.details.collection });
      return retry(operation, "internal", "The server can't judge this collection");
    }
    throw error;
  }
}

function judgeOperation(
  ws: WorkingSet,
  view: Viewpoint,
  sent: WireOperation,
  acknowledgedIsAuthentic: boolean,
): OperationResult {
  const { catalog, principal } = view;
  const served = catalog.collections.get(sent.collection);
  if (served === undefined) return refused(catalog, sent, "unknown_collection", "The server has no such collection");
  if (view.released !== true && sent.branch !== undefined && sent.branch !== principal.branch) {
    return quarantined(sent, "branch_mismatch", "It was made in another branch than the token's");
  }
  const commercial = isCommercial(catalog, sent);
  const shaped = inCurrentSchema(served, sent);
  if ("result" in shaped) return shaped.result;
  const { operation } = shaped;
  if (view.released !== true) {
    const waitsFor = unmet(ws, operation, commercial);
    if (waitsFor.length > 0) return blocked(operation, waitsFor);
  }
  const barred = barredFromSuperseding(ws, view, operation);
  if (barred !== undefined) return barred;
  if (operation.action === "void") return voided(view, served, operation);

  const acknowledged = acknowledgedIsAuthentic ? acknowledgement(ws, operation) : undefined;
  if (acknowledged !== undefined && fits(served, operation))
    return replayAcknowledged(ws, view, served, operation, acknowledged);
  if (!fits(served, operation)) {
    return refused(catalog, operation, "malformed", `\`${operation.action}\` is nothing that \`${served.name}\` takes`);
  }
  switch (operation.action) {
    case "increment":
      return increment(ws, view, served, operation);
    case "create":
      return served.resolved.kind === "fact"
        ? createFact(ws, view, served, operation)
        : createRecord(ws, view, served, operation);
    case "update":
      return updateRecord(ws, view, served, operation);
    case "delete":
      return deleteRecord(ws, view, served, operation);
  }
}

/** Facts are created and nothing else (L11). */
function fits({ resolved }: ServedCollection, { action }: WireOperation): boolean {
  return resolved.kind === "record" || action === "create";
}

/** Superseding is all that it does. Of a fact it takes the right to have made it. */
function voided(view: Viewpoint, served: ServedCollection, operation: WireOperation): OperationResult {
  if (served.resolved.kind === "fact" && !mayDo(served, "create", view.principal)) {
    return rejected(operation, "not_permitted", `The token may not create in \`${served.name}\``);
  }
  return applied(operation, 0);
}

/**
 * Where it stood in the lost history. Only of an epoch that is over: in this one nothing is lost. A version above the epoch's start
 * would pass over what was written since, so it counts as the start.
 */
function acknowledgement(ws: WorkingSet, { acknowledged }: WireOperation): Acknowledgement | undefined {
  if (acknowledged === undefined || acknowledged.epoch === ws.clock.epoch) return undefined;
  return { version: Math.min(acknowledged.version, ws.clock.epochStart), assigned: acknowledged.assigned };
}

type Shaped = { readonly operation: WireOperation } | { readonly result: OperationResult };

/** An operation's data is of the version that it says [H7], not of the app that sends it. */
export function inCurrentSchema(served: ServedCollection, operation: WireOperation): Shaped {
  const { name, resolved } = served;
  if (operation.schemaVersion > resolved.schemaVersion) {
    return {
      result: retry(
        operation,
        "schema_newer",
        `The server has version ${resolved.schemaVersion} of \`${name}\``,
        NEWER_RETRY_MS,
      ),
    };
  }
  if (operation.schemaVersion === resolved.schemaVersion) return { operation };
  try {
    const upcast = (data: JsonObject) => upcastData(name, resolved, operation.schemaVersion, data);
    if (operation.action === "create") return { operation: { ...operation, data: upcast(operation.data) } };
    if (operation.action === "update") return { operation: { ...operation, ...upcastPatch(operation, upcast) } };
    return { operation };
  } catch {
    const message = `Its data can't be brought up from version ${operation.schemaVersion}`;
    const result =
      resolved.kind === "fact"
        ? quarantined(operation, "schema_too_old", message)
        : rejected(operation, "schema_too_old", message);
    return { result };
  }
}

/**
 * The steps are written for whole records. What they fill in where nothing is given is a default and no edit: without that, an old
 * till's change of a name would set the new field of everybody's.
 */
function upcastPatch(
  { patch, unset = [] }: Extract<WireOperation, { action: "update" }>,
  upcast: (data: JsonObject) => JsonObject,
): { readonly patch: JsonObject; readonly unset: readonly string[] } {
  const defaults = filledIn(upcast);
  const raised = Object.entries(upcast(patch)).filter(
    ([name, value]) => Object.hasOwn(patch, name) || !deepEqual(value, defaults[name]),
  );
  return { patch: Object.fromEntries(raised), unset: unset.filter((name) => !raised.some(([set]) => set === name)) };
}

function filledIn(upcast: (data: JsonObject) => JsonObject): JsonObject {
  try {
    return upcast({});
  } catch {
    return {};
  }
}
