/** Brings records of older schema versions up to the current one. */
import { assert } from "../shared/assert.ts";
import { messageOf, TillSyncError } from "../shared/errors.ts";
import { faultText, isPlainObject, type JsonObject, jsonFault, toJson } from "../shared/json.ts";
import type { ResolvedCollection } from "./resolved.ts";

/**
 * Runs every step from version `from` up to the collection's own. The steps get a copy, so a step that edits its
 * argument can't change what is stored.
 *
 * @param from 1 to `resolved.schemaVersion`; the caller must keep newer records aside
 * @throws TillSyncError `validation_failed` if a step throws, or returns anything but a plain JSON object
 */
export function upcastData(name: string, resolved: ResolvedCollection, from: number, data: JsonObject): JsonObject {
  assert(
    from >= 1 && from <= resolved.schemaVersion,
    `a record of version ${from} met \`${name}\` ${resolved.schemaVersion}`,
  );
  if (from === resolved.schemaVersion) return data;
  let current: Record<string, unknown> = toJson(data);
  for (let version = from; version < resolved.schemaVersion; version++) {
    current = runStep(name, resolved, version, current);
  }
  return toJson(current) as JsonObject;
}

function runStep(name: string, resolved: ResolvedCollection, version: number, data: Record<string, unknown>) {
  const step = resolved.upcast[version];
  assert(step !== undefined, `\`${name}\` has no step from version ${version}`);
  let returned: unknown;
  try {
    returned = step(data);
  } catch (cause) {
    throw failed(name, version, messageOf(cause), { cause });
  }
  if (!isPlainObject(returned)) throw failed(name, version, "it returned no object");
  const fault = jsonFault(returned, { allowUndefined: true });
  if (fault !== undefined) throw failed(name, version, `it returned ${faultText(fault)}`);
  return returned;
}

function failed(name: string, version: number, what: string, options?: { cause: unknown }): TillSyncError {
  const next = version + 1;
  const message = `Expected the step \`upcast[${version}]\` of \`${name}\` to return the record in version ${next}: ${what}.`;
  return new TillSyncError(
    "validation_failed",
    message,
    { collection: name, id: undefined, issues: [{ message }] },
    options,
  );
}
