/**
 * [H7] Apps and servers are updated, rolled back and deployed in any order: data of one schema version is never taken for
 * data of another, and what one collection waits for stops no other.
 */
import { clientWins, manual } from "tillsync/conflict";
import { defineCollection } from "tillsync/schema";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { CollectionMap } from "../../src/schema/types.ts";
import { RuleShop } from "../support/rule-shop.ts";
import type { RuleTill } from "../support/rule-till.ts";

const hundredfold = (name: string) => (data: Record<string, unknown>) => ({
  ...data,
  [name]: (data[name] as number) * 100,
});

/** Whole euros. */
const euros = {
  sales: defineCollection({ kind: "fact", schema: z.object({ total: z.int() }) }),
  products: defineCollection({
    schema: z.object({ name: z.string(), price: z.int(), stock: z.int().default(0) }),
    counters: ["stock"],
    conflict: manual(),
  }),
  notes: defineCollection({ schema: z.object({ text: z.string() }) }),
};
/** Cents, and a rate of tax. */
const cents = {
  sales: defineCollection({
    kind: "fact",
    schema: z.object({ total: z.int(), channel: z.string().trim().default("pos") }),
    indexes: ["channel"],
    schemaVersion: 2,
    upcast: { 1: hundredfold("total") },
  }),
  products: defineCollection({
    schema: z.object({ name: z.string(), price: z.int(), taxRate: z.int(), stock: z.int().default(0) }),
    counters: ["stock"],
    indexes: ["taxRate"],
    conflict: manual(),
    schemaVersion: 2,
    upcast: { 1: (data) => ({ ...hundredfold("price")(data), taxRate: data.taxRate ?? 19 }) },
  }),
  notes: euros.notes,
};
const withoutNotes = { sales: euros.sales, products: euros.products };

type Loose = {
  readonly [collection: string]: {
    get(id: string): Promise<Record<string, unknown> | undefined>;
    find(query?: object): Promise<readonly Record<string, unknown>[]>;
    create(data: object): Promise<unknown>;
    update(id: string, patch: object): Promise<unknown>;
    increment(id: string, by: object): Promise<unknown>;
  };
};
/** A till whose types are those of no version. */
const of = (till: RuleTill<never>) => till.data as unknown as Loose;

async function open(collections: CollectionMap = euros) {
  const shop = new RuleShop({ collections }) as unknown as RuleShop<never>;
  await shop.seed("products" as never, { id: "tea", name: "Tea", price: 2, stock: 10 });
  const till = await shop.openTill();
  return { shop, till };
}
/** The till wants a price of 3, and another one has written 4. */
async function inConflict() {
  const { shop, till } = await open();
  const other = await shop.openTill();
  await of(till).products!.update("tea", { price: 3 });
  await of(other).products!.update("tea", { price: 4 });
  await other.sync();
  await till.sync();
  return { shop, till };
}
const update = (shop: RuleShop<never>, till: RuleTill<never>, collections: CollectionMap) =>
  shop.restart(till, { collections });

describe("what was made in one version, and goes on in the next", () => {
  test("a sale that was set aside and is retried", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    shop.nextVerdict("sales" as never, "quarantined");
    await of(till).sales!.create({ id: "s-1", total: 12 });
    await till.sync();
    shop.upgrade(cents);
    const updated = await update(shop, till, cents);
    expect(await of(updated).sales!.get("s-1")).toMatchObject({ total: 1_200 });
    await updated.client.operations.retry(updated.operationOn("s-1").id);
    await updated.sync();
    expect(shop.shown("sales" as never, "s-1")).toEqual({ total: 1_200, channel: "pos" });
  });

  test("an edit that was refused and is corrected", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    shop.nextVerdict("products" as never, "rejected");
    await of(till).products!.update("tea", { price: 3, name: "Green" });
    await till.sync();
    shop.upgrade(cents);
    const updated = await update(shop, till, cents);
    await updated.client.operations.amend(
      { id: updated.operationOn("tea").id } as never,
      { name: "Green tea" } as never,
    );
    await updated.sync();
    expect(shop.shown("products" as never, "tea")).toMatchObject({ name: "Green tea", price: 300, taxRate: 19 });
  });

  test("an edit that a resolver keeps", async () => {
    const winning = (version: number) =>
      defineCollection({
        schema: z.object({ name: z.string(), price: z.int(), taxRate: z.int().optional(), stock: z.int().default(0) }),
        counters: ["stock"],
        conflict: clientWins(),
        schemaVersion: version,
        ...(version === 2 && { upcast: { 1: hundredfold("price") } }),
      });
    const first = { ...euros, products: winning(1) };
    const second = { ...cents, products: winning(2) };
    const { shop, till } = await open(first);
    await using _ = shop;
    const other = await shop.openTill();
    await of(till).products!.update("tea", { price: 3 });
    await of(other).products!.update("tea", { price: 4 });
    await other.sync();
    shop.upgrade(second);
    const updated = await update(shop, till, second);
    expect(await of(updated).products!.get("tea")).toMatchObject({ price: 300 });
    await updated.sync();
    await updated.sync();
    expect(shop.shown("products" as never, "tea")).toMatchObject({ price: 300 });
  });

  test.each(["client", "merged"] as const)("a conflict that a person settles: %s", async (choice) => {
    const { shop, till } = await inConflict();
    await using _ = shop;
    shop.upgrade(cents);
    const updated = await update(shop, till, cents);
    const [conflict] = await updated.client.conflicts.list();
    expect(conflict).toMatchObject({ base: { price: 200 }, client: { price: 300 }, server: { price: 400 } });
    const answer = choice === "client" ? choice : { merged: { price: 350 } };
    await updated.client.conflicts.resolve(conflict as never, answer as never);
    await updated.sync();
    expect(shop.shown("products" as never, "tea")).toMatchObject({ price: choice === "client" ? 300 : 350 });
  });

  test("a conflict that the office settles", async () => {
    const { shop } = await inConflict();
    await using _ = shop;
    shop.upgrade(cents);
    const [conflict] = await shop.office.conflicts();
    expect(conflict).toMatchObject({
      client: { price: 300 },
      server: { data: { price: 400, taxRate: 19 }, schemaVersion: 2 },
    });
    await shop.office.resolve(conflict?.id as string, "client");
    expect(shop.shown("products" as never, "tea")).toMatchObject({ price: 300 });
  });

  test("an edit that the steps can't raise is told, and never written as it is", async () => {
    const failing = {
      ...cents,
      products: defineCollection({
        schema: z.object({ name: z.string(), stock: z.int().default(0) }),
        counters: ["stock"],
        schemaVersion: 2,
        upcast: { 1: ({ price: _, ...data }) => data },
      }),
    };
    const { shop, till } = await open();
    await using _ = shop;
    await of(till).products!.update("tea", { price: 3 });
    shop.upgrade(failing);
    const updated = await update(shop, till, failing);
    await updated.sync();
    expect(updated.operationOn("tea")).toMatchObject({ state: "rejected", error: { code: "schema_too_old" } });
    expect(shop.shown("products" as never, "tea")).toMatchObject({ name: "Tea" });
  });
});

describe("what the server makes of a change is told to the till that made it", () => {
  test("if it raised the change", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    await of(till).sales!.create({ id: "s-1", total: 12 });
    await of(till).products!.update("tea", { price: 3 });
    shop.upgrade(cents);
    const updated = await update(shop, till, cents);
    await updated.sync();
    await updated.sync();
    expect(await of(updated).sales!.get("s-1")).toEqual({ id: "s-1", ...shop.shown("sales" as never, "s-1") });
    expect(await of(updated).products!.get("tea")).toMatchObject({ price: 300, taxRate: 19 });
  });

  test("if its schema trims the change, or fills something in", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    const schema = z.object({ total: z.int(), channel: z.string().trim().default("pos") });
    const tidy = { ...euros, sales: defineCollection({ kind: "fact", schema }) };
    shop.upgrade(tidy);
    await of(till).sales!.create({ id: "s-1", total: 12 });
    await till.sync();
    expect(till.rows("sales").find(({ id }) => id === "s-1")?.data).toEqual({ total: 12, channel: "pos" });
  });
});

describe("an app that was updated while the shop is offline", () => {
  test("reads, finds, edits and sells what it has", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    const updated = await update(shop, till, cents);
    updated.line.up = false;
    const products = of(updated).products!;
    expect(await products.get("tea")).toEqual({ id: "tea", name: "Tea", price: 200, taxRate: 19, stock: 10 });
    expect(await products.find({ index: "taxRate", equals: 19 })).toHaveLength(1);
    await products.update("tea", { name: "Green tea" });
    await products.increment("tea", { stock: -1 });
    expect(await products.get("tea")).toMatchObject({ name: "Green tea", price: 200, stock: 9 });
    shop.upgrade(cents);
    updated.line.up = true;
    await updated.sync();
    await updated.sync();
    expect(shop.shown("products" as never, "tea")).toMatchObject({ name: "Green tea", price: 200, stock: 9 });
  });
});

describe("a till that is older than its server", () => {
  test("sells on with the rows that it has, says that it waits, and has everything once it is updated", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    shop.upgrade(cents);
    const other = await shop.openTill({ collections: cents });
    await of(other).products!.update("tea", { taxRate: 7 });
    await of(other).notes!.create({ id: "n-1", text: "hello" });
    await other.sync();

    const products = of(till).products!;
    await products.increment("tea", { stock: -1 });
    await products.update("tea", { name: "Green tea" });
    await of(till).sales!.create({ id: "s-1", total: 12 });
    await till.sync();
    await till.sync();
    // Not a row of another version, and its own work stays in sight.
    expect(await products.get("tea")).toEqual({ id: "tea", name: "Green tea", price: 2, stock: 9 });
    expect(await of(till).sales!.get("s-1")).toEqual({ id: "s-1", total: 12 });
    expect(await of(till).notes!.get("n-1")).toMatchObject({ text: "hello" });
    expect(till.client.status.waiting).toEqual([
      { collection: "sales", cause: "schema_older" },
      { collection: "products", cause: "schema_older" },
    ]);
    expect(till.client.status.pending.count).toBe(0);
    expect(shop.shown("sales" as never, "s-1")).toEqual({ total: 1_200, channel: "pos" });

    const updated = await update(shop, till, cents);
    await updated.sync();
    expect(await of(updated).products!.get("tea")).toMatchObject({ name: "Green tea", taxRate: 7, stock: 9 });
    expect(updated.client.status.waiting).toEqual([]);
  });

  test("gives up what it had to guess of a row for the true one, also if that has the same version", async () => {
    await using shop = new RuleShop({ collections: cents }) as unknown as RuleShop<never>;
    // It has pulled nothing yet, so the rows that it pulls after its update are of the same resync.
    const till = await shop.openTill({ collections: euros });
    await of(till).sales!.create({ id: "s-1", total: 12 });
    await till.sync();
    expect(await of(till).sales!.get("s-1")).toEqual({ id: "s-1", total: 12 });
    const updated = await update(shop, till, cents);
    await updated.sync();
    expect(await of(updated).sales!.get("s-1")).toEqual({ id: "s-1", total: 1_200, channel: "pos" });
  });

  test("lets a conflict wait that it can't read, and never writes over what it has not seen", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    shop.upgrade(cents);
    const other = await shop.openTill({ collections: cents });
    await of(other).products!.update("tea", { price: 900 });
    await other.sync();
    await of(till).products!.update("tea", { price: 3 });
    await till.sync();
    const [conflict] = await till.client.conflicts.list();
    // Nobody is told that the server has deleted the record, or that the edit has.
    expect(conflict).toMatchObject({ unreadable: true, client: undefined, server: undefined });
    await expect(till.client.conflicts.resolve(conflict as never, "client")).rejects.toMatchObject({
      code: "schema_newer",
    });
    const updated = await update(shop, till, cents);
    const [shown] = await updated.client.conflicts.list();
    expect(shown).toMatchObject({ unreadable: false, client: { price: 300 }, server: { price: 900, taxRate: 19 } });
    await updated.sync();
    await updated.client.conflicts.resolve(shown as never, "client");
    await updated.sync();
    expect(shop.shown("products" as never, "tea")).toMatchObject({ price: 300 });
  });
});

test("a till that is older than its server learns that a record was deleted", async () => {
  const { shop, till } = await open();
  await using _ = shop;
  shop.upgrade(cents);
  const other = await shop.openTill({ collections: cents });
  await (of(other).products as unknown as { delete(id: string): Promise<void> }).delete("tea");
  await other.sync();
  await of(till).products!.update("tea", { price: 3 });
  await till.sync();
  const [conflict] = await till.client.conflicts.list();
  expect(conflict).toMatchObject({ unreadable: false, client: { name: "Tea", price: 3 }, server: undefined });
});

describe("a till whose own step fails on a row of its server", () => {
  const failing = {
    ...cents,
    products: defineCollection({
      schema: z.object({ name: z.string(), price: z.int(), taxRate: z.int(), stock: z.int().default(0) }),
      counters: ["stock"],
      indexes: ["taxRate"],
      conflict: manual(),
      schemaVersion: 2,
      upcast: {
        1: (data) => {
          if (data.price === 4) throw new Error("four");
          return { ...hundredfold("price")(data), taxRate: 19 };
        },
      },
    }),
  };
  // The server is behind, so the till raises what it sends.
  async function behind() {
    const { shop, till } = await open();
    const errors: string[] = [];
    const updated = await update(shop, till, failing);
    updated.client.on("error", ({ message }) => errors.push(message));
    const other = await shop.openTill({ collections: euros });
    await of(other).products!.update("tea", { price: 4 });
    await other.sync();
    return { shop, updated, errors };
  }

  test("hides the row, says why, and has it again with a step that works", async () => {
    const { shop, updated, errors } = await behind();
    await using _ = shop;
    await updated.sync();
    expect(await of(updated).products!.get("tea")).toBeUndefined();
    expect(errors).toEqual([expect.stringMatching(/upcast\[1\].*products.*four/)]);
    const mended = await update(shop, updated, cents);
    expect(await of(mended).products!.get("tea")).toMatchObject({ price: 400, taxRate: 19 });
  });

  test("keeps a conflict about it for an app that can read it", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    await of(till).products!.update("tea", { price: 3 });
    const updated = await update(shop, till, failing);
    const errors: unknown[] = [];
    updated.client.on("error", (error) => errors.push(error));
    const other = await shop.openTill({ collections: euros });
    await of(other).products!.update("tea", { price: 4 });
    await other.sync();
    await updated.sync();
    const [conflict] = await updated.client.conflicts.list();
    expect(conflict).toMatchObject({ unreadable: true, server: undefined, fields: [{ field: "price" }] });
    expect(errors).not.toEqual([]);
    const mended = await update(shop, updated, cents);
    const [shown] = await mended.client.conflicts.list();
    expect(shown).toMatchObject({
      unreadable: false,
      base: { price: 200 },
      client: { price: 300 },
      server: { price: 400 },
    });
    await mended.client.conflicts.resolve(shown as never, "server");
    await mended.sync();
    expect(mended.client.status.attention.conflicts).toBe(0);
  });
});

describe("a till that is newer than its server", () => {
  test("takes the server's rows, lets its own work wait, and says so", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    const updated = await update(shop, till, cents);
    await of(updated).sales!.create({ id: "s-1", total: 1_250 });
    const other = await shop.openTill({ collections: euros });
    await of(other).products!.update("tea", { price: 5 });
    await other.sync();
    await updated.sync();
    expect(await of(updated).products!.get("tea")).toMatchObject({ price: 500, taxRate: 19 });
    expect(updated.client.status.waiting).toContainEqual({ collection: "products", cause: "schema_newer" });
    expect(shop.row("sales" as never, "s-1")).toBeUndefined();
    shop.upgrade(cents);
    await shop.clock.advance(61_000);
    await updated.sync();
    await updated.sync();
    expect(shop.shown("sales" as never, "s-1")).toMatchObject({ total: 1_250 });
    expect(updated.client.status.waiting).toEqual([]);
  });

  test("with a collection more than the server syncs the others, and is over its first sync", async () => {
    await using shop = new RuleShop({ collections: withoutNotes }) as unknown as RuleShop<never>;
    await shop.seed("products" as never, { id: "tea", name: "Tea", price: 2 });
    const till = await shop.openTill({ collections: euros });
    await till.client.firstSync();
    expect(await of(till).products!.get("tea")).toMatchObject({ price: 2 });
    expect(till.client.status.waiting).toEqual([{ collection: "notes", cause: "unknown_collection" }]);
    shop.upgrade(euros);
    await till.sync();
    expect(till.client.status.waiting).toEqual([]);
  });
});

describe("an app that has dropped a collection", () => {
  async function dropped() {
    const { shop, till } = await open();
    await of(till).notes!.create({ id: "n-1", text: "a" });
    await till.sync();
    const other = await shop.openTill();
    await of(other).notes!.update("n-1", { text: "b" });
    await other.sync();
    return { shop, till };
  }

  test("meets a conflict in it once, and keeps it for an app that has the collection", async () => {
    const { shop, till } = await dropped();
    await using _ = shop;
    await of(till).notes!.update("n-1", { text: "c" });
    const without = await update(shop, till, withoutNotes);
    await without.sync();
    await without.sync();
    expect(without.line.pushed.flat()).toHaveLength(1);
    const [conflict] = await without.client.conflicts.list();
    expect(conflict).toMatchObject({ unreadable: true, fields: [{ field: "text", server: "b" }] });
    await expect(without.client.conflicts.resolve(conflict as never, "client")).rejects.toMatchObject({
      code: "unknown_collection",
    });
    const again = await update(shop, without, euros);
    const [kept] = await again.client.conflicts.list();
    expect(kept).toMatchObject({
      unreadable: false,
      base: { text: "a" },
      client: { text: "c" },
      server: { text: "b" },
    });
    await again.sync();
    await again.client.conflicts.resolve(kept as never, "client");
    await again.sync();
    expect(shop.shown("notes" as never, "n-1")).toEqual({ text: "c" });
  });

  test("can keep the server's side of it", async () => {
    const { shop, till } = await dropped();
    await using _ = shop;
    await of(till).notes!.update("n-1", { text: "c" });
    const without = await update(shop, till, withoutNotes);
    await without.sync();
    const [conflict] = await without.client.conflicts.list();
    await without.client.conflicts.resolve(conflict as never, "server");
    await without.sync();
    expect(without.client.status.attention.conflicts).toBe(0);
    expect(shop.shown("notes" as never, "n-1")).toEqual({ text: "b" });
  });

  test.each([
    ["retry", "applied"],
    ["discard", "superseded"],
  ] as const)("has a desk: %s", async (action, state) => {
    const { shop, till } = await open();
    await using _ = shop;
    shop.nextVerdict("notes" as never, "rejected");
    await of(till).notes!.create({ id: "n-1", text: "a" });
    await till.sync();
    const without = await update(shop, till, withoutNotes);
    const { id } = without.operationOn("n-1");
    await expect(without.client.operations.amend({ id } as never, { text: "b" } as never)).rejects.toMatchObject({
      code: "unknown_collection",
    });
    if (action === "retry") await without.client.operations.retry(id);
    else await without.client.operations.discard({ id } as never, { reason: "gone" });
    await without.sync();
    expect(without.client.status.attention.rejected).toBe(0);
    expect(without.operationOn("n-1", action === "retry" ? undefined : "create").state).toBe(
      action === "retry" ? "superseded" : state,
    );
    expect(shop.shown("notes" as never, "n-1")).toEqual(action === "retry" ? { text: "a" } : undefined);
  });
});

describe("what is rolled back", () => {
  test("an app: it pulls again what the newer one has written, and sends the newer one's work as that", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    const updated = await update(shop, till, cents);
    await of(updated).products!.update("tea", { price: 350 });
    await of(updated).sales!.create({ id: "s-1", total: 1_250 });
    const back = await update(shop, updated, euros);
    // Neither the row nor the sale is shown in euros that are cents.
    expect(await of(back).products!.get("tea")).toBeUndefined();
    expect(await of(back).sales!.get("s-1")).toBeUndefined();
    await back.sync();
    expect(await of(back).products!.get("tea")).toMatchObject({ price: 2 });
    expect(back.line.pushed.flat().every(({ schemaVersion }) => schemaVersion === 2)).toBe(true);
    shop.upgrade(cents);
    const again = await update(shop, back, cents);
    await shop.clock.advance(61_000);
    await again.sync();
    await again.sync();
    expect(shop.shown("products" as never, "tea")).toMatchObject({ price: 350 });
    expect(shop.shown("sales" as never, "s-1")).toMatchObject({ total: 1_250 });
    expect(await of(again).products!.get("tea")).toMatchObject({ price: 350 });
  });

  test("a server: it judges nothing by a row that the newer one has written", async () => {
    const { shop, till } = await open();
    await using _ = shop;
    shop.upgrade(cents);
    const updated = await update(shop, till, cents);
    await updated.sync();
    await of(updated).products!.update("tea", { price: 350 });
    await updated.sync();
    shop.upgrade(euros);
    const old = await shop.openTill({ collections: euros });
    const peer = shop.peer();
    await peer.register();
    const [edit] = await peer.push(
      peer.make({ action: "update", collection: "products", entityId: "tea", baseVersion: 0, patch: { name: "x" } }),
    );
    expect(edit).toMatchObject({ status: "retry", error: { code: "schema_newer" } });
    expect(await of(old).products!.get("tea")).toBeUndefined();
    expect(old.client.status.waiting).toContainEqual({ collection: "products", cause: "schema_older" });
    expect(shop.shown("products" as never, "tea")).toMatchObject({ name: "Tea", price: 350 });
  });
});

test("keeping an edit of a record that is gone creates it again, and is never nothing [L1]", async () => {
  const { shop, till } = await open();
  await using _ = shop;
  const other = await shop.openTill();
  shop.nextVerdict("products" as never, "rejected");
  await of(till).products!.update("tea", { price: 3 });
  await till.sync();
  await (of(other).products as unknown as { delete(id: string): Promise<void> }).delete("tea");
  await other.sync();
  await till.sync();
  await till.client.operations.retry(till.operationOn("tea").id);
  await till.sync();
  const [conflict] = await till.client.conflicts.list();
  expect(conflict).toMatchObject({ client: { name: "Tea", price: 3 } });
  await till.client.conflicts.resolve(conflict as never, "client");
  await till.sync();
  expect(shop.shown("products" as never, "tea")).toMatchObject({ name: "Tea", price: 3, stock: 10 });
});
