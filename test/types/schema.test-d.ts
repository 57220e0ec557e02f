/**
 * What the compiler must accept and refuse in definitions. Compiled, never run. Every line under an expect-error fails to
 * compile, and the names of the collections below are used by position on purpose: see "inline".
 */
import { type } from "arktype";
import { clientWins, lastWriteWins, manual, mergeFields, serverWins } from "tillsync/conflict";
import {
  type CheckReferences,
  type CollectionMap,
  type ConflictResolver,
  type CreateInputOf,
  defineCollection,
  type IdOf,
  type Increments,
  type PatchOf,
  type RecordOf,
} from "tillsync/schema";
import * as v from "valibot";
import * as z from "zod";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <T extends true>(): T | undefined => undefined;
declare const given: <T>() => T;
type ShapeOf<D extends CollectionMap[string]> = D["~shape"];

// ── One shop ──
const cents = z.int();
const products = defineCollection({
  schema: z.object({
    name: z.string().trim().min(1),
    barcodes: z.array(z.string()).default([]),
    category: z.string().default("none"),
    priceCents: cents.nonnegative(),
    stock: z.int().default(0),
    note: z.string().optional(),
    supplier: z.object({ supplierId: z.string(), code: z.string() }).optional(),
  }),
  indexes: { barcode: "barcodes", category: ["category", "name"], name: "name" },
  search: ["name"],
  counters: ["stock"],
  references: { "supplier.supplierId": "suppliers" },
  conflict: mergeFields({ priceCents: "server", name: ({ client }) => client.trim() }),
});
const suppliers = defineCollection({
  schema: v.object({ id: v.string(), name: v.string(), phone: v.optional(v.string(), "") }),
});
const customers = defineCollection({
  schema: z.object({
    id: z.string().brand<"CustomerId">(),
    name: z.string(),
    phone: z.string().nullable().default(null),
    points: z.int().default(0),
  }),
  indexes: ["phone", "name"],
  counters: ["points"],
  conflict: ({ client, server, fields }) => (fields.includes("phone") ? "manual" : { ...server, name: client.name }),
});
const sales = defineCollection({
  kind: "fact",
  schema: z.object({
    customerId: z.string().optional(),
    items: z.array(z.object({ productId: z.string(), quantity: z.int() })).min(1),
    totalCents: cents,
    soldAt: z.int(),
    orderNumber: z.string().optional(),
  }),
  indexes: { customer: ["customerId", "soldAt"], soldAt: "soldAt" },
  assigned: ["orderNumber"],
  references: { customerId: "customers", "items[].productId": "products" },
});
const payments = defineCollection({
  kind: "fact",
  schema: z.discriminatedUnion("method", [
    z.object({ method: z.literal("cash"), saleId: z.string(), amountCents: cents, tenderedCents: cents }),
    z.object({ method: z.literal("card"), saleId: z.string(), amountCents: cents, reference: z.string() }),
  ]),
  indexes: ["saleId", "reference"],
  references: { saleId: "sales" },
});
type Product = RecordOf<typeof products>;

// ── Inference: input against output, defaults, optional kept, brand, discriminated union ──
yes<Equal<Product["barcodes"], string[]>>();
yes<Equal<undefined extends CreateInputOf<typeof products>["barcodes"] ? true : false, true>>();
yes<Equal<Product["note"], string | undefined>>();
yes<Equal<Product["id"], string>>();
yes<Equal<RecordOf<typeof suppliers>["phone"], string>>();
yes<Equal<ShapeOf<typeof products>["kind"], "record">>();
yes<Equal<ShapeOf<typeof sales>["kind"], "fact">>();
yes<Equal<ShapeOf<typeof products>["searchable"], true>>();
yes<Equal<ShapeOf<typeof sales>["searchable"], false>>();
yes<Equal<ShapeOf<typeof sales>["counters"], never>>();
const ark = defineCollection({ schema: type({ name: "string", size: "number" }), indexes: ["name"] });
yes<Equal<RecordOf<typeof ark>["size"], number>>();

// @ts-expect-error a product id is no customer id (branded)
given<(id: IdOf<typeof customers>) => void>()("p-1");
given<(id: IdOf<typeof customers>) => void>()(given<RecordOf<typeof customers>>().id);
given<(data: CreateInputOf<typeof payments>) => void>()({
  method: "cash",
  saleId: "s",
  amountCents: 1,
  tenderedCents: 2,
});
// @ts-expect-error a card payment has a reference
given<(data: CreateInputOf<typeof payments>) => void>()({ method: "card", saleId: "s", amountCents: 1 });
// @ts-expect-error stored records are read-only
given<Product>().priceCents = 5;

// ── Inline: a definition takes no types from the place it is put in ──
const inline = given<<const C extends CollectionMap>(options: { collections: C & CheckReferences<C> }) => C>()({
  collections: {
    sales: defineCollection({
      kind: "fact",
      schema: z.object({ productId: z.string(), soldAt: z.int(), number: z.string().optional() }),
      indexes: { soldAt: "soldAt", product: ["productId", "soldAt"] },
      assigned: ["number"],
      references: { productId: "products" },
    }),
    products: defineCollection({
      schema: z.object({ name: z.string(), stock: z.int() }),
      indexes: ["name"],
      search: ["name"],
      counters: ["stock"],
      conflict: mergeFields({ name: ({ client, server }) => (client.length > server.length ? client : server) }),
    }),
    notes: defineCollection({ schema: v.object({ text: v.string() }) }),
  },
});
yes<Equal<ShapeOf<typeof inline.sales>["kind"], "fact">>();
yes<Equal<ShapeOf<typeof inline.products>["kind"], "record">>();
yes<Equal<ShapeOf<typeof inline.notes>["kind"], "record">>();
yes<Equal<RecordOf<typeof inline.sales>["soldAt"], number>>();
yes<Equal<ShapeOf<typeof inline.sales>["assigned"], "number">>();
yes<Equal<ShapeOf<typeof inline.sales>["indexes"]["product"], readonly [string, number]>>();
yes<Equal<ShapeOf<typeof inline.products>["counters"], "stock">>();
yes<Equal<ShapeOf<typeof inline.products>["indexes"]["name"], readonly [string]>>();
yes<Equal<ShapeOf<typeof inline.products>["searchable"], true>>();
yes<Equal<ShapeOf<typeof inline.notes>["counters"], never>>();

// ── References are checked where the map is made ──
const map = given<<const C extends CollectionMap>(collections: C & CheckReferences<C>) => C>();
map({ products, suppliers, customers, sales, payments });
// @ts-expect-error `suppliers` is not here
map({ products });

// ── Schemas that cannot work ──
// @ts-expect-error Date is not JSON
defineCollection({ schema: z.object({ at: z.date() }) });
// @ts-expect-error nested
defineCollection({ schema: z.object({ items: z.array(z.object({ at: z.date() })) }) });
// @ts-expect-error bigint
defineCollection({ schema: z.object({ n: z.bigint() }) });
// @ts-expect-error a Blob, which is known by its methods
defineCollection({ schema: z.object({ photo: z.custom<Blob>() }) });
// @ts-expect-error a Map
defineCollection({ schema: v.object({ m: v.map(v.string(), v.string()) }) });
// @ts-expect-error Date, by arktype
defineCollection({ schema: type({ at: "Date" }) });
// @ts-expect-error a transform to another type
defineCollection({ schema: z.object({ n: z.string().transform(Number) }) });
// @ts-expect-error not an object
defineCollection({ schema: z.string() });
// @ts-expect-error number id
defineCollection({ schema: z.object({ id: z.number() }) });
defineCollection({
  schema: z.object({ n: z.coerce.number(), t: z.string().trim().toLowerCase(), d: z.iso.datetime() }),
});
defineCollection({ schema: v.object({ n: v.optional(v.number(), 1) }) });

// ── Fields ──
// @ts-expect-error no such field
defineCollection({ schema: z.object({ a: z.string() }), indexes: ["b"] });
// @ts-expect-error a boolean is no key
defineCollection({ schema: z.object({ a: z.boolean() }), indexes: ["a"] });
// @ts-expect-error no such field in a compound index
defineCollection({ schema: z.object({ a: z.string() }), indexes: { x: ["a", "b"] } });
// @ts-expect-error a boolean does not count
defineCollection({ schema: z.object({ a: z.boolean() }), counters: ["a"] });
// @ts-expect-error facts do not count
defineCollection({ kind: "fact", schema: z.object({ a: z.number() }), counters: ["a"] });
const counted = z.object({ a: z.int(), b: z.string(), c: z.int() });
defineCollection({
  schema: counted,
  counters: ["a", "b"],
  counterBounds: { a: { maxStep: 5, min: -1 }, b: { max: "1.5" } },
});
// @ts-expect-error no counter
defineCollection({ schema: counted, counters: ["a"], counterBounds: { c: { max: 5 } } });
// @ts-expect-error no counters at all
defineCollection({ schema: counted, counterBounds: { a: { max: 5 } } });
// @ts-expect-error a decimal counter has decimal bounds
defineCollection({ schema: counted, counters: ["b"], counterBounds: { b: { max: 5 } } });
// @ts-expect-error an integer has integer bounds
defineCollection({ schema: counted, counters: ["a"], counterBounds: { a: { maxStep: "5" } } });
// @ts-expect-error facts have no conflict
defineCollection({ kind: "fact", schema: z.object({ a: z.number() }), conflict: mergeFields() });
// @ts-expect-error no such path
defineCollection({ schema: z.object({ a: z.string() }), references: { b: "x" } });
// @ts-expect-error no such path in the items
defineCollection({ schema: z.object({ a: z.array(z.object({ p: z.string() })) }), references: { "a[].q": "x" } });
// @ts-expect-error no such field to search
defineCollection({ schema: z.object({ a: z.string() }), search: ["b"] });
// @ts-expect-error no such field to assign
defineCollection({ schema: z.object({ a: z.string() }), assigned: ["b"] });
// @ts-expect-error no such option
defineCollection({ schema: z.object({ a: z.string() }), index: ["a"] });
// A loose object keeps its named fields apart from the others.
defineCollection({ schema: z.looseObject({ a: z.string() }), indexes: ["a", "id"] });
// @ts-expect-error not one of the named
defineCollection({ schema: z.looseObject({ a: z.string() }), indexes: ["b"] });

// ── Conflicts ──
// @ts-expect-error no such field to merge
defineCollection({ schema: z.object({ a: z.string() }), conflict: mergeFields({ b: "server" }) });
// @ts-expect-error a resolver answers a record or a side
defineCollection({ schema: z.object({ a: z.string() }), conflict: () => "local" });
// @ts-expect-error a rule answers the field's type
defineCollection({ schema: z.object({ a: z.string() }), conflict: mergeFields({ a: () => 5 }) });
for (const conflict of [serverWins(), clientWins(), lastWriteWins(), manual()]) {
  defineCollection({ schema: z.object({ a: z.string() }), conflict });
}
defineCollection({
  // The order of the options does not matter to inference.
  conflict: mergeFields({ a: ({ base, client }) => client.trim() + (base ?? "") }, "manual"),
  schema: z.object({ a: z.string(), b: z.int() }),
});
given<ConflictResolver<Product>>() satisfies (conflict: {
  base: Product | undefined;
  client: Product;
  server: Product;
  fields: readonly (keyof Product & string)[];
}) => Product | "server" | "client" | "manual";

// ── Patches, counters, ids ──
const patch = given<(patch: PatchOf<typeof products>) => void>();
patch({ priceCents: 5 });
// @ts-expect-error a counter is not patched
patch({ stock: 5 });
// @ts-expect-error nor the id
patch({ id: "q" });
// @ts-expect-error a whole record is no patch
patch({ ...given<Product>(), priceCents: 5 });
yes<Equal<number extends PatchOf<typeof products>["stock"] ? true : false, false>>();
const increment = given<(by: Increments<ShapeOf<typeof products>>) => void>();
increment({ stock: -1 });
// @ts-expect-error not a counter
increment({ priceCents: 5 });
// @ts-expect-error nothing
increment({});
// @ts-expect-error a number counts by numbers
increment({ stock: "1" });
const create = given<(data: CreateInputOf<typeof sales>) => void>();
create({ items: [], totalCents: 1, soldAt: 1 });
create({ id: "draft-1", items: [], totalCents: 1, soldAt: 1 });
// @ts-expect-error only the server numbers
create({ items: [], totalCents: 1, soldAt: 1, orderNumber: "9" });

// ── Index keys ──
yes<Equal<ShapeOf<typeof products>["indexes"]["barcode"], readonly [string]>>();
yes<Equal<ShapeOf<typeof products>["indexes"]["category"], readonly [string, string]>>();
yes<Equal<ShapeOf<typeof sales>["indexes"]["customer"], readonly [string, number]>>();
yes<Equal<ShapeOf<typeof payments>["indexes"]["reference"], readonly [string]>>();
