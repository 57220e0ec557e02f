/** The shop that is tortured: what it has, and how a till of it writes a sale, a refund or an edit. */
import { randomUUID } from "node:crypto";
import { importRows, type ServerStore } from "tillsync/server";
import { shopCollections } from "../../examples/reference-server/server-collections.ts";
import type { Draws } from "../../examples/replay/schedule.ts";
import { BRANCH, type TillClient } from "../../examples/replay/shop.ts";
import type { Edit, Ledger, Receipt } from "./ledger.ts";

/** Few, so that tills meet on them; and more of each than is ever sold. */
const PRODUCTS = 8;
const CUSTOMERS = 4;
export const STOCK = 1_000_000;
const PRICE_CENTS = 250;
const MOST_LINES = 3;
const MOST_UNITS = 4;

const productIds = Array.from({ length: PRODUCTS }, (_, index) => `product-${index + 1}`);
const customerIds = Array.from({ length: CUSTOMERS }, (_, index) => `customer-${index + 1}`);

export async function importShop(store: ServerStore, tenant: string): Promise<void> {
  const target = { store, tenant, collections: shopCollections, actor: "torture" } as const;
  const products = productIds.map((id) => ({ id, sku: id, name: id, priceCents: PRICE_CENTS, stock: STOCK }));
  await importRows({ ...target, collection: "products", rows: products });
  await importRows({ ...target, collection: "customers", rows: customerIds.map((id) => ({ id, name: id })) });
}

interface Desk {
  readonly till: string;
  readonly client: TillClient;
  readonly ledger: Ledger;
  readonly draw: Draws;
}

/** One transaction: the sale, its payment, and a movement for each product. */
export function sell({ till, client, ledger, draw }: Desk): Promise<Receipt> {
  const id = randomUUID();
  const products = draw.shuffled(productIds).slice(0, draw.between(1, MOST_LINES));
  const items = products.map((productId, index) => ({
    lineId: String(index + 1),
    productId,
    name: productId,
    quantity: draw.between(1, MOST_UNITS),
    unitPriceCents: PRICE_CENTS,
  }));
  const totalCents = items.reduce((sum, { quantity }) => sum + quantity * PRICE_CENTS, 0);
  const customer = draw.chance(0.3) ? { customerId: draw.oneOf(customerIds) } : {};
  const moved = new Map(items.map(({ productId, quantity }) => [productId, -quantity]));
  return ledger.promise<Receipt>({ kind: "sale", till, id, totalCents, moved }, () =>
    client.transaction((tx, { now }) => {
      tx.sales.create({ id, branchId: BRANCH, ...customer, items, totalCents, soldAt: now });
      tx.payments.create({ branchId: BRANCH, saleId: id, method: "cash", amountCents: totalCents, paidAt: now });
      for (const [product, units] of moved) tx.products.increment(product, { stock: units });
    }),
  );
}

/** All of an earlier sale comes back. */
export function refund({ till, client, ledger }: Desk, sale: Receipt): Promise<Receipt> {
  const id = randomUUID();
  const { totalCents } = sale;
  const moved = new Map([...sale.moved].map(([product, units]) => [product, -units]));
  const items = [...moved].map(([productId, quantity]) => ({
    productId,
    name: productId,
    quantity,
    amountCents: quantity * PRICE_CENTS,
  }));
  return ledger.promise<Receipt>({ kind: "refund", till, id, totalCents, moved }, () =>
    client.transaction((tx, { now }) => {
      tx.refunds.create({ id, branchId: BRANCH, saleId: sale.id, items, totalCents, method: "cash", refundedAt: now });
      for (const [product, units] of moved) tx.products.increment(product, { stock: units });
    }),
  );
}

export function edit({ till, client, ledger, draw }: Desk): Promise<Edit> {
  const { products, customers } = client.collections;
  const value = randomUUID().slice(0, 13);
  const entry = { kind: "edit", till, value } as const;
  if (draw.chance(0.5)) {
    const id = draw.oneOf(productIds);
    const own: Edit = { ...entry, collection: "products", id, field: "name" };
    return ledger.promise(own, () => products.update(id, { name: value }));
  }
  const id = draw.oneOf(customerIds);
  if (draw.chance(0.5)) {
    const own: Edit = { ...entry, collection: "customers", id, field: "phone" };
    return ledger.promise(own, () => customers.update(id, { phone: value }));
  }
  const own: Edit = { ...entry, collection: "customers", id, field: "note" };
  return ledger.promise(own, () => customers.update(id, { note: value }));
}
