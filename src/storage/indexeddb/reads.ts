/** Runs the reads of the port as requests of one transaction. */

import { wrap } from "idb";
import type { Key, ScannedRow, ScanOptions, StorageRead } from "../../client/ports/storage.ts";
import { compareKeys, inRange } from "../../shared/keys.ts";
import { nameOf } from "./failures.ts";
import { nativeRange, remainingRange } from "./ranges.ts";
import { propertyOf, type StoredRow } from "./rows.ts";

/** More than IndexedDB accepts as a count: no limit. */
const NO_LIMIT = 2 ** 32;

/** From this many keys on, it is faster to look first which of them are stored. */
const MANY_KEYS = 64;
/** The look ends after this many: a range with more stored keys is not worth it. */
const STORED_KEYS = 16;

type Source = IDBObjectStore | IDBIndex;

/** Issues its requests synchronously: if the transaction is no longer active, it throws instead of rejecting. */
export function answer(transaction: IDBTransaction, read: StorageRead): Promise<unknown> {
  const store = transaction.objectStore(read.table);
  if (read.kind === "get")
    return read.keys.length < MANY_KEYS ? getEach(store, read.keys) : getStored(store, read.keys);
  const { options } = read;
  const source = options.index === undefined ? store : store.index(options.index);
  if (read.kind === "scan") return scan(source, options);
  const range = nativeRange(options.range);
  return range === "empty" ? Promise.resolve(0) : wrap(source.count(range));
}

function getEach(store: IDBObjectStore, keys: readonly string[]): Promise<unknown[]> {
  const rows: readonly IDBRequest<StoredRow | undefined>[] = keys.map((key) => store.get(key));
  return allAnswered(rows).then((found) => found.map((row) => row?.v));
}

/**
 * The same for a page of a pull, most of which is new. Ids are mostly created in ascending order, so the new ones are
 * in a range where nothing is stored yet: one look at that range saves a request for each of them. If the range is
 * full, the look was one request too many.
 */
function getStored(store: IDBObjectStore, keys: readonly string[]): Promise<unknown[]> {
  const sorted = [...keys].sort();
  const look = store.getAllKeys(IDBKeyRange.bound(sorted[0], sorted.at(-1)), STORED_KEYS);
  return wrap(look).then(async (found) => {
    const unseen = found.length < STORED_KEYS ? undefined : (found.at(-1) as string);
    const seen = new Set(found);
    const asked = keys.filter((key) => seen.has(key) || (unseen !== undefined && key > unseen));
    const rows = new Map<string, unknown>();
    for (const [at, row] of (await getEach(store, asked)).entries()) rows.set(asked[at] as string, row);
    return keys.map((key) => rows.get(key));
  });
}

/**
 * A transaction answers its requests in their order: with the last answer all are there, and hundreds need no listener.
 */
async function allAnswered<T>(requests: readonly IDBRequest<T>[]): Promise<T[]> {
  const last = requests.at(-1);
  if (last === undefined) return [];
  try {
    await wrap(last);
  } catch (error) {
    // The request that failed aborted the others, which only report that.
    throw requests.find((request) => nameOf(request.error) !== "AbortError" && request.error !== null)?.error ?? error;
  }
  return requests.map(({ result }) => result);
}

function scan(source: Source, options: ScanOptions): Promise<ScannedRow<unknown>[]> {
  const { index, limit = NO_LIMIT, direction = "next", after } = options;
  const remaining = remainingRange(options);
  const range = nativeRange(remaining);
  if (range === "empty" || limit === 0) return Promise.resolve([]);

  // Two requests, however many rows. `getAll` can't read backwards, nor start in the middle of equal index keys.
  if (direction === "next" && (after === undefined || index === undefined)) {
    const most = limit < NO_LIMIT ? limit : undefined;
    const lists = Promise.all([wrap(source.getAllKeys(range, most)), wrap(source.getAll(range, most))]);
    // `getAll` on an index does not return the index keys. But the entries are in the order of their keys: the second
    // time that a row occurs, it is for the second of its keys in the range.
    const waiting = new Map<string, Key[]>();
    return lists.then(([primaries, rows]: [IDBValidKey[], StoredRow[]]) =>
      rows.map(({ v, x }, at) => {
        const primary = primaries[at] as string;
        const keys = index === undefined ? [primary] : (x?.[propertyOf(index)] ?? []);
        const rest = waiting.get(primary) ?? keys.filter((key) => inRange(key, remaining)).sort(compareKeys);
        waiting.set(primary, rest);
        return { key: rest.shift() as Key, primary, value: v };
      }),
    );
  }

  // One request for each row; engines prefetch them.
  const found: ScannedRow<unknown>[] = [];
  return eachEntry(source.openCursor(range, direction), (cursor, { v }) => {
    const key = cursor.key as Key;
    const primary = cursor.primaryKey as string;
    if (after !== undefined) {
      const order = compareKeys([key, primary], [after.key, after.primary]) * (direction === "prev" ? -1 : 1);
      // Thousands of rows may have the same key: jump over them.
      if (order < 0 && index !== undefined) return cursor.continuePrimaryKey(after.key as IDBValidKey, after.primary);
      if (order <= 0) return cursor.continue();
    }
    if (found.push({ key, primary, value: v }) === limit) return true;
    return cursor.continue();
  }).then(() => found);
}

/** Calls `visit` for each entry. It advances the cursor, or returns `true` to stop. */
export function eachEntry(
  request: IDBRequest<IDBCursorWithValue | null>,
  visit: (cursor: IDBCursorWithValue, row: StoredRow) => unknown,
): Promise<void> {
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      try {
        if (cursor === null || visit(cursor, cursor.value) === true) resolve();
      } catch (error) {
        reject(error);
      }
    };
  });
}
