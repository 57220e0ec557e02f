/** Reads the rows of a plan. */
import { throwIfAborted } from "../../shared/abort.ts";
import type { ScannedRow, ScanOptions } from "../ports/storage.ts";
import type { StoredRow } from "../state/rows.ts";
import { tableOf } from "../state/tables.ts";
import { type Plan, showsAt } from "./query-plan.ts";

/** What rows are read from: the store, or a transaction's reads of it. */
export interface RowSource {
  get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]>;
  scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]>;
}

/** How many rows are read at a time if the caller takes them one by one. */
const CHUNK = 200;

/** The visible rows of a plan, in its order and in chunks. An aborted reader stops at the next chunk. */
export async function* readRows(
  source: RowSource,
  collection: string,
  plan: Plan,
  signal?: AbortSignal,
): AsyncGenerator<readonly StoredRow[], void, undefined> {
  throwIfAborted(signal);
  let left = plan.limit ?? Number.POSITIVE_INFINITY;
  if (plan.kind === "ids") {
    const rows = await source.get<StoredRow>(tableOf(collection), plan.ids);
    yield rows.filter((row): row is StoredRow => row?.data !== undefined).slice(0, left);
    return;
  }
  let after = plan.options.after;
  while (left > 0) {
    throwIfAborted(signal);
    const limit = Math.min(left, CHUNK) + SPARE;
    const scanned = await source.scan<StoredRow>(tableOf(collection), { ...plan.options, after, limit });
    const shown = scanned.filter(({ key, value }) => showsAt(plan, value, key)).map(({ value }) => value);
    yield shown.slice(0, left);
    left -= shown.length;
    const last = scanned.at(-1);
    if (scanned.length < limit || last === undefined) return;
    after = { key: last.key, primary: last.primary };
  }
}

/** Rows that are read beyond those wanted, because deleted rows and second keys of a row are dropped. */
const SPARE = 8;

/** All visible rows of a plan, in its order. */
export async function readAllRows(
  source: RowSource,
  collection: string,
  plan: Plan,
  signal?: AbortSignal,
): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  // Without a limit, one request is faster than several chunks, and the caller has chosen what it costs.
  if (plan.kind === "scan" && plan.limit === undefined) {
    throwIfAborted(signal);
    const scanned = await source.scan<StoredRow>(tableOf(collection), plan.options);
    return scanned.filter(({ key, value }) => showsAt(plan, value, key)).map(({ value }) => value);
  }
  for await (const chunk of readRows(source, collection, plan, signal)) rows.push(...chunk);
  return rows;
}
