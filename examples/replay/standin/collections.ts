import * as z from "zod";
import { mergeFields } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";

export const products = defineCollection({
  schema: z.object({
    name: z.string().trim().min(1),
    sku: z.string(),
    priceCents: z.int(),
    stock: z.int().default(0),
    note: z.string().optional(),
  }),
  indexes: ["sku"],
  counters: ["stock"],
  conflict: mergeFields({ note: "server" }),
});
export const customers = defineCollection({
  schema: z.object({ name: z.string(), phone: z.string().nullable().default(null) }),
});
export const sales = defineCollection({
  kind: "fact",
  schema: z.object({
    customerId: z.string().optional(),
    receiptNumber: z.string(),
    items: z.array(z.object({ productId: z.string(), name: z.string(), quantity: z.int(), priceCents: z.int() })).min(1),
    totalCents: z.int(),
    soldAt: z.int(),
  }),
  references: { customerId: "customers", "items[].productId": "products" },
});
export const payments = defineCollection({
  kind: "fact",
  schema: z.object({ saleId: z.string(), amountCents: z.int() }),
  indexes: ["saleId"],
  references: { saleId: "sales" },
});
export const collections = { products, customers, sales, payments };
