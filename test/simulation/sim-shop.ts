/** The shop that is simulated: every kind of collection, each with what makes it hard. */
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import type { Policies } from "tillsync/server";
import * as z from "zod";

export const collections = {
  products: defineCollection({
    schema: z.object({
      name: z.string().min(1),
      priceCents: z.int().nonnegative(),
      shelf: z.string().optional(),
      /** Large, for slow lines. */
      picture: z.string().optional(),
      stock: z.int().default(0),
    }),
    indexes: { name: "name" },
    counters: ["stock"],
  }),
  /** Edited by people who must agree. */
  customers: defineCollection({
    schema: z.object({ name: z.string(), phone: z.string().nullable().default(null), points: z.int().default(0) }),
    indexes: ["phone"],
    counters: ["points"],
    conflict: manual(),
  }),
  sales: defineCollection({
    kind: "fact",
    schema: z.object({
      customerId: z.string().optional(),
      productId: z.string(),
      quantity: z.int(),
      totalCents: z.int(),
      till: z.string(),
      /** The server will set it aside: part of the data, so that it does so again after a restore. */
      doubtful: z.boolean(),
      /** Large, for slow lines. */
      signature: z.string().optional(),
      orderNumber: z.string().optional(),
    }),
    indexes: ["till"],
    assigned: ["orderNumber"],
    references: { customerId: "customers", productId: "products" },
  }),
  payments: defineCollection({
    kind: "fact",
    schema: z.object({ saleId: z.string(), amountCents: z.int(), doubtful: z.boolean() }),
    indexes: ["saleId"],
    references: { saleId: "sales" },
  }),
  /** Of an earlier sale, which may still be in the queue: its goods go back on the shelf. */
  refunds: defineCollection({
    kind: "fact",
    schema: z.object({ saleId: z.string(), productId: z.string(), quantity: z.int(), doubtful: z.boolean() }),
    references: { saleId: "sales" },
    priority: "high",
  }),
  /** Of one branch, and seen there only. */
  seats: defineCollection({ schema: z.object({ branch: z.string(), name: z.string() }) }),
};
export type Shop = typeof collections;

export const TENANT = "shop";
export const PRODUCTS = ["p-1", "p-2", "p-3", "p-4"] as const;
export const CUSTOMERS = ["c-1", "c-2"] as const;
export const BRANCHES = ["main", "annex"] as const;
export const FIRST_STOCK = 1_000;

export const seedRows = {
  products: PRODUCTS.map((id, at) => ({ id, name: `Product ${at}`, priceCents: 100 * (at + 1), stock: FIRST_STOCK })),
  customers: CUSTOMERS.map((id) => ({ id, name: `Customer ${id}`, phone: null, points: 0 })),
};

/** A name that no server of this shop takes: the edit is rejected, and a person at the till must see to it. */
export const REFUSED_NAME = "refused";

interface Decided {
  readonly operation: { readonly id: string; readonly action: string; readonly data?: Json; readonly patch?: Json };
}
type Json = { readonly name?: unknown; readonly doubtful?: unknown };

const aside = { outcome: "quarantined", code: "doubtful", message: "A person must look at it" } as const;
const fact = ({ operation }: Decided) => (operation.data?.doubtful === true ? aside : { outcome: "applied" });
const record = ({ operation: { data, patch } }: Decided) =>
  (data ?? patch)?.name === REFUSED_NAME
    ? { outcome: "rejected", code: "name_refused", message: "There is no such name" }
    : { outcome: "applied" };
const sale = (decided: Decided) => {
  const { outcome, ...rest } = fact(decided);
  return outcome === "applied"
    ? { outcome, assigned: { orderNumber: `N-${decided.operation.id.slice(-8)}` } }
    : { outcome, ...rest };
};

/** Its policy says what the types do not let it say, as JavaScript would: the server must not refuse a fact all the same [H5]. */
const refund = (decided: Decided) => {
  const verdict = fact(decided);
  return verdict.outcome === "applied" ? verdict : { ...verdict, outcome: "rejected" };
};

const everyone = { read: "everyone", create: "everyone" } as const;
const editors = { ...everyone, update: "everyone", delete: "everyone", force: "everyone" } as const;

// Their inputs are read loosely: what a policy is told is tested elsewhere.
export const policies = {
  products: { scope: "tenant", allow: editors, decide: record },
  customers: { scope: "tenant", allow: editors, decide: record },
  sales: { scope: "tenant", allow: everyone, decide: sale },
  payments: { scope: "tenant", allow: everyone, decide: fact },
  refunds: { scope: "tenant", allow: everyone, decide: refund },
  seats: { scope: { branch: (seat: { branch: string }) => seat.branch }, allow: editors },
} as unknown as Policies<Shop>;
