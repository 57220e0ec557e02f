/** The small shop that most tests use: every kind of collection. */
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import * as z from "zod";

export const products = defineCollection({
  schema: z.object({
    name: z.string().trim().min(1),
    barcodes: z.array(z.string()).default([]),
    category: z.string().default("none"),
    priceCents: z.int().nonnegative(),
    stock: z.int().default(0),
    note: z.string().optional(),
  }),
  indexes: { barcode: "barcodes", category: ["category", "name"], name: "name" },
  counters: ["stock"],
});
/** Conflicts are left to people. */
export const customers = defineCollection({
  schema: z.object({ name: z.string(), phone: z.string().nullable().default(null), points: z.int().default(0) }),
  indexes: ["phone"],
  counters: ["points"],
  conflict: manual(),
});
export const sales = defineCollection({
  kind: "fact",
  schema: z.object({
    customerId: z.string().optional(),
    items: z.array(z.object({ productId: z.string(), quantity: z.int(), priceCents: z.int() })).min(1),
    totalCents: z.int(),
    soldAt: z.int(),
    orderNumber: z.string().optional(),
  }),
  indexes: ["soldAt"],
  assigned: ["orderNumber"],
  references: { customerId: "customers", "items[].productId": "products" },
});
export const payments = defineCollection({
  kind: "fact",
  schema: z.object({ saleId: z.string(), amountCents: z.int() }),
  indexes: ["saleId"],
  references: { saleId: "sales" },
});
export const collections = { products, customers, sales, payments };

export const tea = { id: "p-1", name: "Tea", priceCents: 5_000, category: "drinks", barcodes: ["600", "601"] };
export const saleOf = (quantity: number, soldAt: number) => ({
  soldAt,
  totalCents: quantity * 5_000,
  items: [{ productId: "p-1", quantity, priceCents: 5_000 }],
});
