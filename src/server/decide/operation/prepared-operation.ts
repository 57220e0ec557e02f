/** An operation with everything about it that can be known without rows: parsed, measured, hashed. */
import { LIMITS } from "../../../protocol/constants.ts";
import type { Parsed } from "../../../protocol/parse.ts";
import type { UnknownOperation, WireOperation } from "../../../protocol/types.ts";
import { isCollectionName, isId } from "../../../protocol/values.ts";
import { jsonFault } from "../../../shared/json.ts";

export interface PreparedOperation {
  readonly id: string;
  /** As it was received. */
  readonly raw: UnknownOperation;
  /** Its text as it was received, if `raw` can't be stored as it is, or is too large. */
  readonly text?: string | undefined;
  readonly parsed: Parsed<WireOperation>;
  /** The identity of its payload [H8]: see protocol/payload.ts. */
  readonly hash: string;
  /** UTF-8 bytes of its JSON; 0 if the whole request is so small that it was not measured. */
  readonly bytes: number;
  /**
   * Its receipt proves that this server, or the one that it was restored from, has answered this payload with what
   * `acknowledged` says, in the epoch that it names [C8.5].
   */
  readonly acknowledgedIsAuthentic: boolean;
}

/** The columns that are stored of any operation, however malformed it is. */
export function headOf({ raw, parsed }: Pick<PreparedOperation, "raw" | "parsed">) {
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

/** A malformed operation that nests deeper is kept as text. */
export const MAX_KEPT_DEPTH = 40;

/**
 * The form in which the operation is kept. Nothing that was sent is dropped (L1), not even what no database could store
 * as JSON, or what a number can't hold: that is kept as its text. Of an operation that is larger than allowed, only as
 * much text is kept as an operation may have: otherwise a few kilobytes of gzip would fill the disk (L12).
 */
export function keptOperation({ id, raw, text, parsed, bytes }: PreparedOperation): WireOperation {
  if (parsed.ok && bytes <= LIMITS.operationBytes) return parsed.value;
  const isKept = bytes <= LIMITS.operationBytes && jsonFault(raw, { maxDepth: MAX_KEPT_DEPTH }) === undefined;
  // Not a valid operation: `release` parses it again.
  if (isKept) return raw as unknown as WireOperation;
  const kept = startOf(text ?? JSON.stringify(raw));
  return { id, raw: kept, ...(bytes > LIMITS.operationBytes && { bytes }) } as unknown as WireOperation;
}

/** Does not end with half of a surrogate pair, which no database accepts. */
function startOf(text: string): string {
  return text.slice(0, LIMITS.operationBytes).replace(/[\uD800-\uDBFF]$/, "");
}
