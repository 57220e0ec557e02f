/** Brings a database to a layout, within its versionchange transaction. */

import { wrap } from "idb";
import type { StorageLayout } from "../../client/ports/storage.ts";
import { layoutChange, type StoredLayout } from "../stored-layout.ts";
import { eachEntry } from "./reads.ts";
import { keyPathOf, storedRow } from "./rows.ts";

/** The store of what the adapter itself has to remember, and the key of the layout in it. */
export const LAYOUT = "~layout";

/** What the database says of itself; without tables that it does not have after all. */
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
 * @param heard is called as the work goes on: a large table takes its time
 */
export async function upgrade(transaction: IDBTransaction, layout: StorageLayout, heard: () => void): Promise<void> {
  const { db } = transaction;
  const storeOf = (name: string) =>
    db.objectStoreNames.contains(name) ? transaction.objectStore(name) : db.createObjectStore(name);
  const change = layoutChange(await readLayout(db, transaction), layout);
  if (change === undefined) return;
  for (const table of change.tables) {
    const store = storeOf(table.name);
    // The rows are written while there is no index to keep up with them.
    for (const index of Array.from(store.indexNames)) store.deleteIndex(index);
    await eachEntry(store.openCursor(), (cursor, { v, t }) => {
      heard();
      cursor.update(storedRow(table, v, t));
      cursor.continue();
    });
    for (const { name } of table.indexes) store.createIndex(name, keyPathOf(name), { multiEntry: true });
  }
  storeOf(LAYOUT).put(change.next, LAYOUT);
}
