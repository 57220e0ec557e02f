/** Changes a database to fit a layout, within its versionchange transaction. */

import { wrap } from "idb";
import type { StorageLayout } from "../../client/ports/storage.ts";
import { layoutChange, type StoredLayout } from "../stored-layout.ts";
import { eachEntry } from "./reads.ts";
import { keyPathOf, storedRow } from "./rows.ts";

/** The object store for the adapter's own data, and the key of the layout in it. */
export const LAYOUT = "~layout";

/** The layout that the database says it has, without tables that do not exist. */
export async function readLayout(
  database: IDBDatabase,
  transaction?: IDBTransaction,
): Promise<StoredLayout | undefined> {
  const exists = (table: string) => database.objectStoreNames.contains(table);
  if (!exists(LAYOUT)) return undefined;
  const store = (transaction ?? database.transaction(LAYOUT)).objectStore(LAYOUT);
  const stored: StoredLayout | undefined = await wrap(store.get(LAYOUT));
  const tables = Object.entries(stored?.tables ?? {}).filter(([table]) => exists(table));
  return stored && { ...stored, tables: Object.fromEntries(tables) };
}

/**
 * Tables that the layout does not name stay as they are: their rows may hold unsent work of another version.
 * @param touch is called for each row, because a large table takes a while
 */
export async function upgrade(transaction: IDBTransaction, layout: StorageLayout, touch: () => void): Promise<void> {
  const { db } = transaction;
  const storeOf = (name: string) =>
    db.objectStoreNames.contains(name) ? transaction.objectStore(name) : db.createObjectStore(name);
  const change = layoutChange(await readLayout(db, transaction), layout);
  if (change === undefined) return;
  for (const table of change.tables) {
    const store = storeOf(table.name);
    // The rows are written while no index has to be updated for each of them.
    for (const index of Array.from(store.indexNames)) store.deleteIndex(index);
    await eachEntry(store.openCursor(), (cursor, { v, t }) => {
      touch();
      cursor.update(storedRow(table, v, t));
      cursor.continue();
    });
    for (const { name } of table.indexes) store.createIndex(name, keyPathOf(name), { multiEntry: true });
  }
  storeOf(LAYOUT).put(change.next, LAYOUT);
}
