/** A small shop for the server's tests: every kind of collection, every kind of policy. */
import * as z from "zod";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import type { Policies } from "../../../src/server/policy-types.ts";

export const collections = {
  products: defineCollection({
    schema: z.object({
      name: z.string().trim().min(1),
      priceCents: z.int().nonnegative().default(0),
      note: z.string().optional(),
      stock: z.int().default(0),
    }),
    counters: ["stock"],
  }),
  customers: defineCollection({
    schema: z.object({
      name: z.string(),
      phone: z.string().nullable().default(null),
      points: z.int().default(0),
      litres: z
        .string()
        .regex(/^-?\d+(\.\d+)?$/)
        .default("0"),
    }),
    counters: ["points", "litres"],
  }),
  /** Rows of a branch. */
  shifts: defineCollection({
    schema: z.object({ branch: z.string(), cashier: z.string(), drawer: z.int().default(0) }),
    counters: ["drawer"],
  }),
  sales: defineCollection({
    kind: "fact",
    schema: z.object({
      totalCents: z.int(),
      productId: z.string().optional(),
      customerId: z.string().optional(),
      orderNumber: z.string().optional(),
    }),
    assigned: ["orderNumber"],
    references: { productId: "products", customerId: "customers" },
  }),
  payments: defineCollection({
    kind: "fact",
    schema: z.object({ saleId: z.string(), amountCents: z.int() }),
    references: { saleId: "sales" },
  }),
};
export type Shop = typeof collections;

/** The shop whose customers have a badge that only the server gives. */
export const withBadges = {
  ...collections,
  customers: defineCollection({
    schema: z.object({ name: z.string(), badge: z.string().optional(), points: z.int().default(0) }),
    counters: ["points"],
    assigned: ["badge"],
  }),
};

const open = { read: "everyone", create: "everyone" } as const;
const openRecord = { ...open, update: "everyone", delete: "everyone" } as const;

export function policies(more: Partial<Policies<Shop>> = {}): Policies<Shop> {
  return {
    products: { scope: "tenant", allow: openRecord },
    customers: { scope: "tenant", allow: openRecord },
    shifts: { scope: { branch: (shift) => shift.branch }, allow: openRecord },
    sales: { scope: "tenant", allow: open },
    payments: { scope: "tenant", allow: open },
    ...more,
  };
}
