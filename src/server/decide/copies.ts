/**
 * Copies of rows in what a push is answered with and in what is kept of it (L12). Every result may carry its row [C4],
 * and a conflict keeps the row that stood against the edit. But a few bytes of an edit must not become a quarter of a
 * megabyte of answer and of disk, five hundred times.
 */
import { LIMITS } from "../../protocol/constants.ts";
import type { FinalResult, OperationResult } from "../../protocol/types.ts";
import { jsonBytes } from "../../shared/json.ts";
import type { ConflictRow, StoredResult } from "../ports/rows.ts";
import { type Catalog, isFact } from "./rows/catalog.ts";
import { recordKey, type WorkingSet } from "./rows/working-set.ts";

const KEPT_PER_BYTE = 4;
/** A push of one edit keeps a row of usual size. */
const KEPT_BYTES = 64 * 1024;

/** How many bytes of rows may be kept with what a push of that size leads to. */
export function copyBytesOf(sentBytes: number): number {
  return KEPT_BYTES + KEPT_PER_BYTE * sentBytes;
}

/** Measures the rows in results. A row is large, and stands in many of them: each is measured once. */
export class Copies {
  readonly #ws: WorkingSet;
  readonly #sizes = new Map<string, number>();

  constructor(ws: WorkingSet) {
    this.#ws = ws;
  }

  /** Bytes of the row in the result; 0 if there is none. */
  bytesOf(result: StoredResult | OperationResult): number {
    const copy = copyIn(result);
    const stored = copy && this.#ws.operation(result.id);
    return copy === undefined || stored === undefined ? 0 : this.#bytes(stored, copy);
  }

  bytesOfConflict(conflict: ConflictRow): number {
    const { server } = conflict;
    return "omitted" in server || server.data === undefined ? 0 : this.#bytes(conflict, server);
  }

  #bytes(
    { collection, entityId }: { readonly collection: string; readonly entityId: string },
    { version, data }: Copy,
  ): number {
    const key = `${version} ${recordKey(collection, entityId)}`;
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const bytes = jsonBytes(JSON.stringify(data));
    this.#sizes.set(key, bytes);
    return bytes;
  }
}

interface Copy {
  readonly version: number;
  readonly data: object;
}

function copyIn(result: StoredResult | OperationResult): Copy | undefined {
  if (result.status === "applied") return result.data && { version: result.version, data: result.data };
  if (result.status !== "conflict" && result.status !== "rejected") return undefined;
  const { server } = result;
  return server === undefined || "omitted" in server || server.data === undefined ? undefined : server;
}

/** The result without its row. */
function withoutCopy(result: StoredResult): StoredResult {
  switch (result.status) {
    case "applied": {
      const { data: _, ...rest } = result;
      return { ...rest, omitted: true };
    }
    case "conflict":
      return { ...result, server: { version: result.server.version, omitted: true } };
    case "rejected": {
      const { server: _, ...rest } = result;
      return rest;
    }
    default:
      return result;
  }
}

/**
 * Forgets the copies that are more than may be kept of this push. Whoever asks for such a result or conflict again gets
 * the row as it is then.
 *
 * @param before the position before the push
 * @param copyBytes how much may be kept
 */
export function forgetCopies(
  ws: WorkingSet,
  catalog: Catalog,
  copies: Copies,
  { before, copyBytes }: { readonly before: number; readonly copyBytes: number },
): void {
  let budget = copyBytes;
  const isKept = (bytes: number) => {
    if (bytes > budget) return false;
    budget -= bytes;
    return true;
  };
  // The desk's copies first: what was overwritten is nowhere else.
  for (const conflict of ws.conflictsSince(before)) {
    if (isKept(copies.bytesOfConflict(conflict))) continue;
    ws.putConflict({ ...conflict, server: { version: conflict.server.version, omitted: true } });
  }
  for (const row of ws.operationsSince(before)) {
    // A fact is what was sent, and measuring it would be a tenth of the cost of a sale. Whatever is made of a record may
    // be much more: a resolver may merge a small create into a large row.
    if (isFact(catalog, row.collection) && row.status === "applied" && row.operation?.action === "create") continue;
    if (!isKept(copies.bytesOf(row.result))) ws.putOperation({ ...row, result: withoutCopy(row.result) });
  }
}

/**
 * The results as they are answered. Once the copies exceed the size of a page, only the last result on a row carries it.
 * That result has the greatest version, so on the till it replaces whatever the others led to. Conflicts carry theirs:
 * a push is not judged any further when its rows are more than an answer may carry.
 */
export function sparingCopies(
  ws: WorkingSet,
  copies: Copies,
  results: readonly OperationResult[],
): readonly OperationResult[] {
  const carried = new Set<string>();
  let budget: number = LIMITS.pullBytes;
  const kept = results.toReversed().map((result) => {
    if (result.status !== "applied" && result.status !== "rejected") return result;
    const stored = copyIn(result) && ws.operation(result.id);
    if (stored === undefined) return result;
    const row = recordKey(stored.collection, stored.entityId);
    if (carried.has(row)) budget -= copies.bytesOf(result);
    if (carried.has(row) && budget < 0) return withoutCopy(result) as FinalResult;
    carried.add(row);
    return result;
  });
  return kept.toReversed();
}
