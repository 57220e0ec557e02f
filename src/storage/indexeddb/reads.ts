/** The reads of the port as requests of one transaction. (storage/indexeddb) */

import { wrap } from "idb";
import type { Key, ScannedRow, ScanOptions, StorageRead } from "../../client/ports/storage.ts";
import { compareKeys, inRange } from "../../shared/keys.ts";
import { nativeRange, remainingRange } from "./ranges.ts";
import type { StoredRow } from "./rows.ts";
import { propertyOf } from "./rows.ts";

/** More than IndexedDB takes as a count, and so the same as no limit. */
const NO_LIMIT = 2 ** 32;

/** Asks at once: where the transaction is no longer active this throws, and does not reject. */
export function answer(transaction: IDBTransaction, read: StorageRead): Promise<unknown> {
  const store = transaction.objectStore(read.table);
  if (read.kind === "get") {
    const rows: Promise<StoredRow | undefined>[] = read.keys.map((key) => wrap(store.get(key)));
    return Promise.all(rows).then((found) => found.map((row) => row?.v));
  }
  const { options } = read;
  const source = options.index === undefined ? store : store.index(options.index);
  if (read.kind === "scan") return scan(source, options);
  const range = nativeRange(options.range);
  return range === "empty" ? Promise.resolve(0) : wrap(source.count(range));
}

function scan(source: IDBObjectStore | IDBIndex, options: ScanOptions): Promise<ScannedRow<unknown>[]> {
  const remaining = remainingRange(options);
  const range = nativeRange(remaining);
  if (range === "empty" || options.limit === 0) return Promise.resolve([]);
  // Lists can't be asked for backwards, nor from the middle of equal index keys.
  const inBulk = options.direction !== "prev" && (options.after === undefined || options.index === undefined);
  return inBulk ? list(source, range, options, (key) => inRange(key, remaining)) : walk(source, range, options);
}

/** Two requests, however many rows. */
async function list(
  source: IDBObjectStore | IDBIndex,
  range: IDBKeyRange | undefined,
  { index, limit = NO_LIMIT }: ScanOptions,
  isWanted: (key: Key) => boolean,
): Promise<ScannedRow<unknown>[]> {
  const most = limit < NO_LIMIT ? limit : undefined;
  const [primaries, rows] = await Promise.all([
    wrap(source.getAllKeys(range, most)) as Promise<string[]>,
    wrap(source.getAll(range, most)) as Promise<StoredRow[]>,
  ]);
  if (index === undefined)
    return rows.map(({ v }, at) => ({ key: primaries[at] ?? "", primary: primaries[at] ?? "", value: v }));
  // An index does not say which of a row's keys an entry stands for. But its entries come in the order of their keys: the
  // second time that a row comes up, it is for the second of its keys in the range.
  const property = propertyOf(index);
  const waiting = new Map<string, Key[]>();
  return rows.map(({ v, x }, at) => {
    const primary = primaries[at] ?? "";
    const keys = x?.[property] ?? [];
    if (keys.length === 1) return { key: keys[0] ?? "", primary, value: v };
    const rest = waiting.get(primary) ?? keys.filter(isWanted).sort(compareKeys);
    waiting.set(primary, rest);
    return { key: rest.shift() ?? "", primary, value: v };
  });
}

/** One request for each row, which engines fetch ahead. */
function walk(
  source: IDBObjectStore | IDBIndex,
  range: IDBKeyRange | undefined,
  { limit = NO_LIMIT, direction = "next", after }: ScanOptions,
): Promise<ScannedRow<unknown>[]> {
  return new Promise((resolve, reject) => {
    const found: ScannedRow<unknown>[] = [];
    const request: IDBRequest<IDBCursorWithValue | null> = source.openCursor(range, direction);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) return resolve(found);
      const key = cursor.key as Key;
      const primary = cursor.primaryKey as string;
      if (after !== undefined) {
        const order = compareKeys([key, primary], [after.key, after.primary]) * (direction === "prev" ? -1 : 1);
        // Thousands of rows may have the same key: they are jumped over.
        if (order < 0 && "objectStore" in source)
          return cursor.continuePrimaryKey(after.key as IDBValidKey, after.primary);
        if (order <= 0) return cursor.continue();
      }
      found.push({ key, primary, value: (cursor.value as StoredRow).v });
      if (found.length < limit) cursor.continue();
      else resolve(found);
    };
  });
}
