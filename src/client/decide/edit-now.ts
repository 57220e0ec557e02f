/** Operations of older schema versions, as the app reads them now [H7]. They are stored and sent as they were made. Pure. */
import { zeroCounters } from "../../schema/counters.ts";
import { pick } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { upcastData, upcastEdit } from "../../schema/upcast.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import { omit } from "../../shared/omit.ts";
import type { StoredOperation } from "../state/operation.ts";

/**
 * The operation in the app's schema version; `undefined` if it can't be read: a newer app has made it, or a step fails.
 * `record`: the record that it edits, in any version.
 */
export function editNow(
  definition: ResolvedCollection,
  operation: StoredOperation,
  record: JsonObject | null,
): StoredOperation | undefined {
  if (operation.schemaVersion > definition.schemaVersion) return undefined;
  try {
    return raisedEdit(definition, operation, record);
  } catch (error) {
    if (!isTillSyncError(error, "validation_failed")) throw error;
    return undefined;
  }
}

/** The same. @throws TillSyncError `validation_failed` if a step fails */
export function raisedEdit(
  definition: ResolvedCollection,
  operation: StoredOperation,
  record: JsonObject | null,
): StoredOperation {
  const { collection, schemaVersion: from, action } = operation;
  const { schemaVersion, counters } = definition;
  if (from >= schemaVersion) return operation;
  if (action === "create") {
    const data = upcastData(collection, definition, from, operation.data ?? {});
    const zeros = counters.length === 0 ? undefined : pick(zeroCounters(definition, data), counters);
    return {
      ...operation,
      schemaVersion,
      data,
      ...(zeros && { zeros: { ...zeros, ...operation.zeros } }),
    } as StoredOperation;
  }
  if (action !== "update") return { ...operation, schemaVersion };
  const { patch = {}, unset = [], before = {} } = operation;
  const edit = upcastEdit(collection, definition, from, { patch, unset, before }, omit(record ?? {}, ...counters));
  return { ...operation, schemaVersion, ...edit };
}
