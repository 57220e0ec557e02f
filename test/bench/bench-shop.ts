/** The shop that is measured: its collections, and as many products and sales of it as one wants. The same in every run. */
import { defineCollection } from "tillsync/schema";
import * as z from "zod";

export const collections = {
  products: defineCollection({
    schema: z.object({
      name: z.string().min(1),
      category: z.string(),
      barcodes: z.array(z.string()),
      priceCents: z.int().nonnegative(),
      taxRate: z.number(),
      unit: z.string(),
      isActive: z.boolean(),
      stock: z.int().default(0),
    }),
    indexes: { barcode: "barcodes", category: ["category", "name"] },
    counters: ["stock"],
  }),
  sales: defineCollection({
    kind: "fact",
    schema: z.object({
      cashier: z.string(),
      soldAt: z.int(),
      totalCents: z.int(),
      items: z
        .array(z.object({ productId: z.string(), name: z.string(), quantity: z.int(), priceCents: z.int() }))
        .min(1),
    }),
    indexes: ["soldAt"],
    references: { "items[].productId": "products" },
  }),
  payments: defineCollection({
    kind: "fact",
    schema: z.object({ saleId: z.string(), method: z.enum(["cash", "card"]), amountCents: z.int() }),
    indexes: ["saleId"],
    references: { saleId: "sales" },
  }),
};

export type Product = (typeof collections)["products"]["~shape"]["record"];
export type Sale = (typeof collections)["sales"]["~shape"]["record"];
export type Payment = (typeof collections)["payments"]["~shape"]["record"];

export const CATEGORIES = 40;
const ITEMS = 3;
const SOLD_FROM = Date.UTC(2026, 10, 20, 8);

/** Ids as a server gives them out: in the order of their making, and no two alike. */
export const productId = (index: number) =>
  `019340a0-${hex(index >>> 12, 4)}-7${hex(index, 3)}-8000-${hex(mixed(index), 12)}`;
export const barcodeOf = (index: number) => `4${String(index).padStart(12, "0")}`;
export const categoryOf = (index: number) => `category-${String(mixed(index) % CATEGORIES).padStart(2, "0")}`;

export function product(index: number, revision = 0): Product {
  return {
    id: productId(index),
    name: `Product ${mixed(index).toString(36)} of the house, ${index}`,
    category: categoryOf(index),
    // One in eight has a second one: the case and the bottle.
    barcodes: index % 8 === 0 ? [barcodeOf(index), `9${barcodeOf(index)}`] : [barcodeOf(index)],
    priceCents: 50 + (mixed(index) % 20_000) + revision,
    taxRate: index % 3 === 0 ? 0.07 : 0.19,
    unit: index % 5 === 0 ? "kg" : "piece",
    isActive: true,
    stock: 100,
  };
}

/** @param products how many there are to sell */
export function saleOf(index: number, products: number): Omit<Sale, "id"> {
  const items = Array.from({ length: ITEMS }, (_, at) => {
    const sold = (mixed(index) + at * 7_919) % products;
    const { id, name, priceCents } = product(sold);
    return { productId: id, name, quantity: 1 + ((index + at) % 3), priceCents };
  });
  return {
    cashier: `u-${index % 7}`,
    soldAt: SOLD_FROM + index * 1_000,
    totalCents: items.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0),
    items,
  };
}

/** Spreads neighbours: a multiplication by an odd constant, within 32 bits. */
export function mixed(index: number): number {
  return Math.imul(index + 1, 0x9e37_79b1) >>> 0;
}

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, "0").slice(-digits);
}
