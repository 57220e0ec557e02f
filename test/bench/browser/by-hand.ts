/**
 * A till as a good engineer writes it by hand, on idb: the same rows under the same indexes with the same durability, an outbox
 * beside them, and nothing that tillsync promises beyond that (no bases, no replay, no journal, no check of what was read).
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB, unwrap } from "idb";
import type { Payment, Product, Sale } from "../bench-shop.ts";
import type { MemoryServer } from "./memory-server.ts";

interface Outgoing {
  readonly id: string;
  readonly collection: string;
  readonly action: "create" | "increment";
  readonly entityId: string;
  readonly data: object;
  readonly occurredAt: number;
}

interface Shop extends DBSchema {
  products: {
    key: string;
    value: Product & { version: number };
    indexes: { barcode: string; category: [string, string] };
  };
  sales: { key: string; value: Sale & { version?: number }; indexes: { soldAt: number } };
  payments: { key: string; value: Payment & { version?: number }; indexes: { saleId: string } };
  outbox: { key: number; value: Outgoing & { sequence?: number } };
  meta: { key: string; value: unknown };
}

/** As many as the protocol lets a page and a push have. */
const PAGE = 1_000;
const BATCH = 500;

export async function openByHand(name: string) {
  const db = await openDB<Shop>(name, 1, {
    upgrade(made) {
      const products = made.createObjectStore("products", { keyPath: "id" });
      products.createIndex("barcode", "barcodes", { multiEntry: true });
      products.createIndex("category", ["category", "name"]);
      made.createObjectStore("sales", { keyPath: "id" }).createIndex("soldAt", "soldAt");
      made.createObjectStore("payments", { keyPath: "id" }).createIndex("saleId", "saleId");
      made.createObjectStore("outbox", { keyPath: "sequence", autoIncrement: true });
      made.createObjectStore("meta");
    },
  });
  return {
    db,
    sell: (sale: Omit<Sale, "id">) => sell(db, sale),
    checkout: (sale: Omit<Sale, "id">) => checkout(db, sale),
    importSales: (sales: readonly Omit<Sale, "id">[]) => importSales(db, sales),
    pull: (server: MemoryServer) => pull(db, server),
    drain: (server: MemoryServer) => drain(db, server),
    get: (id: string) => db.get("products", id),
    byBarcode: (barcode: string) => db.getFromIndex("products", "barcode", barcode),
    pageOf: (category: string, limit: number) =>
      db.getAllFromIndex("products", "category", IDBKeyRange.bound([category], [category, []], false, true), limit),
    async destroy() {
      db.close();
      await deleteDB(name);
    },
  };
}

const outgoing = (
  collection: string,
  entityId: string,
  data: object,
  action: Outgoing["action"] = "create",
): Outgoing => ({
  id: crypto.randomUUID(),
  collection,
  action,
  entityId,
  data,
  occurredAt: Date.now(),
});

/** The sale and its place in the queue, flushed to disk. */
async function sell(db: IDBPDatabase<Shop>, sale: Omit<Sale, "id">): Promise<Sale> {
  const row = { id: crypto.randomUUID(), ...sale };
  const tx = db.transaction(["sales", "outbox"], "readwrite", { durability: "strict" });
  await Promise.all([
    tx.objectStore("sales").put(row),
    tx.objectStore("outbox").add(outgoing("sales", row.id, sale)),
    tx.done,
  ]);
  return row;
}

/** A whole checkout: the sale, its payment, and the stock of what was sold. */
async function checkout(db: IDBPDatabase<Shop>, sale: Omit<Sale, "id">): Promise<Sale> {
  const row = { id: crypto.randomUUID(), ...sale };
  const payment = { id: crypto.randomUUID(), saleId: row.id, method: "cash" as const, amountCents: sale.totalCents };
  const tx = db.transaction(["products", "sales", "payments", "outbox"], "readwrite", { durability: "strict" });
  const products = tx.objectStore("products");
  const outbox = tx.objectStore("outbox");
  const work: Promise<unknown>[] = [
    tx.objectStore("sales").put(row),
    tx.objectStore("payments").put(payment),
    outbox.add(outgoing("sales", row.id, sale)),
    outbox.add(outgoing("payments", payment.id, payment)),
  ];
  const sold = await Promise.all(sale.items.map(({ productId }) => products.get(productId)));
  for (const [at, { productId, quantity }] of sale.items.entries()) {
    const found = sold[at];
    if (found !== undefined) work.push(products.put({ ...found, stock: found.stock - quantity }));
    work.push(outbox.add(outgoing("products", productId, { stock: -quantity }, "increment")));
  }
  await Promise.all([...work, tx.done]);
  return row;
}

/** All of them in one transaction. */
async function importSales(db: IDBPDatabase<Shop>, sales: readonly Omit<Sale, "id">[]): Promise<void> {
  const tx = db.transaction(["sales", "outbox"], "readwrite", { durability: "strict" });
  const work: Promise<unknown>[] = [tx.done];
  for (const sale of sales) {
    const row = { id: crypto.randomUUID(), ...sale };
    work.push(tx.objectStore("sales").put(row), tx.objectStore("outbox").add(outgoing("sales", row.id, sale)));
  }
  await Promise.all(work);
}

/** Page by page, each with its cursor in one relaxed transaction: what is lost can be had again. */
async function pull(db: IDBPDatabase<Shop>, server: MemoryServer): Promise<number> {
  let cursor = ((await db.get("meta", "cursor")) as string | undefined) ?? null;
  let pulled = 0;
  for (let more = true; more; ) {
    const page = server.page(cursor, PAGE);
    const tx = db.transaction(["products", "meta"], "readwrite", { durability: "relaxed" });
    const products = unwrap(tx.objectStore("products"));
    // No answer of a single put is listened to: the transaction says whether all went well.
    for (const { id, version, data } of page.changes)
      products.put({ id, version, ...data } as Shop["products"]["value"]);
    await Promise.all([tx.objectStore("meta").put(page.cursor, "cursor"), tx.done]);
    pulled += page.changes.length;
    ({ cursor, more } = page);
  }
  return pulled;
}

/** Batch by batch: what the server has taken leaves the outbox, and its row says so. */
async function drain(db: IDBPDatabase<Shop>, server: MemoryServer): Promise<number> {
  let drained = 0;
  for (;;) {
    const batch = await db.getAll("outbox", undefined, BATCH);
    if (batch.length === 0) return drained;
    for (const { id } of batch) server.pushed.add(id);
    const tx = db.transaction(["sales", "outbox"], "readwrite", { durability: "relaxed" });
    const sales = tx.objectStore("sales");
    const rows = await Promise.all(batch.map(({ entityId }) => sales.get(entityId)));
    const work: Promise<unknown>[] = [tx.done];
    for (const [at, { sequence = 0 }] of batch.entries()) {
      const row = rows[at];
      if (row !== undefined) work.push(sales.put({ ...row, version: 20_000_000 + sequence }));
      work.push(tx.objectStore("outbox").delete(sequence));
    }
    await Promise.all(work);
    drained += batch.length;
  }
}
