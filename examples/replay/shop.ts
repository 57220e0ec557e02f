/**
 * How the log's invoices, products and customers look in the reference server's collections: written, and read back.
 */
import { randomUUID } from "node:crypto";
import type { SyncClient } from "tillsync";
import { importRows, readRows, type ServerStore } from "tillsync/server";
import { collections } from "../reference-server/collections.ts";
import { shopCollections } from "../reference-server/server-collections.ts";
import type { BookedReceipt, Rows, ServerBooks } from "./compare.ts";
import { paidFor, type SalesLog, totalOf } from "./log.ts";
import type { Edit, Receipt } from "./schedule.ts";

export { collections };
export type Shop = typeof collections;
export type TillClient = SyncClient<Shop>;
type RecordIn<N extends keyof typeof shopCollections> = (typeof shopCollections)[N]["~shape"]["record"];

export const BRANCH = "main";

/** Less than a good day sells: some products run out, and are sold anyway. */
const STOCK = 100;

export function importedStock(log: SalesLog): ReadonlyMap<string, number> {
  return new Map(log.products.map(({ stockCode }) => [stockCode, STOCK]));
}

/** Writes products and customers into the database, from the server's side. */
export async function importShop(store: ServerStore, tenant: string, log: SalesLog): Promise<void> {
  const products = log.products.map(({ stockCode, name, priceMinor }) => ({
    id: productId(stockCode),
    sku: stockCode,
    name,
    priceCents: Math.max(0, priceMinor),
    stock: STOCK,
  }));
  const customers = log.customers.map(({ number, country }) => ({
    id: customerId(number),
    name: `Customer ${number}`,
    note: country,
  }));
  const target = { store, tenant, collections: shopCollections, actor: "replay" } as const;
  await importRows({ ...target, collection: "products", rows: products });
  await importRows({ ...target, collection: "customers", rows: customers });
}

export function newReceiptId(): string {
  return randomUUID();
}

/** One transaction: the sale with its payment, or the refund, and a stock movement for each product in it. */
export async function writeReceipt(client: TillClient, receipt: Receipt, id: string): Promise<void> {
  const movements = new Map<string, number>();
  for (const { stockCode, quantity } of receipt.lines)
    movements.set(stockCode, (movements.get(stockCode) ?? 0) - quantity);
  await client.transaction(({ sales, payments, refunds, products }) => {
    if (receipt.kind === "sale") {
      sales.create({ id, ...saleOf(receipt) });
      const amountCents = paidFor(totalOf(receipt.lines));
      payments.create({
        branchId: BRANCH,
        saleId: id,
        method: "cash",
        amountCents,
        tenderedCents: amountCents,
        paidAt: receipt.invoice.soldAt,
      });
    } else {
      refunds.create({ id, ...refundOf(receipt) });
    }
    for (const [stockCode, units] of movements) products.increment(productId(stockCode), { stock: units });
  });
}

function saleOf({ invoice, part, lines }: Receipt) {
  return {
    branchId: BRANCH,
    receiptNumber: `${invoice.number}/${part}`,
    currency: "GBP",
    ...(invoice.customer !== undefined && { customerId: customerId(invoice.customer) }),
    items: lines.map(({ stockCode, description, quantity, priceMinor }, index) => ({
      lineId: String(index + 1),
      productId: productId(stockCode),
      name: description || stockCode,
      sku: stockCode,
      quantity,
      unitPriceCents: Math.max(0, priceMinor),
      // A price below zero is a debt that is written off.
      discountCents: priceMinor < 0 ? -priceMinor * quantity : 0,
    })),
    totalCents: totalOf(lines),
    soldAt: invoice.soldAt,
  };
}

function refundOf({ invoice, part, lines }: Receipt) {
  return {
    branchId: BRANCH,
    items: lines.map(({ stockCode, description, quantity, priceMinor }) => ({
      productId: productId(stockCode),
      name: description || stockCode,
      quantity: -quantity,
      amountCents: -quantity * priceMinor,
    })),
    totalCents: -totalOf(lines) + 0,
    method: "cash" as const,
    reason: `${invoice.number}/${part}`,
    refundedAt: invoice.soldAt,
  };
}

export async function hasReceipt(client: TillClient, kind: Receipt["kind"], id: string): Promise<boolean> {
  const { sales, refunds } = client.collections;
  return (await (kind === "sale" ? sales.get(id) : refunds.get(id))) !== undefined;
}

export async function writeEdit(client: TillClient, log: SalesLog, edit: Edit): Promise<void> {
  const { products, customers } = client.collections;
  if (edit.of === "product") {
    const { stockCode, name } = log.products[edit.row] ?? { stockCode: "", name: "" };
    await products.update(
      productId(stockCode),
      edit.field === "price" ? { priceCents: edit.value } : { name: `${name} ${edit.value}` },
    );
  } else {
    const { number } = log.customers[edit.row] ?? { number: "" };
    const text = `${edit.value}`;
    await customers.update(customerId(number), edit.field === "phone" ? { phone: text } : { note: text });
  }
}

/** What a person would do at the desk: keeps one side of each conflict. Returns how many there were. */
export async function settleConflicts(client: TillClient, keepOwn: () => boolean): Promise<number> {
  const open = await client.conflicts.list();
  for (const conflict of open) {
    // Only conflicts of customers are left to people.
    if (conflict.collection === "customers") await client.conflicts.resolve(conflict, keepOwn() ? "client" : "server");
  }
  return open.length;
}

/** Everything in the database, read from it directly. */
export async function readServer(store: ServerStore, tenant: string, tills: readonly string[]): Promise<ServerBooks> {
  const rowsOf = async <N extends keyof typeof shopCollections>(collection: N): Promise<RecordIn<N>[]> => {
    const rows: RecordIn<N>[] = [];
    for await (const row of readRows({ store, tenant, collections: shopCollections, collection })) rows.push(row);
    return rows;
  };
  const rows: Record<string, readonly { readonly id: string }[]> = {};
  for (const name of Object.keys(collections) as (keyof Shop)[]) rows[name] = await rowsOf(name);
  const [products, sales, payments, refunds, balances] = [
    await rowsOf("products"),
    await rowsOf("sales"),
    await rowsOf("payments"),
    await rowsOf("refunds"),
    await rowsOf("saleBalances"),
  ];
  const codes = new Map(products.map(({ id, sku }) => [id, sku]));
  const operations = (await Promise.all(tills.map((till) => readOperations(store, tenant, till)))).flat();
  return {
    receipts: [...sales.map(bookedSale), ...refunds.map((refund) => bookedRefund(refund, codes))],
    payments: payments.map(({ saleId, amountCents }) => ({ receipt: saleId, amountMinor: amountCents })),
    paid: new Map(balances.map(({ id, paidCents }) => [id, paidCents])),
    stock: new Map(products.map(({ sku, stock }) => [sku, stock])),
    rows,
    operations,
  };
}

function bookedSale({ id, receiptNumber = "", orderNumber, items }: RecordIn<"sales">): BookedReceipt {
  const lines = items.map(({ sku, quantity, unitPriceCents, discountCents }) => ({
    stockCode: sku,
    quantity,
    priceMinor: unitPriceCents - discountCents / quantity,
  }));
  return { id, kind: "sale", ...partOf(receiptNumber), orderNumber, lines };
}

function bookedRefund(
  { id, reason = "", items }: RecordIn<"refunds">,
  codes: ReadonlyMap<string, string>,
): BookedReceipt {
  const lines = items.map(({ productId: product, quantity, amountCents }) => ({
    stockCode: codes.get(product) ?? product,
    quantity: -quantity,
    priceMinor: amountCents / quantity,
  }));
  return { id, kind: "refund", ...partOf(reason), orderNumber: undefined, lines };
}

function partOf(text: string): { readonly invoice: string; readonly part: number } {
  const slash = text.lastIndexOf("/");
  return { invoice: text.slice(0, slash), part: Number(text.slice(slash + 1)) };
}

export async function readTill(client: TillClient): Promise<Rows> {
  const rows: Record<string, readonly { readonly id: string }[]> = {};
  const all: Readonly<Record<string, { find(): Promise<readonly { readonly id: string }[]> }>> = client.collections;
  for (const [name, collection] of Object.entries(all)) rows[name] = await collection.find();
  return rows;
}

const PAGE = 1_000;

/** The operations of a till that the server has recorded: one row for each. */
async function readOperations(store: ServerStore, tenant: string, till: string): Promise<ServerBooks["operations"]> {
  const found: { id: string; till: string }[] = [];
  for (let after = 0; ; ) {
    const from = after;
    const page = await store.read(tenant, function* () {
      const [rows] = yield [{ kind: "results", device: till, after: from, limit: PAGE }];
      return rows as readonly { readonly id: string; readonly feedPosition: number }[];
    });
    for (const { id, feedPosition } of page) {
      found.push({ id, till });
      after = feedPosition;
    }
    if (page.length < PAGE) return found;
  }
}

/** Ids consist of A-Z a-z 0-9 _ -. Other characters of a code are written as their numbers. */
function productId(stockCode: string): string {
  return `product-${escaped(stockCode)}`;
}

function customerId(number: string): string {
  return `customer-${escaped(number)}`;
}

function escaped(code: string): string {
  return code.replace(/[^A-Za-z0-9-]/gu, (character) => `_${character.codePointAt(0)?.toString(16)}_`);
}
