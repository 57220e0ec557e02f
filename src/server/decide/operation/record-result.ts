/**
 * Makes a result final: the row by which the id is known for ever (L2), with everything that depends on there being a result.
 * Each takes a position of its own, and the operation's is the last: with the clock it makes a mark [C6].
 */
import type { FinalResult } from "../../../protocol/types.ts";
import type { OperationRow } from "../../ports/rows.ts";
import { redactFor } from "../rows/redact.ts";
import type { Viewpoint } from "../rows/sender.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { conflictRow } from "./conflict-policy.ts";
import { uuidOf } from "./payload-identity.ts";
import { headOf, keptOperation, type PreparedOperation } from "./prepared-operation.ts";
import { cameTooLate, markSuperseded } from "./supersede.ts";
import { quarantined, rejected } from "./verdicts.ts";

export function recordResult(
  ws: WorkingSet,
  view: Viewpoint,
  prepared: PreparedOperation,
  result: FinalResult,
): FinalResult {
  const { parsed } = prepared;
  if (parsed.ok) markSuperseded(ws, view, parsed.value, result);
  const final = { ...result, at: view.receivedAt };
  const position = ws.take(prepared.id);
  if (parsed.ok && result.status === "conflict") {
    const { collection, entityId } = parsed.value;
    const scope = ws.record(collection, entityId)?.scope ?? "";
    const row = conflictRow(view, parsed.value, scope, result.fields, result.server);
    ws.putConflict({ ...row, position, settled: undefined });
  }
  ws.putOperation(operationRow(view, prepared, final, position));
  return final;
}

function operationRow(
  view: Viewpoint,
  prepared: PreparedOperation,
  result: FinalResult,
  position: number,
): OperationRow {
  return {
    id: prepared.id,
    device: view.device,
    incarnation: view.incarnation,
    ...headOf(prepared),
    hash: prepared.hash,
    status: result.status,
    version: result.status === "applied" ? result.version : 0,
    position,
    feedPosition: position,
    revision: 0,
    // What came too late points at what stands: whoever waits for it follows.
    supersededBy: cameTooLate(result) && result.status === "rejected" ? result.by : undefined,
    result,
    operation: keptOperation(prepared),
    receivedAt: view.receivedAt,
  };
}

/** The answer to an id that is known: the stored result, or that the payload is another one (L3). */
export function storedAnswer(
  ws: WorkingSet,
  view: Viewpoint,
  prepared: PreparedOperation,
  stored: OperationRow,
): FinalResult {
  // A placeholder knows no payload: it was superseded before it came.
  if (stored.hash === prepared.hash || stored.hash === "") return { ...redactFor(view, stored), replayed: true };
  quarantineReused(ws, view, prepared);
  return rejected(prepared, "operation_id_reused", `This id stands for another operation, which is ${stored.status}`, {
    issues: [{ path: "status", message: stored.status }],
  });
}

/**
 * Both payloads are kept: the second goes into quarantine under an id made of its hash, where people see it and can let it in. Once,
 * however often it is sent.
 */
function quarantineReused(ws: WorkingSet, view: Viewpoint, prepared: PreparedOperation): void {
  const id = uuidOf(prepared.hash);
  ws.log("error", "An operation id was used twice, with different payloads", {
    operation: prepared.id,
    kept: id,
    device: view.device,
  });
  if (ws.operation(id) !== undefined) return;
  const position = ws.take(id);
  const result = {
    ...quarantined({ id }, "operation_id_reused", `It came under the id ${prepared.id}, which is taken`),
    at: view.receivedAt,
  };
  ws.putOperation({
    ...operationRow(view, prepared, result, position),
    id,
    // The number belongs to the operation that came first.
    sequence: undefined,
    transaction: undefined,
  });
}
