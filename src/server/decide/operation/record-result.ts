/**
 * Makes a result final: stores the row by which the operation's id is known forever (L2), and everything that follows
 * from the result. Each of these takes a position of its own. The operation takes the last one, so the next mark points
 * at it [C6].
 */
import type { FinalResult, WireOperation } from "../../../protocol/types.ts";
import { isOpenQuarantine, type OperationRow, type RecordRow } from "../../ports/rows.ts";
import { redactFor } from "../rows/redact.ts";
import { originOf, type Viewpoint } from "../rows/sender.ts";
import { visibleState } from "../rows/visible-state.ts";
import type { WorkingSet } from "../rows/working-set.ts";
import { conflictRow } from "./conflict-policy.ts";
import { inCurrentSchema } from "./current-schema.ts";
import { headOf, keptOperation, type PreparedOperation } from "./prepared-operation.ts";
import { setAsideRefusal } from "./set-aside.ts";
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
  const final = { ...withServer(ws, view, prepared, result), at: view.receivedAt };
  const position = ws.take(prepared.id);
  if (parsed.ok && result.status === "conflict") {
    const { collection, entityId } = parsed.value;
    const record = ws.record(collection, entityId);
    const scope = record?.scope ?? "";
    const edit = raisedForDesk(view, parsed.value, record);
    const row = conflictRow(view, edit, { scope, fields: result.fields, server: result.server });
    ws.putConflict({ ...row, position, settled: undefined });
  }
  ws.putOperation(operationRow(view, prepared, final, position));
  logRefusal(ws, view, prepared, final);
  return final;
}

/** The desk shows both sides in the schema that the server has now [H7]. */
function raisedForDesk(view: Viewpoint, operation: WireOperation, row: RecordRow | undefined): WireOperation {
  const served = view.catalog.collections.get(operation.collection);
  const shaped = served && inCurrentSchema(served, operation, row);
  return shaped !== undefined && "operation" in shaped ? shaped.operation : operation;
}

/**
 * Once for each operation: a known id is not judged again, and a result that is rolled back with its transaction is not
 * logged. The verdict's message stays out, because it may quote the shop's data.
 */
function logRefusal(ws: WorkingSet, { device }: Viewpoint, prepared: PreparedOperation, result: FinalResult): void {
  if (result.status !== "quarantined" && result.status !== "rejected") return;
  const { collection } = headOf(prepared);
  // No fault of the server: what is quarantined is on the office's desk, and what is rejected on the till's.
  ws.logWritten("info", `An operation was ${result.status}`, {
    code: result.error.code,
    device,
    operation: prepared.id,
    ...(collection !== "" && { collection }),
  });
}

/** A refused edit comes back with the row as it is, which is what the till shows from now on. */
function withServer(ws: WorkingSet, view: Viewpoint, prepared: PreparedOperation, result: FinalResult): FinalResult {
  if (result.status !== "rejected" || result.server !== undefined) return result;
  const server = visibleState(ws, view, headOf(prepared));
  return server === undefined ? result : { ...result, server };
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
    // An operation that came too late points at the one that took effect: whatever waits for it follows the pointer.
    supersededBy: cameTooLate(result) && result.status === "rejected" ? result.by : undefined,
    result,
    operation: keptOperation(prepared),
    receivedAt: view.receivedAt,
    ...originOf(view),
  };
}

/** The answer for an id that is known: the stored result, or a rejection because the payload differs (L3). */
export function storedAnswer(
  ws: WorkingSet,
  view: Viewpoint,
  prepared: PreparedOperation,
  stored: OperationRow,
): FinalResult {
  // A placeholder has no hash: it was superseded before it arrived.
  if (stored.hash === prepared.hash || stored.hash === "") return { ...redactFor(ws, view, stored), replayed: true };
  const at = quarantineReused(ws, view, prepared, stored);
  const message = `This id belongs to another operation, which is ${stored.status}`;
  const server = visibleState(ws, view, headOf(prepared));
  return { ...rejected(prepared, "operation_id_reused", message, { server }), at };
}

/**
 * Both payloads are kept. The second one is quarantined under an id made from its hash, where people see it and can
 * release it; an edit that its sender might not make is kept as rejected. That happens once, however often it is sent.
 * Returns when it happened.
 */
function quarantineReused(ws: WorkingSet, view: Viewpoint, prepared: PreparedOperation, first: OperationRow): number {
  const id = uuidOf(prepared.hash);
  const known = ws.operation(id);
  if (known !== undefined) return known.receivedAt;
  ws.log("error", "An operation id was used twice, with different payloads", {
    operation: prepared.id,
    kept: id,
    device: view.device,
  });
  const refusal = setAsideRefusal(ws, view, prepared);
  const position = ws.take(id);
  const result = {
    ...(refusal ??
      quarantined({ id }, "operation_id_reused", `It arrived under the id ${prepared.id}, which is taken`)),
    id,
    at: view.receivedAt,
  };
  const row = operationRow(view, prepared, result, position);
  ws.putOperation({
    ...row,
    id,
    // The sequence number belongs to the operation that arrived first. So does the transaction, if that is of this
    // device: else it is bound to what it was sent with.
    sequence: undefined,
    transaction: first.device === row.device ? undefined : row.transaction,
  });
  return view.receivedAt;
}

/**
 * The id under which the operation is kept because another device has taken its own. While it waits for people there, the others of
 * its transaction wait with it [C1].
 */
export function keptAside(ws: WorkingSet, { id, hash }: PreparedOperation): string | undefined {
  const stored = ws.operation(id);
  if (stored === undefined || stored.hash === hash) return undefined;
  const kept = ws.operation(uuidOf(hash));
  return kept?.transaction !== undefined && isOpenQuarantine(kept) ? kept.id : undefined;
}

/**
 * A UUID made from a hash (version 8: the layout is the application's own). The same payload gets the same UUID again.
 */
export function uuidOf(hash: string): string {
  const digits = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
