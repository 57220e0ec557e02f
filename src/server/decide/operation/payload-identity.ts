/** What makes two deliveries of one id the same operation [H8] (L3). */
import type { UnknownOperation, WireOperation } from "../../../protocol/types.ts";
import { canonicalJson, type Json } from "../../../shared/json.ts";

/**
 * The text that is hashed. Not in it: what may differ between two deliveries of one payload (`sequence` after a fork, `after`,
 * `acknowledged`, device, epoch). An empty list says the same as an absent one.
 */
export function payloadText(operation: WireOperation): string {
  const { collection, entityId, action, transaction, branch, actor, occurredAt, schemaVersion, supersedes } = operation;
  const payload: Record<string, Json | undefined> = {
    collection,
    entityId,
    action,
    transaction,
    branch,
    actor,
    occurredAt,
    schemaVersion,
    supersedes: filled(supersedes),
  };
  switch (operation.action) {
    case "create":
      payload.data = operation.data;
      break;
    case "update":
      payload.patch = operation.patch;
      payload.unset = filled(operation.unset);
      payload.baseVersion = operation.baseVersion;
      break;
    case "increment":
      payload.by = operation.by;
      break;
    case "delete":
      payload.baseVersion = operation.baseVersion;
      break;
    case "void":
      break;
  }
  return canonicalJson(payload as Record<string, Json>);
}

/** Of what is no operation there is no canonical text: any difference counts. */
export function malformedText(operation: UnknownOperation): string {
  return `malformed ${JSON.stringify(operation)}`;
}

function filled(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

/** A UUID (version 8: made by whoever made it) out of a hash: the same payload gets the same one again. */
export function uuidOf(hash: string): string {
  const digits = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
