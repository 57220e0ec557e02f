/** Runs a plan against the store. */
import { throwIfAborted } from "../../shared/abort.ts";
import type { ScannedRow, ScanOptions } from "../ports/storage.ts";
import type { StoredRow } from "../state/rows.ts";
import { tableOf } from "../state/tables.ts";
import { type Plan, showsAt } from "./query-plan.ts";

/** Both a store and a transaction's view of it can be read like this. */
export interface RowSource {
  get<V>(table: string, keys: readonly string[]): Promise<readonly (V | undefined)[]>;
  scan<V>(table: string, options: ScanOptions): Promise<readonly ScannedRow<V>[]>;
}

/** How many rows are read at a time where a caller takes them one by one. */
const CHUNK = 200;

/** The visible rows of a plan, in its order, in chunks: an aborted reader stops at the next one. */
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

/** A few more than wanted: deleted rows and second keys fall out. */
const SPARE = 8;

export async function readAllRows(
  source: RowSource,
  collection: string,
  plan: Plan,
  signal?: AbortSignal,
): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  // Everything is wanted: one request is faster than pages of it, and what it costs is the caller's wish.
  if (plan.kind === "scan" && plan.limit === undefined) {
    throwIfAborted(signal);
    const scanned = await source.scan<StoredRow>(tableOf(collection), plan.options);
    return scanned.filter(({ key, value }) => showsAt(plan, value, key)).map(({ value }) => value);
  }
  for await (const chunk of readRows(source, collection, plan, signal)) rows.push(...chunk);
  return rows;
}
