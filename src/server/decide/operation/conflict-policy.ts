/**
 * Collections whose policy settles conflicts itself. The edit that lost is kept on the desk as a settled conflict (L1).
 */
import { runResolver } from "../../../conflict/run-resolver.ts";
import type { AppliedResult, OperationResult, WireOperation } from "../../../protocol/types.ts";
import { deepEqual, type JsonObject } from "../../../shared/json.ts";
import type { ConflictRow, RecordRow } from "../../ports/rows.ts";
import { mayDo } from "../rows/catalog.ts";
import { checkData, type RowDraft, recordOf, stateOf, without } from "../rows/rows.ts";
import type { Viewpoint } from "../rows/sender.ts";
import { applyChange } from "./apply-change.ts";
import type { Judgement } from "./judgement.ts";
import { applied } from "./verdicts.ts";

export interface FieldConflict {
  readonly fields: readonly string[];
  /** The row as the client would have it; `undefined`: deleted. */
  readonly client: JsonObject | undefined;
}

/** The result, or `undefined` if the conflict is left to the till and to people. */
export function settleByPolicy(
  judgement: Judgement,
  before: RecordRow,
  { fields, client }: FieldConflict,
): OperationResult | undefined {
  const { ws, view, served, operation } = judgement;
  const { policy, resolved } = served;
  if (policy.conflict === undefined) return undefined;
  // A create that meets a row would change it, and an update that meets a deleted row would create it again.
  const right = before.state === "live" ? "update" : "create";
  if (operation.action !== "delete" && !mayDo(served, right, view.principal)) return undefined;
  const excluded = [...resolved.counters, ...resolved.assigned];
  const server = before.state === "live" ? recordOf(served, before) : undefined;
  const resolution = runResolver(policy.conflict, {
    // The server keeps no history, but it knows that outside of the fields in conflict the till had the values that are
    // here now. With this base, the till's other changes count as its own.
    base: server === undefined ? undefined : without(server, fields),
    client:
      client === undefined ? undefined : recordOf(served, { id: before.id, data: client, counters: before.counters }),
    server,
    fields,
    excluded,
  });
  if (resolution.kept === "manual") {
    if (resolution.fault !== undefined) {
      ws.log("error", "A policy's conflict resolver failed; the conflict is left to people", {
        collection: served.name,
        fault: String(resolution.fault),
      });
    }
    return undefined;
  }
  const savepoint = ws.savepoint();
  const result =
    resolution.kept === "server"
      ? keepServerRow(judgement, before)
      : writeResolution(judgement, before, resolution.kept === "client" ? client : resolution.record);
  if (result?.status !== "applied") {
    ws.rollback(savepoint);
    return undefined;
  }
  ws.putConflict({
    ...conflictRow(view, operation, { scope: before.scope, fields, server: stateOf(served, before) }),
    position: ws.take(operation.id),
    settled: { choice: resolution.kept, by: "policy", at: view.receivedAt, note: undefined },
  });
  return result;
}

function keepServerRow({ served, operation }: Judgement, row: RecordRow): AppliedResult {
  const { version, ...state } = stateOf(served, row);
  return applied(operation, version, state);
}

function writeResolution(
  judgement: Judgement,
  before: RecordRow,
  record: JsonObject | undefined,
): OperationResult | undefined {
  const { view, served } = judgement;
  const base = { served, id: before.id, before, counters: before.counters, writer: view.incarnation };
  let draft: RowDraft = { ...base, state: "deleted", data: before.data, writtenFields: [] };
  if (record !== undefined) {
    const checked = checkData(served, before.id, without(record, ["id", ...served.resolved.counters]), before.counters);
    if (!checked.ok) return undefined;
    const names = [...new Set([...Object.keys(before.data), ...Object.keys(checked.data)])];
    const changed = names.filter((name) => !deepEqual(before.data[name], checked.data[name]));
    const revived = before.state === "deleted";
    draft = {
      ...base,
      state: "live",
      data: checked.data,
      isCreation: revived,
      writtenFields: revived ? Object.keys(checked.data) : changed,
    };
  }
  return applyChange(judgement, { draft, flags: [], echo: true });
}

/** A conflict as the desk keeps it. */
export function conflictRow(
  view: Viewpoint,
  operation: WireOperation,
  { scope, fields, server }: Pick<ConflictRow, "scope" | "fields" | "server">,
): Omit<ConflictRow, "position" | "settled"> {
  return {
    id: operation.id,
    operationId: operation.id,
    collection: operation.collection,
    entityId: operation.entityId,
    fields,
    client: operation.action === "update" ? operation.patch : operation.action === "create" ? operation.data : {},
    server,
    scope,
    device: view.device,
    actor: operation.actor,
    detectedAt: view.receivedAt,
  };
}
