/** An operation with everything about it that needs no row: parsed, measured, hashed. */

import { LIMITS } from "../../../protocol/constants.ts";
import type { Parsed } from "../../../protocol/parse.ts";
import type { UnknownOperation, WireOperation } from "../../../protocol/types.ts";
import { isCollectionName, isId } from "../../../protocol/values.ts";
import { jsonFault } from "../../../shared/json.ts";

export interface PreparedOperation {
  readonly id: string;
  /** As it came. */
  readonly raw: UnknownOperation;
  readonly parsed: Parsed<WireOperation>;
  readonly hash: string;
  /** UTF-8 bytes of its JSON; 0 where the whole request is so small that nobody measured. */
  readonly bytes: number;
  /** `acknowledged` names an epoch that this server, or the one it was restored from, has given out [C8]. */
  readonly acknowledgedIsAuthentic: boolean;
}

/** What the stored row says of an operation, however malformed it is. */
export function headOf({ raw, parsed }: PreparedOperation) {
  if (parsed.ok) {
    const { sequence, collection, entityId, transaction } = parsed.value;
    return { sequence, collection, entityId, transaction };
  }
  return {
    sequence: Number.isSafeInteger(raw.sequence) && (raw.sequence as number) > 0 ? (raw.sequence as number) : undefined,
    collection: isCollectionName(raw.collection) ? raw.collection : "",
    entityId: isId(raw.entityId) ? raw.entityId : "",
    transaction: isId(raw.transaction) ? raw.transaction : undefined,
  };
}

/**
 * What is kept of it. Nothing that was sent is dropped (L1), also not what no database could store as JSON: that is kept as its
 * text, in which every unstorable character is an escape. Of what is larger than an operation may be, as much of its text as one may
 * have: a few kilobytes of gzip would otherwise fill the disk (L12).
 */
export function keptOperation({ id, raw, parsed, bytes }: PreparedOperation): WireOperation {
  if (bytes > LIMITS.operationBytes)
    return { id, raw: startOf(JSON.stringify(raw)), bytes } as unknown as WireOperation;
  if (parsed.ok) return parsed.value;
  const kept = jsonFault(raw, { maxDepth: 40 }) === undefined ? raw : { id, raw: JSON.stringify(raw) };
  // Parsed again wherever it is used: see `release`.
  return kept as unknown as WireOperation;
}

/** Without half a character at its end, which no database takes. */
function startOf(text: string): string {
  return text.slice(0, LIMITS.operationBytes).replace(/[\uD800-\uDBFF]$/, "");
}
