/** The till that is measured: the client as an application makes it, with the storage of a browser. */
import { createSyncClient, type SyncClient } from "tillsync";
import { indexedDB } from "tillsync/storage/indexeddb";
import { collections, type Sale } from "../bench-shop.ts";
import type { MemoryServer } from "./memory-server.ts";

export type Till = SyncClient<typeof collections>;

/** Syncs when it is told to, so that nothing runs beside what is measured. */
export function openTill(name: string, server: MemoryServer): Till {
  return createSyncClient({
    name,
    storage: indexedDB({ persist: false }),
    transport: server,
    collections,
    sync: { auto: false },
  });
}

/** As an app writes it: the sale, its payment, and the stock of what was sold. */
export function checkout(till: Till, sale: Omit<Sale, "id">): Promise<Sale> {
  return till.transaction((tx) => {
    const sold = tx.sales.create(sale);
    tx.payments.create({ saleId: sold.id, method: "cash", amountCents: sold.totalCents });
    for (const { productId, quantity } of sale.items) tx.products.increment(productId, { stock: -quantity });
    return sold;
  });
}

export async function forget(till: Till): Promise<void> {
  await till.close();
  await new Promise<void>((resolve, reject) => {
    const deleting = globalThis.indexedDB.deleteDatabase(till.name);
    deleting.onsuccess = () => resolve();
    deleting.onerror = () => reject(deleting.error);
  });
}

/** A bench that measured half of the work would look fast. */
export function expectEqual(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`Expected ${what} to be ${String(expected)}, got ${String(got)}`);
}
