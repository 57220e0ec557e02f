/** Brings a database to a layout, within its versionchange transaction. (storage/indexeddb) */

import { wrap } from "idb";
import type { StorageLayout, TableLayout } from "../../client/ports/storage.ts";
import type { StoredLayout, TableChange } from "../stored-layout.ts";
import { layoutChange } from "../stored-layout.ts";
import type { StoredRow } from "./rows.ts";
import { keyPathOf, storedRow } from "./rows.ts";

/** The store of what the adapter itself has to remember, and the key of the layout in it. */
const LAYOUT = "~layout";

/** What the database says of itself; without tables that it does not have after all. */
export async function readLayout(
  database: IDBDatabase,
  transaction?: IDBTransaction,
): Promise<StoredLayout | undefined> {
  if (!database.objectStoreNames.contains(LAYOUT)) return undefined;
  const store = (transaction ?? database.transaction(LAYOUT)).objectStore(LAYOUT);
  const stored: StoredLayout | undefined = await wrap(store.get(LAYOUT));
  if (stored === undefined) return undefined;
  const tables = Object.entries(stored.tables).filter(([table]) => database.objectStoreNames.contains(table));
  return { format: stored.format, tables: Object.fromEntries(tables) };
}

/**
 * Tables that the layout does not name stay as they are: their rows may hold unsent work of another version.
 * @param heard is called as the work goes on: a large table takes its time
 */
export async function upgrade(transaction: IDBTransaction, layout: StorageLayout, heard: () => void): Promise<void> {
  const database = transaction.db;
  const change = layoutChange(await readLayout(database, transaction), layout);
  if (change === undefined) return;
  for (const table of change.tables) await upgradeTable(transaction, table, heard);
  const isNew = !database.objectStoreNames.contains(LAYOUT);
  const store = isNew ? database.createObjectStore(LAYOUT) : transaction.objectStore(LAYOUT);
  store.put(change.next, LAYOUT);
}

async function upgradeTable(transaction: IDBTransaction, change: TableChange, heard: () => void): Promise<void> {
  const { table, built } = change;
  const { db } = transaction;
  const isNew = !db.objectStoreNames.contains(table.name);
  const store = isNew ? db.createObjectStore(table.name) : transaction.objectStore(table.name);
  for (const index of [...change.stale, ...built.map(({ name }) => name)]) {
    if (store.indexNames.contains(index)) store.deleteIndex(index);
  }
  // The rows first, while there is no index to keep up with them.
  if (!isNew && built.length > 0) await rewriteRows(store, table, heard);
  for (const { name } of built) store.createIndex(name, keyPathOf(name), { multiEntry: true });
}

function rewriteRows(store: IDBObjectStore, table: TableLayout, heard: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = store.openCursor();
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      heard();
      const cursor = request.result;
      if (cursor === null) return resolve();
      const row: StoredRow = cursor.value;
      try {
        cursor.update(storedRow(table, row.v, row.t));
      } catch (error) {
        return reject(error);
      }
      cursor.continue();
    };
  });
}
