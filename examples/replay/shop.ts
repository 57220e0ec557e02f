/** How the log's invoices, products and customers look in the reference server's collections: written, and read back. */
import { randomUUID } from "node:crypto";
import type { SyncClient } from "tillsync";
import { importRows, readRows, type ServerStore } from "tillsync/server";
import type { BookedReceipt, Rows, ServerBooks } from "./compare.ts";
import { type SalesLog, totalOf } from "./log.ts";
import type { Edit, Receipt } from "./schedule.ts";
import { collections } from "./standin/collections.ts";

export { collections };
export type Shop = typeof collections;
export type TillClient = SyncClient<Shop>;

export const TENANT = "replay";

/** Less than a good day sells: some products run out, and are sold all the same. */
const STOCK = 100;

export function importedStock(log: SalesLog): ReadonlyMap<string, number> {
  return new Map(log.products.map(({ stockCode }) => [stockCode, STOCK]));
}

/** Writes products and customers into the database, before the first till calls. */
export async function importShop(store: ServerStore, log: SalesLog): Promise<void> {
  const products = log.products.map(({ stockCode, name, priceMinor }) => ({
    id: productId(stockCode),
    name,
    sku: stockCode,
    priceCents: Math.max(0, priceMinor),
    stock: STOCK,
  }));
  const customers = log.customers.map(({ number }) => ({ id: customerId(number), name: `Customer ${number}` }));
  await importRows({ store, collections, tenant: TENANT, collection: "products", rows: products });
  await importRows({ store, collections, tenant: TENANT, collection: "customers", rows: customers });
}

/** One transaction: the sale or refund, its payment, and a stock movement for each product in it. */
export async function writeReceipt(client: TillClient, { invoice, part, lines }: Receipt, id: string): Promise<void> {
  const movements = new Map<string, number>();
  for (const { stockCode, quantity } of lines) movements.set(stockCode, (movements.get(stockCode) ?? 0) - quantity);
  await client.transaction(({ sales, payments, products }) => {
    const totalCents = totalOf(lines);
    sales.create({
      id,
      ...(invoice.customer === undefined ? {} : { customerId: customerId(invoice.customer) }),
      receiptNumber: `${invoice.number}/${part}`,
      items: lines.map(({ stockCode, description, quantity, priceMinor }) => ({
        productId: productId(stockCode),
        name: description,
        quantity,
        priceCents: priceMinor,
      })),
      totalCents,
      soldAt: invoice.soldAt,
    });
    payments.create({ saleId: id, amountCents: totalCents });
    for (const [stockCode, units] of movements) products.increment(productId(stockCode), { stock: units });
  });
}

export async function hasReceipt(client: TillClient, id: string): Promise<boolean> {
  return (await client.collections.sales.get(id)) !== undefined;
}

export async function writeEdit(client: TillClient, log: SalesLog, edit: Edit): Promise<void> {
  if (edit.kind === "phone") {
    const customer = log.customers[edit.customer];
    if (customer !== undefined)
      await client.collections.customers.update(customerId(customer.number), { phone: edit.text });
    return;
  }
  const product = log.products[edit.product];
  if (product === undefined) return;
  const patch = edit.kind === "note" ? { note: edit.text } : { name: `${product.name} (${edit.text})` };
  await client.collections.products.update(productId(product.stockCode), patch);
}

/** Everything that the database holds, read from it itself. */
export async function readServer(store: ServerStore, tills: readonly string[]): Promise<ServerBooks> {
  const rowsOf = async <N extends keyof Shop & string>(collection: N) => {
    const rows: Shop[N]["~shape"]["record"][] = [];
    for await (const row of readRows({ store, collections, tenant: TENANT, collection })) rows.push(row);
    return rows;
  };
  const rows = {
    products: await rowsOf("products"),
    customers: await rowsOf("customers"),
    sales: await rowsOf("sales"),
    payments: await rowsOf("payments"),
  };
  const codes = new Map(rows.products.map(({ id, sku }) => [id, sku]));
  const receipts = rows.sales.map(({ id, receiptNumber, items }): BookedReceipt => {
    const [invoice = "", part = "1"] = receiptNumber.split("/");
    const lines = items.map(({ productId: product, quantity, priceCents }) => ({
      stockCode: codes.get(product) ?? product,
      quantity,
      priceMinor: priceCents,
    }));
    return { id, invoice, part: Number(part), lines };
  });
  const operations = (await Promise.all(tills.map((till) => readOperations(store, till)))).flat();
  return {
    receipts,
    payments: rows.payments.map(({ saleId, amountCents }) => ({ receipt: saleId, amountMinor: amountCents })),
    stock: new Map(rows.products.map(({ sku, stock }) => [sku, stock])),
    rows,
    operations,
  };
}

export async function readTill(client: TillClient): Promise<Rows> {
  const entries = Object.entries(client.collections).map(async ([name, collection]) => [name, await collection.find()]);
  return Object.fromEntries(await Promise.all(entries)) as Rows;
}

const PAGE = 1_000;

/** What the server remembers of a till's operations, for ever: one row for each. */
async function readOperations(store: ServerStore, till: string): Promise<ServerBooks["operations"]> {
  const found: { id: string; till: string; status: string }[] = [];
  for (let after = 0; ; ) {
    const from = after;
    const page = await store.read(TENANT, function* () {
      const [rows] = yield [{ kind: "results", device: till, after: from, limit: PAGE }];
      return rows as readonly { readonly id: string; readonly status: string; readonly feedPosition: number }[];
    });
    for (const { id, status, feedPosition } of page) {
      found.push({ id, till, status });
      after = feedPosition;
    }
    if (page.length < PAGE) return found;
  }
}

/** Ids are of A-Z a-z 0-9 _ -: anything else of a code is written as its number. */
function productId(stockCode: string): string {
  return `product-${escaped(stockCode)}`;
}

function customerId(number: string): string {
  return `customer-${escaped(number)}`;
}

function escaped(code: string): string {
  return code.replace(/[^A-Za-z0-9-]/gu, (character) => `_${character.codePointAt(0)?.toString(16)}_`);
}

export function newReceiptId(): string {
  return randomUUID();
}
