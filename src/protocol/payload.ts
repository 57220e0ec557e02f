/** The payload of an operation: the same id with another payload is an error that both sides see (L3). */
import type { Json, JsonObject } from "../shared/json.ts";
import type { WireOperation } from "./types.ts";

const MEMBERS = [
  ...["collection", "entityId", "action", "data", "patch", "unset", "by", "baseVersion"],
  ...["transaction", "supersedes", "branch", "actor", "occurredAt", "schemaVersion"],
];

/**
 * The part of an operation that must be the same in each delivery. Its identity is the SHA-256 of its RFC 8785 text.
 * `id` is not part of it, nor is what may differ between two deliveries: `sequence`, `after`, `acknowledged`, `force`.
 * An empty list counts as absent.
 */
export function payloadOf(operation: WireOperation): JsonObject {
  const members = operation as unknown as Readonly<Record<string, Json | undefined>>;
  const payload: Record<string, Json> = {};
  for (const name of MEMBERS) {
    const value = members[name];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) payload[name] = value;
  }
  return payload;
}
