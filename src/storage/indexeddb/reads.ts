/** The reads of the port as requests of one transaction. */

import { wrap } from "idb";
import type { Key, ScannedRow, ScanOptions, StorageRead } from "../../client/ports/storage.ts";
import { compareKeys, inRange } from "../../shared/keys.ts";
import { nameOf } from "./failures.ts";
import { nativeRange, remainingRange } from "./ranges.ts";
import { propertyOf, type StoredRow } from "./rows.ts";

/** More than IndexedDB takes as a count, and so the same as no limit. */
const NO_LIMIT = 2 ** 32;

/** From so many keys on, a look at which of them are there pays. */
const MANY_KEYS = 64;
/** It ends here: a stretch with more than that in it is not worth looking at. */
const STORED_KEYS = 16;

type Source = IDBObjectStore | IDBIndex;

/** Asks at once: where the transaction is no longer active this throws, and does not reject. */
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
 * The same for a page of a pull, most of which is new. Ids are mostly given out in order, and the new ones then lie where nothing is
 * stored yet: one look at that stretch of keys spares a request for each of them. Where it is full, this was one request too many.
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

/** A transaction answers in the order in which it was asked: with the last answer all are there, and hundreds need no listener. */
async function allAnswered<T>(requests: readonly IDBRequest<T>[]): Promise<T[]> {
  const last = requests.at(-1);
  if (last === undefined) return [];
  try {
    await wrap(last);
  } catch (error) {
    // The one that failed took the others with it: they only say that they were aborted.
    throw requests.find((request) => nameOf(request.error) !== "AbortError" && request.error !== null)?.error ?? error;
  }
  return requests.map(({ result }) => result);
}

function scan(source: Source, options: ScanOptions): Promise<ScannedRow<unknown>[]> {
  const { index, limit = NO_LIMIT, direction = "next", after } = options;
  const remaining = remainingRange(options);
  const range = nativeRange(remaining);
  if (range === "empty" || limit === 0) return Promise.resolve([]);

  // Two requests, however many rows. Lists can't be asked for backwards, nor from the middle of equal index keys.
  if (direction === "next" && (after === undefined || index === undefined)) {
    const most = limit < NO_LIMIT ? limit : undefined;
    const lists = Promise.all([wrap(source.getAllKeys(range, most)), wrap(source.getAll(range, most))]);
    // An index does not say which of a row's keys an entry stands for. But its entries come in the order of their keys: the
    // second time that a row comes up, it is for the second of its keys in the range.
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

  // One request for each row, which engines fetch ahead.
  const found: ScannedRow<unknown>[] = [];
  return eachEntry(source.openCursor(range, direction), (cursor, { v }) => {
    const key = cursor.key as Key;
    const primary = cursor.primaryKey as string;
    if (after !== undefined) {
      const order = compareKeys([key, primary], [after.key, after.primary]) * (direction === "prev" ? -1 : 1);
      // Thousands of rows may have the same key: they are jumped over.
      if (order < 0 && index !== undefined) return cursor.continuePrimaryKey(after.key as IDBValidKey, after.primary);
      if (order <= 0) return cursor.continue();
    }
    if (found.push({ key, primary, value: v }) === limit) return true;
    return cursor.continue();
  }).then(() => found);
}

/** Calls `visit` for each entry, which moves the cursor on, or answers `true`: enough. */
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
