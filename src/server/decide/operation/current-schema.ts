/** Operations of other schema versions than the server's [H7]. */
import type { Acknowledged, OperationResult, WireOperation } from "../../../protocol/types.ts";
import { upcastData, upcastEdit } from "../../../schema/upcast.ts";
import { isTillSyncError } from "../../../shared/errors.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { RecordRow } from "../../ports/rows.ts";
import type { ServedCollection } from "../rows/catalog.ts";
import { NewerRow } from "../rows/newer-row.ts";
import { quarantined, rejected, retry } from "./verdicts.ts";

/** The till is newer than the server: the operation succeeds once the server is upgraded. */
export const NEWER_RETRY_MS = 300_000;

type Shaped = { readonly operation: WireOperation } | { readonly result: OperationResult };

/**
 * The operation in the schema that the server has now. Its data has the version that it names [H7], not the one of the
 * app that sends it. `row`: the row that it is about.
 */
export function inCurrentSchema(
  served: ServedCollection,
  operation: WireOperation,
  row: RecordRow | undefined,
): Shaped {
  const { name, resolved } = served;
  const { schemaVersion: from } = operation;
  if (from > resolved.schemaVersion) {
    const message = `The server has version ${resolved.schemaVersion} of \`${name}\``;
    return { result: retry(operation, "schema_newer", message, NEWER_RETRY_MS) };
  }
  if (from === resolved.schemaVersion) return { operation };
  try {
    return { operation: raised(served, operation, row) };
  } catch (error) {
    if (!isTillSyncError(error, "validation_failed")) throw error;
    const message = `Its data can't be upcast from version ${from}`;
    const issues = [{ path: "", message: error.message }];
    const result =
      resolved.kind === "fact"
        ? quarantined(operation, "schema_too_old", message, issues)
        : rejected(operation, "schema_too_old", message, { issues });
    return { result };
  }
}

function raised(served: ServedCollection, operation: WireOperation, row: RecordRow | undefined): WireOperation {
  const { name, resolved } = served;
  const { schemaVersion: from } = operation;
  const record = recordOfVersion(served, from, row);
  const acknowledged = operation.acknowledged && raisedAssigned(served, operation.acknowledged, from, record);
  const head = { schemaVersion: resolved.schemaVersion, ...(acknowledged && { acknowledged }) };
  switch (operation.action) {
    case "create":
      return { ...operation, ...head, data: upcastData(name, resolved, from, operation.data) };
    case "update": {
      const { patch, unset = [] } = operation;
      return { ...operation, ...head, ...upcastEdit(name, resolved, from, { patch, unset }, record) };
    }
    default:
      return { ...operation, ...head };
  }
}

/** The record in the version of the edit; if a newer version has written it since, as it is: see {@link upcastEdit}. */
function recordOfVersion({ name, resolved }: ServedCollection, from: number, row: RecordRow | undefined): JsonObject {
  if (row === undefined || row.state === "stub") return {};
  const { schemaVersion, data } = row;
  if (schemaVersion > resolved.schemaVersion) throw new NewerRow(name, row.id, schemaVersion, resolved.schemaVersion);
  return schemaVersion < from ? upcastData(name, { ...resolved, schemaVersion: from }, schemaVersion, data) : data;
}

/** The server of the lost history may have had another version than the till [C8.5]. */
function raisedAssigned(
  { name, resolved }: ServedCollection,
  acknowledged: Acknowledged,
  from: number,
  record: JsonObject,
): Acknowledged {
  const { assigned, schemaVersion = from } = acknowledged;
  if (assigned === undefined || schemaVersion >= resolved.schemaVersion) return acknowledged;
  return {
    ...acknowledged,
    assigned: upcastEdit(name, resolved, schemaVersion, { patch: assigned, unset: [] }, record).patch,
  };
}
