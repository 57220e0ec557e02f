/** Judges one operation. It leaves something in the working set only if the operation is applied. */
import { LIMITS } from "../../../protocol/constants.ts";
import type { OperationResult, WireOperation } from "../../../protocol/types.ts";
import { isTillSyncError } from "../../../shared/errors.ts";
import type { ServedCollection } from "../rows/catalog.ts";
import { NewerRow } from "../rows/newer-row.ts";
import { PolicyFailure } from "../rows/policy-failure.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { increment } from "./counters.ts";
import { inCurrentSchema, NEWER_RETRY_MS } from "./current-schema.ts";
import { createRecord, deleteRecord, updateRecord } from "./edits.ts";
import { createFact } from "./facts.ts";
import type { Acknowledgement } from "./judgement.ts";
import { unmet } from "./order.ts";
import type { PreparedOperation } from "./prepared-operation.ts";
import { replayAcknowledged } from "./replay-acknowledged.ts";
import { voidRefusal } from "./rights.ts";
import { givenUpBy, setAsideRefusal } from "./set-aside.ts";
import { supersedeRefusal } from "./supersede.ts";
import { applied, blocked, isCommercial, quarantined, rejectedOrQuarantined, retry } from "./verdicts.ts";

export function evaluate(ws: WorkingSet, view: Viewpoint, prepared: PreparedOperation): OperationResult {
  const { raw, parsed } = prepared;
  if (view.revoked === true)
    return quarantined(raw, "device_revoked", "The device was revoked: people decide about its work");
  if (prepared.bytes > LIMITS.operationBytes) {
    const message = `An operation has at most ${LIMITS.operationBytes} bytes`;
    return rejectedOrQuarantined(view.catalog, raw, { code: "too_large", message });
  }
  if (!parsed.ok) {
    const message = "This is not an operation of the protocol";
    return rejectedOrQuarantined(view.catalog, raw, { code: "malformed", message, issues: parsed.issues });
  }
  const operation = parsed.value;
  const savepoint = ws.savepoint();
  const result = containingFailures(ws, view, operation, () => judgeOperation(ws, view, operation, prepared));
  if (result.status !== "applied") ws.rollback(savepoint);
  return result;
}

/** A mistake in the application's policy or schema affects only the operation that met it. */
function containingFailures(
  ws: WorkingSet,
  view: Viewpoint,
  operation: WireOperation,
  judge: () => OperationResult,
): OperationResult {
  try {
    return judge();
  } catch (error) {
    if (error instanceof PolicyFailure) {
      ws.log("error", error.message, { collection: error.collection, member: error.member, operation: operation.id });
      if (isCommercial(view.catalog, operation))
        return quarantined(operation, "policy_failed", "The server's policy failed");
      return retry(operation, "policy_failed", "The server's policy failed");
    }
    if (error instanceof NewerRow) {
      // A newer server wrote the row, and an older one has taken its place. It succeeds once the server is updated.
      ws.log("error", error.message, { collection: error.collection, operation: operation.id });
      return retry(operation, "schema_newer", "A newer version of the server wrote the row", NEWER_RETRY_MS);
    }
    if (isTillSyncError(error, "schema_async")) {
      // No record of the collection can be judged. A final result for each of them would be worse than none.
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
  prepared: PreparedOperation,
): OperationResult {
  const { catalog, principal } = view;
  const served = catalog.collections.get(sent.collection);
  if (served === undefined) {
    return rejectedOrQuarantined(catalog, sent, {
      code: "unknown_collection",
      message: "The server has no such collection",
    });
  }
  if (view.released !== true && sent.branch !== undefined && sent.branch !== principal.branch) {
    const refusal = setAsideRefusal(ws, view, prepared);
    return refusal ?? quarantined(sent, "branch_mismatch", "It was made in another branch than the token's");
  }
  const commercial = isCommercial(catalog, sent);
  const shaped = inCurrentSchema(served, sent, ws.record(sent.collection, sent.entityId));
  if ("result" in shaped) return shaped.result;
  const { operation } = shaped;
  const isRaised = operation !== sent;
  if (view.released !== true) {
    const waitsFor = unmet(ws, operation, { commercial, device: view.device });
    if (waitsFor.length > 0) return blocked(operation, waitsFor);
  }
  const refusal = supersedeRefusal(ws, view, operation);
  if (refusal !== undefined) return refusal;
  if (operation.action === "void") {
    // A void only supersedes (see record-result.ts).
    return voidRefusal(view, served, operation, givenUpBy(ws, view, operation)) ?? applied(operation, 0);
  }

  const acknowledged = prepared.acknowledgedIsAuthentic ? acknowledgement(ws, operation) : undefined;
  if (!takesAction(served, operation)) {
    const message = `\`${served.name}\` does not take the action \`${operation.action}\``;
    return rejectedOrQuarantined(catalog, operation, { code: "malformed", message });
  }
  if (acknowledged !== undefined) return replayAcknowledged({ ws, view, served, operation, isRaised }, acknowledged);
  switch (operation.action) {
    case "increment":
      return increment({ ws, view, served, operation, isRaised });
    case "create":
      return served.resolved.kind === "fact"
        ? createFact({ ws, view, served, operation, isRaised })
        : createRecord({ ws, view, served, operation, isRaised });
    case "update":
      return updateRecord({ ws, view, served, operation, isRaised });
    case "delete":
      return deleteRecord({ ws, view, served, operation, isRaised });
  }
}

/** Facts can only be created (L11). */
function takesAction({ resolved }: ServedCollection, { action }: WireOperation): boolean {
  return resolved.kind === "record" || action === "create";
}

/**
 * What the lost history made of the operation. Only an acknowledgement of an earlier epoch counts: in the present one
 * nothing is lost. A version above the epoch's start is taken as that start, because it would overwrite what was
 * written since.
 */
function acknowledgement(ws: WorkingSet, { acknowledged }: WireOperation): Acknowledgement | undefined {
  if (acknowledged === undefined || acknowledged.epoch === ws.clock.epoch) return undefined;
  return { version: Math.min(acknowledged.version, ws.clock.epochStart), assigned: acknowledged.assigned };
}
