/** The types of `tillsync`. Every line under an expect-error must fail to compile, and nothing else may. */
import {
  type AnyTillSyncError,
  type Conflict,
  createSyncClient,
  defineCollection,
  http,
  isTillSyncError,
  type Operation,
  type PatchOf,
  type QuerySnapshot,
  type RecordOf,
  type SyncClient,
  type SyncStatus,
  TillSyncError,
} from "tillsync";
import { memory } from "tillsync/storage/memory";
import * as z from "zod";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <T extends true>(): T | undefined => undefined;

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
  counters: ["stock"],
  references: { "supplier.supplierId": "suppliers" },
});
const suppliers = defineCollection({ schema: z.object({ name: z.string() }) });
const customers = defineCollection({
  schema: z.object({ id: z.string().brand<"CustomerId">(), name: z.string(), points: z.int().default(0) }),
  counters: ["points"],
});
const sales = defineCollection({
  kind: "fact",
  schema: z.object({
    shiftId: z.string(),
    items: z.array(z.object({ productId: z.string(), quantity: z.int() })),
    totalCents: cents,
    soldAt: z.int(),
    orderNumber: z.string().optional(),
  }),
  indexes: { shift: ["shiftId", "soldAt"], soldAt: "soldAt" },
  assigned: ["orderNumber"],
  references: { "items[].productId": "products" },
});
const payments = defineCollection({
  kind: "fact",
  schema: z.discriminatedUnion("method", [
    z.object({ method: z.literal("cash"), saleId: z.string(), amountCents: cents, tenderedCents: cents }),
    z.object({ method: z.literal("card"), saleId: z.string(), amountCents: cents, reference: z.string() }),
  ]),
  references: { saleId: "sales" },
});
const collections = { products, suppliers, customers, sales, payments };
type Product = RecordOf<typeof products>;
const transport = http({ url: "https://shop.example/sync", getToken: () => undefined });

declare const till: SyncClient<typeof collections>;
declare const before: Product;

export async function collectionsAreTyped(): Promise<void> {
  const customerId = (await till.collections.customers.first({}))?.id;
  if (customerId) void till.collections.customers.get(customerId);
  // @ts-expect-error a product id is no customer id (branded)
  void till.collections.customers.get("p-1");
  void till.collections.payments.create({ method: "cash", saleId: "s", amountCents: 1, tenderedCents: 2 });
  // @ts-expect-error a card payment has a reference
  void till.collections.payments.create({ method: "card", saleId: "s", amountCents: 1 });
  // @ts-expect-error a fact is not edited
  till.collections.sales.update;
  // @ts-expect-error nor deleted
  till.collections.sales.delete;
  // @ts-expect-error nor counted
  till.collections.sales.increment;
  // @ts-expect-error no counters
  till.collections.suppliers.increment;
  // @ts-expect-error only the server numbers
  void till.collections.sales.create({ shiftId: "s", items: [], totalCents: 1, soldAt: 1, orderNumber: "9" });
  void till.collections.products.update("p", { priceCents: 5, note: undefined as never });
  // @ts-expect-error a counter is not patched
  void till.collections.products.update("p", { stock: 5 });
  // @ts-expect-error nor the id
  void till.collections.products.update("p", { id: "q" });
  // @ts-expect-error a whole record is no patch: use changes()
  void till.collections.products.update("p", { ...before, priceCents: 5 });
  void till.collections.products.update("p", till.collections.products.changes(before, { name: "Tea", priceCents: 5 }));
  // @ts-expect-error not a counter
  void till.collections.products.increment("p", { priceCents: 5 });
  // @ts-expect-error nothing
  void till.collections.products.increment("p", {});
  // @ts-expect-error stored records are read-only
  before.priceCents = 5;
  type Patchable = PatchOf<typeof products>;
  yes<number extends Patchable["stock"] ? false : true>();
}

/** Without a `default`: if an action is missing here, this does not compile. */
export function changesAreExhaustive(operation: Operation<typeof collections>): string {
  if (operation.collection !== "products") return operation.id;
  const { change } = operation;
  switch (change.action) {
    case "create":
      return change.data.name;
    case "update":
      return change.patch.name ?? `based on ${change.baseVersion}`;
    case "increment":
      return `${change.by.stock ?? 0}`;
    case "delete":
      return `based on ${change.baseVersion}`;
    case "void":
      yes<Equal<typeof change, { readonly action: "void" }>>();
      return "given up";
  }
}

export function factsAreOnlyCreated(operation: Operation<typeof collections>): void {
  if (operation.collection === "sales") yes<Equal<(typeof operation)["change"]["action"], "create">>();
}

export function queriesAreTyped(): void {
  void till.collections.products.find({ index: "category", equals: ["drinks", "Tea"] });
  void till.collections.products.find({ index: "category", equals: "drinks", startAfter: before });
  void till.collections.sales.find({ index: "shift", from: ["s", 1], before: ["s", 2] });
  // @ts-expect-error no such index
  void till.collections.products.find({ index: "price" });
  // @ts-expect-error a number is no barcode
  void till.collections.products.find({ index: "barcode", equals: 600 });
  // @ts-expect-error too long for the index
  void till.collections.products.find({ index: "name", equals: ["a", "b"] });
  // @ts-expect-error numbers start with nothing
  void till.collections.sales.find({ index: "soldAt", startsWith: "1" });
  // @ts-expect-error a live query says how much
  till.collections.products.live({ index: "name" });
  const snapshot: QuerySnapshot<Product> = till.collections.products.live({ index: "name", limit: 1 }).getSnapshot();
  void snapshot;
}

export async function transactionsAreTyped(): Promise<void> {
  const id: string = await till.transaction((tx) => {
    const sale = tx.sales.create({ shiftId: "s", items: [], totalCents: 1, soldAt: 1 });
    tx.products.increment("p", { stock: -1 });
    // @ts-expect-error a fact is not edited
    tx.sales.update;
    // @ts-expect-error nor deleted
    tx.payments.delete;
    // @ts-expect-error no such collection
    tx.orders;
    return sale.id;
  });
  void id;
}

export function eventsAndStatusAreTyped(status: SyncStatus): string | undefined {
  till.on("applied", (event) => {
    if (event.collection === "sales") yes<Equal<typeof event.record, RecordOf<typeof sales> | undefined>>();
    // @ts-expect-error not narrowed
    event.record?.totalCents;
  });
  // @ts-expect-error no such event
  till.on("sync", () => {});
  // @ts-expect-error only while offline
  status.retryAt;
  if (status.phase === "offline")
    return status.cause satisfies "no_network" | "unreachable" | "server_error" | "throttled" | "device_error";
  return undefined;
}

export function errorsAreTyped(error: unknown): void {
  if (isTillSyncError(error))
    switch (error.code) {
      case "not_found":
        yes<Equal<typeof error.details.id, string>>();
        break;
      // @ts-expect-error no such code
      case "nope":
        break;
    }
  if (isTillSyncError(error, "transaction_too_large")) yes<Equal<typeof error.details.maxOperations, number>>();
  const made: AnyTillSyncError = new TillSyncError("not_found", "", { collection: "a", id: "b" });
  void (made satisfies Error);
}

export async function desksAreTyped(operation: Operation<typeof collections>): Promise<void> {
  // @ts-expect-error it may be a fact
  await till.operations.discard(operation, { reason: "" });
  if (operation.kind === "record") await till.operations.discard(operation, { reason: "" });
  if (operation.collection === "products") await till.operations.amend(operation, { priceCents: 100 });
  const conflict: Conflict<typeof collections> | undefined = await till.conflicts.get("c");
  // @ts-expect-error facts have none
  if (conflict?.collection === "sales") return;
  // Of any collection: a desk has one pair of buttons for all of them.
  if (conflict !== undefined) await till.conflicts.resolve(conflict, "client", { note: "asked" });
  for (const open of await till.conflicts.list()) await till.conflicts.resolve(open, "server");
  // @ts-expect-error which fields there are depends on the collection
  if (conflict !== undefined) await till.conflicts.resolve(conflict, { merged: { name: "Tea" } });
  // @ts-expect-error stock is a counter
  if (conflict?.collection === "products") await till.conflicts.resolve(conflict, { merged: { stock: 5 } });
  if (conflict?.collection === "products") await till.conflicts.resolve(conflict, { merged: { priceCents: 5 } });
}

/** Definitions written where they are needed take their types from themselves, not from the place they stand in. */
export async function inlineDefinitions(): Promise<void> {
  const inline = createSyncClient({
    name: "inline",
    storage: memory(),
    transport,
    collections: {
      products: defineCollection({
        schema: z.object({ name: z.string(), barcode: z.string(), stock: z.int().default(0) }),
        indexes: ["barcode"],
        counters: ["stock"],
      }),
      sales: defineCollection({ kind: "fact", schema: z.object({ productId: z.string(), soldAt: z.int() }) }),
    },
  });
  const scanned = await inline.collections.products.first({ index: "barcode", equals: "5449000000996" });
  await inline.transaction((tx, { now }) => {
    if (scanned) tx.products.increment(scanned.id, { stock: -1 });
    return tx.sales.create({ productId: scanned?.id ?? "", soldAt: now });
  });
  // @ts-expect-error a fact, also inline
  inline.collections.sales.update;
}

export const missing = () =>
  createSyncClient({
    name: "x",
    transport,
    // @ts-expect-error `suppliers` is not here
    collections: { products },
  });

/** A component that shows only the status takes any client. */
export function anyClient(client: SyncClient): string {
  return client.status.phase;
}
export const shown = () => anyClient(till);
