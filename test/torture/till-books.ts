/** A look at what a till keeps that does not go through the till: its tables as they are stored. Runs in Node and in a page. */

import type { StoredOperation } from "../../src/client/state/operation.ts";
import type { StoredRow } from "../../src/client/state/rows.ts";
import { CONFLICTS, META, OPERATIONS, tableOf } from "../../src/client/state/tables.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { TillBooks } from "./books.ts";
import { claimsOf } from "./claims.ts";

/** Values of a store, by table and key. */
export type Tables = Readonly<Record<string, readonly (readonly [key: string, value: unknown])[]>>;

/** Every table in one snapshot, below the adapter. */
export async function readDatabase(factory: IDBFactory, name: string): Promise<Tables> {
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await settled(factory.open(name));
  try {
    // What is the adapter's own is no table of the till.
    const names = [...database.objectStoreNames].filter((table) => !table.startsWith("~"));
    if (names.length === 0) return {};
    const transaction = database.transaction(names, "readonly");
    const tables = names.map(async (table) => {
      const store = transaction.objectStore(table);
      const [keys, rows] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
      return [table, keys.map((key, index) => [String(key), (rows[index] as { v: unknown }).v] as const)] as const;
    });
    return Object.fromEntries(await Promise.all(tables));
  } finally {
    database.close();
  }
}

export function booksOf(name: string, tables: Tables): TillBooks {
  const operations = valuesOf<StoredOperation>(tables, OPERATIONS).map((operation) => ({
    id: operation.id,
    collection: operation.collection,
    entityId: operation.entityId,
    action: operation.action,
    transaction: operation.transaction,
    patch: operation.patch ?? {},
    by: (operation.by ?? {}) as Readonly<Record<string, number>>,
    state: operation.status.state,
    kind: operation.kind,
  }));
  const collections = Object.keys(tables).filter((table) => ![OPERATIONS, CONFLICTS, META].includes(table));
  const rows = collections.map((table) => {
    const shown = valuesOf<StoredRow>(tables, table).flatMap(({ id, version, data }) =>
      data === undefined ? [] : [{ id, version, value: data as JsonObject }],
    );
    return [table.slice(tableOf("").length), shown] as const;
  });
  return { name, operations, rows: Object.fromEntries(rows), claims: claimsOf(tables) };
}

function valuesOf<T>(tables: Tables, table: string): readonly T[] {
  return (tables[table] ?? []).map(([, value]) => value as T);
}
