// What the server's types must refuse, and what they must infer. Every line under an expect-error must fail to compile.
import * as z from "zod";
import { serverWins } from "../../src/conflict/index.ts";
import { defineCollection } from "../../src/schema/define-collection.ts";
import { syncRoutes } from "../../src/server/hono/index.ts";
import { createSyncHandler, type Policies, type PolicyFor, type ServerStore } from "../../src/server/index.ts";
import { memoryStore } from "../../src/server/memory/index.ts";

const products = defineCollection({
  schema: z.object({ name: z.string(), priceCents: z.int(), stock: z.int().default(0) }),
  counters: ["stock"],
});
const customers = defineCollection({
  schema: z.object({ name: z.string(), points: z.int().default(0) }),
  counters: ["points"],
});
const sales = defineCollection({
  kind: "fact",
  schema: z.object({
    customerId: z.string().optional(),
    items: z.array(z.object({ productId: z.string(), quantity: z.int(), priceCents: z.int() })),
    totalCents: z.int(),
    orderNumber: z.string().optional(),
  }),
  assigned: ["orderNumber"],
  references: { customerId: "customers" },
});
const collections = { products, customers, sales };
type Shop = typeof collections;

const record = { read: "everyone", create: "everyone", update: "everyone", delete: "nobody" } as const;
const fact = { read: "everyone", create: "everyone" } as const;

const productPolicy: PolicyFor<Shop, "products"> = {
  scope: { branch: (product) => (product.name === "x" ? "north" : undefined) },
  allow: { ...record, force: "catalog:force" },
  conflict: serverWins(),
  decide({ operation, current, next, epoch, acknowledged }) {
    if (operation.action === "update" && operation.patch.priceCents === 0)
      return { outcome: "rejected", code: "zero", message: String(epoch) };
    if (operation.action === "increment" && next && next.stock < 0) {
      const expected: number = -(operation.by.stock ?? 0);
      return {
        outcome: "applied",
        discrepancies: [{ product: operation.entityId, expected, available: current?.stock ?? 0 }],
      };
    }
    return acknowledged === undefined ? { outcome: "applied" } : { outcome: "quarantined", code: "x", message: "" };
  },
};
const policies: Policies<Shop> = {
  products: productPolicy,
  customers: { scope: "tenant", allow: record },
  sales: {
    scope: "tenant",
    allow: fact,
    reads: ({ operation }) => ({ products: operation.data.items.map(({ productId }) => productId) }),
    decide({ operation, rows, principal }) {
      const unknown = operation.data.items.filter(({ productId }) => !rows.products.has(productId));
      const price: number | undefined = rows.products.get("p")?.priceCents;
      return {
        outcome: "applied",
        assigned: { orderNumber: `${principal.branch}-${price}` },
        flags: unknown.map(({ productId }) => ({ code: "unknown_product", message: productId })),
        effects: [{ collection: "customers", id: "c", increment: { points: 1 } }],
      };
    },
  },
};
const options = { store: memoryStore() as ServerStore, authenticate: () => undefined, collections, policies };
createSyncHandler(options) satisfies (request: Request) => Promise<Response>;
syncRoutes(options).fetch satisfies unknown;

// @ts-expect-error sales have no policy
const missing: Policies<Shop> = { products: productPolicy, customers: { scope: "tenant", allow: record } };
const refusing: PolicyFor<Shop, "sales"> = {
  scope: "tenant",
  allow: fact,
  // @ts-expect-error a sale is not refused
  decide: () => ({ outcome: "rejected", code: "stock", message: "" }),
};
const renaming: PolicyFor<Shop, "sales"> = {
  scope: "tenant",
  allow: fact,
  // @ts-expect-error only declared fields are assigned
  decide: () => ({ outcome: "applied", assigned: { totalCents: 5 } }),
};
const counting: PolicyFor<Shop, "sales"> = {
  scope: "tenant",
  allow: fact,
  // @ts-expect-error a price is no counter
  decide: () => ({ outcome: "applied", effects: [{ collection: "products", id: "p", increment: { priceCents: 5 } }] }),
};
const asynchronous: PolicyFor<Shop, "products"> = {
  scope: "tenant",
  allow: record,
  // @ts-expect-error a decision is synchronous
  decide: async () => ({ outcome: "applied" }),
};
const careless: PolicyFor<Shop, "products"> = {
  scope: "tenant",
  // @ts-expect-error who may delete is not said
  allow: { read: "everyone", create: "everyone", update: "everyone" },
};
// @ts-expect-error a fact has no conflicts
const quarrelsome: PolicyFor<Shop, "sales"> = { scope: "tenant", allow: fact, conflict: serverWins() };
void [missing, refusing, renaming, counting, asynchronous, careless, quarrelsome];
