/** The shop that is simulated: every kind of collection, each with what makes it hard. */
import { manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import type { Policies } from "tillsync/server";
import * as z from "zod";

export const FIRST_STOCK = 1_000;
/** No sale reaches them; a delivery or a bulk sale may (commands/bulk.ts). */
export const STOCK_BOUNDS = { maxStep: 400, min: 0, max: 1_020 } as const;
/** An effect of the policy has no room in it after a few sales. */
export const VISITS_BOUNDS = { max: 3 } as const;

export const collections = {
  products: defineCollection({
    schema: z.object({
      name: z.string().min(1),
      priceCents: z.int().nonnegative(),
      shelf: z.string().optional(),
      /** Written by the server alone: an effect of each edit that sets the price. */
      label: z.string().optional(),
      /** Large, for slow lines. */
      picture: z.string().optional(),
      stock: z.int().default(0),
      returned: z.int().default(0),
    }),
    indexes: { name: "name" },
    counters: ["stock", "returned"],
    counterBounds: { stock: STOCK_BOUNDS },
  }),
  /** Edited by people who must agree. */
  customers: defineCollection({
    schema: z.object({
      name: z.string(),
      phone: z.string().nullable().default(null),
      /** May be missing, and may be null, which is not the same. */
      note: z.string().nullable().optional(),
      points: z.int().default(0),
      /** Counted by the server alone, as an effect of each sale that it does not doubt. */
      visits: z.int().default(0),
    }),
    indexes: ["phone"],
    counters: ["points", "visits"],
    counterBounds: { visits: VISITS_BOUNDS },
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

/** The branch that an operation names. A malformed one may name anything. */
export function namedBranch(operation: { readonly branch?: unknown } | undefined): string | undefined {
  const named = operation?.branch;
  return typeof named === "string" && named !== "" ? named : undefined;
}
/** A sale of so many pieces is one that the policy finds too large for the shelf. */
export const SHORT_QUANTITY = 5;
export const labelOf = (priceCents: unknown) => `L${String(priceCents)}`;

export const seedRows = {
  products: PRODUCTS.map((id, at) => ({
    id,
    name: `Product ${at}`,
    priceCents: 100 * (at + 1),
    stock: FIRST_STOCK,
    returned: 0,
  })),
  // One note that is null, and one that is a text.
  customers: CUSTOMERS.map((id, at) => ({
    id,
    name: `Customer ${id}`,
    phone: null,
    note: at === 0 ? null : "Regular",
    points: 0,
    visits: 0,
  })),
};

/** Products that nobody sells: they fill pages. */
export const catalogueRows = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    id: catalogueId(at),
    name: `Article ${at}`,
    priceCents: 100,
    stock: 0,
    returned: 0,
  }));
export const catalogueId = (at: number) => `b-${String(at).padStart(4, "0")}`;

/** A name that no server of this shop takes: the edit is rejected, and a person at the till must see to it. */
export const REFUSED_NAME = "refused";

interface Decided {
  readonly operation: {
    readonly id: string;
    readonly entityId: string;
    readonly action: string;
    readonly data?: Json;
    readonly patch?: Json;
  };
}
type Json = Readonly<Record<string, unknown>>;

const aside = { outcome: "quarantined", code: "doubtful", message: "A person must look at it" } as const;
const fact = ({ operation }: Decided) => (operation.data?.doubtful === true ? aside : { outcome: "applied" });
const record = ({ operation: { data, patch } }: Decided) =>
  (data ?? patch)?.name === REFUSED_NAME
    ? { outcome: "rejected", code: "name_refused", message: "There is no such name" }
    : { outcome: "applied" };
/** What a policy does beside its verdict: an effect on the operation's own row. */
const product = (decided: Decided) => {
  const verdict = record(decided);
  const { entityId: id, action, patch } = decided.operation;
  if (verdict.outcome !== "applied" || action !== "update" || patch?.priceCents === undefined) return verdict;
  return { ...verdict, effects: [{ collection: "products", id, patch: { label: labelOf(patch.priceCents) } }] };
};
/** And an effect on another row, and a discrepancy. */
const sale = (decided: Decided) => {
  const { outcome, ...rest } = fact(decided);
  if (outcome !== "applied") return { outcome, ...rest };
  const { id, data: { customerId, productId, quantity } = {} } = decided.operation;
  return {
    outcome,
    assigned: { orderNumber: `N-${id.slice(-8)}` },
    ...(customerId !== undefined && {
      effects: [{ collection: "customers", id: customerId, increment: { visits: 1 } }],
    }),
    ...(quantity === SHORT_QUANTITY && {
      discrepancies: [{ product: productId, expected: quantity, available: SHORT_QUANTITY - 1 }],
    }),
  };
};

/** Its policy says what the types do not let it say, as JavaScript would: the server must not refuse a fact all the same [H5]. */
const refund = (decided: Decided) => {
  const verdict = fact(decided);
  return verdict.outcome === "applied" ? verdict : { ...verdict, outcome: "rejected" };
};

/** The scope of everybody but a liar, who is a cashier. */
export const STAFF = "staff";
/** The name of the till that lies, and the branch that its token is of. */
export const LIAR = "liar";
export const LIAR_BRANCH = "main";
/** Whom its token names. */
export const LIAR_ACTOR = "u-cashier";
/** What a cashier may do beside selling, by collection and action. */
export const CASHIER_MAY: ReadonlySet<string> = new Set([
  "sales create",
  "payments create",
  "customers create",
  "customers update",
  "customers increment",
  "seats create",
  "seats update",
]);

const read = { read: "everyone" } as const;
const everyone = { ...read, create: "everyone" } as const;
const cashiers = { ...everyone, update: "everyone", delete: STAFF, force: STAFF } as const;
export const editors = { ...read, create: STAFF, update: STAFF, delete: STAFF, force: STAFF } as const;

// Their inputs are read loosely: what a policy is told is tested elsewhere.
const policies = {
  products: { scope: "tenant", allow: editors, decide: product },
  customers: { scope: "tenant", allow: cashiers, decide: record },
  sales: { scope: "tenant", allow: everyone, decide: sale },
  payments: { scope: "tenant", allow: everyone, decide: fact },
  refunds: { scope: "tenant", allow: { ...read, create: STAFF }, decide: refund },
  seats: { scope: { branch: (seat: { branch: string }) => seat.branch }, allow: cashiers },
} as unknown as Policies<Shop>;

type Loose = Readonly<Record<string, { readonly decide?: (decided: Decided) => object }>>;

/** The same, but that those of records throw at edits while they don't work: a mistake of the shop's own code. */
export function whileWorking(areWorking: () => boolean): Policies<Shop> {
  const { products, customers } = policies as unknown as Loose;
  const careless = (policy: Loose[string] | undefined) => ({
    ...policy,
    decide(decided: Decided) {
      if (!areWorking() && decided.operation.action !== "increment")
        throw new Error("A mistake of the shop's own code.");
      return policy?.decide?.(decided);
    },
  });
  return { ...policies, products: careless(products), customers: careless(customers) } as unknown as Policies<Shop>;
}
