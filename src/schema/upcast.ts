/** Records of older app versions, brought up to the version that the schema describes. */

import { assert } from "../shared/assert.ts";
import { messageOf, TillSyncError } from "../shared/errors.ts";
import { faultText, isPlainObject, type JsonObject, jsonFault, toJson } from "../shared/json.ts";
import type { ResolvedCollection } from "./resolved.ts";

/**
 * Runs every step from version `from` up to the collection's own. The steps get a copy: one that edits its argument
 * can't touch what is stored.
 *
 * @param from at least 1, at most `resolved.schemaVersion`; what is newer than this app is for the caller to keep aside
 * @throws TillSyncError `validation_failed` where a step throws or does not answer a plain JSON object
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
  let answer: unknown;
  try {
    answer = step(data);
  } catch (cause) {
    throw failed(name, version, messageOf(cause), { cause });
  }
  if (!isPlainObject(answer)) throw failed(name, version, "it answered no object");
  const fault = jsonFault(answer, { allowUndefined: true });
  if (fault !== undefined) throw failed(name, version, `it answered ${faultText(fault)}`);
  return answer;
}

function failed(name: string, version: number, what: string, options?: { cause: unknown }): TillSyncError {
  const message = `Expected the step \`upcast[${version}]\` of \`${name}\` to answer the record in version ${version + 1}: ${what}.`;
  return new TillSyncError(
    "validation_failed",
    message,
    { collection: name, id: undefined, issues: [{ message }] },
    options,
  );
}
