import { describe, expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../../../../src/protocol/constants.ts";
import { defineCollection } from "../../../../src/schema/define-collection.ts";
import { collections } from "../../support/shop.ts";
import { count, edit, product, ServerWorld, sale, uuid } from "../../support/world.ts";

const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
const remove = (id: string) => ({ action: "delete", collection: "products", entityId: id, baseVersion: 0 });

describe("what is no operation of this server", () => {
  test("an operation of the greatest size is applied; one byte more is refused, or set aside if it is a sale", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const sized = (id: string, bytes: number) => {
      const empty = till.mint(product(id, { name: "x", note: "" }));
      const note = "x".repeat(bytes - JSON.stringify(empty).length);
      return { ...empty, data: { name: "x", note } } as typeof empty;
    };
    expect(await till.send(sized("p-1", LIMITS.operationBytes))).toMatchObject({ status: "applied" });
    expect(await till.send(sized("p-2", LIMITS.operationBytes + 1))).toMatchObject({
      status: "rejected",
      error: { code: "too_large" },
    });
    expect(await world.row("products", "p-2")).toBeUndefined();
  });
  test("a malformed edit is refused with what is wrong where", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send({ ...product("p-1"), data: 5 })).toMatchObject({
      status: "rejected",
      error: { code: "malformed", issues: [{ path: "data" }] },
    });
  });
  test("of an unknown collection: a create may be a sale and is set aside, an edit is refused", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    expect(await till.send({ ...product("p-1"), collection: "coupons" })).toMatchObject({
      status: "quarantined",
      error: { code: "unknown_collection" },
    });
    expect(await till.send({ ...edit("p-1", 0, { name: "x" }), collection: "coupons" })).toMatchObject({
      status: "rejected",
      error: { code: "unknown_collection" },
    });
    expect(await till.send({ ...count("p-1", 1), collection: "coupons" })).toMatchObject({ status: "quarantined" });
  });
  test("an increment of a fact is set aside", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send({ ...count("s-1", 1), collection: "sales" })).toMatchObject({
      status: "quarantined",
      error: { code: "malformed" },
    });
  });
});

describe("what the application's code or a newer server has broken", () => {
  test("a policy that throws: an edit comes again, and the operator reads which operation met it", async () => {
    const decide = () => {
      throw new Error("bug 7");
    };
    const world = await ServerWorld.open({ products: { scope: "tenant", allow, decide } });
    const sent = await world.till().send(product("p-1"));
    expect(sent).toMatchObject({ status: "retry", error: { code: "policy_failed" }, afterMs: 60_000 });
    expect(world.logged).toContainEqual({
      level: "error",
      message: expect.stringContaining("bug 7"),
      fields: { collection: "products", member: "decide", operation: sent.id },
    });
  });
  test("a row of a newer server: the edit comes again once the server is updated [H7]", async () => {
    const newer = {
      ...collections,
      products: defineCollection({
        schema: z.object({ name: z.string(), priceCents: z.int().default(0), stock: z.int().default(0) }),
        counters: ["stock"],
        schemaVersion: 2,
        upcast: { 1: (old) => old },
      }),
    };
    const after = await ServerWorld.open({}, newer as never);
    await after.till().send({ ...product("p-1"), schemaVersion: 2 });
    const world = await ServerWorld.open();
    world.store.restore(after.store.snapshot());
    const before = await world.row("products", "p-1");
    const till = world.till("b");
    for (const sketch of [edit("p-1", 0, { name: "x" }), count("p-1", 1), remove("p-1")]) {
      const sent = await till.send(sketch);
      expect(sent).toMatchObject({ status: "retry", error: { code: "schema_newer" }, afterMs: 300_000 });
      expect(world.logged.at(-1)).toMatchObject({
        level: "error",
        message: expect.stringContaining("`p-1`"),
        fields: { collection: "products", operation: sent.id },
      });
    }
    expect(await world.row("products", "p-1")).toEqual(before);
  });
  test("a schema that is asynchronous: nothing of its collection is judged, and the operator reads which", async () => {
    const slow = {
      ...collections,
      products: defineCollection({
        schema: z.object({ name: z.string().refine(async () => true), stock: z.int().default(0) }),
        counters: ["stock"],
      }),
    };
    const world = await ServerWorld.open({}, slow as never);
    const till = world.till();
    expect(await till.send(product("p-1", { name: "x" }))).toMatchObject({
      status: "retry",
      error: { code: "internal" },
    });
    expect(world.logged.at(-1)).toMatchObject({ level: "error", fields: { collection: "products" } });
    expect(await till.send(sale("s-1"))).toMatchObject({ status: "applied" });
  });
});

describe("the branch that an operation names", () => {
  test("is no obstacle if it is the token's", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    expect(await till.send(sale("s-1", { totalCents: 5 }, { branch: "north" }))).toMatchObject({ status: "applied" });
    expect(await till.send(sale("s-2"))).toMatchObject({ status: "applied" });
  });
  test("is none of a token of the whole shop", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send(sale("s-1", { totalCents: 5 }, { branch: "north" }))).toMatchObject({
      status: "quarantined",
      error: { code: "branch_mismatch" },
    });
  });
});

describe("what a person releases", () => {
  test("waits for nothing any more", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    const sent = await till.send(sale("s-1", { totalCents: 5 }, { branch: "south", after: [uuid(888_888)] }));
    expect(sent).toMatchObject({ status: "quarantined" });
    expect(await world.release(sent.id)).toMatchObject({ kind: "revised", results: [{ status: "applied" }] });
  });
  test("needs no right of its till for a sale; an edit without its right never gets into quarantine", async () => {
    const world = await ServerWorld.open({
      sales: { scope: "tenant", allow: { read: "everyone", create: "sell" } },
      products: { scope: "tenant", allow: { ...allow, create: "catalog" } },
    });
    const till = world.till("a", { branch: "north" });
    const sold = await till.send(sale("s-1"));
    const made = await till.send({ ...product("p-1"), branch: "south" });
    expect([sold.status, made]).toMatchObject([
      "quarantined",
      { status: "rejected", error: { code: "not_permitted" } },
    ]);
    expect(await world.release(sold.id)).toMatchObject({ kind: "revised", results: [{ status: "applied" }] });
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
});

test("a void of an edit needs no right to create: it writes nothing", async () => {
  const world = await ServerWorld.open({
    products: { scope: "tenant", allow: { ...allow, create: "nobody" } },
  });
  const till = world.till();
  const refused = await till.send(product("p-1"));
  expect(refused).toMatchObject({ status: "rejected", error: { code: "not_permitted" } });
  const undo = { action: "void", collection: "products", entityId: "p-1", supersedes: [refused.id] };
  expect(await till.send(undo)).toMatchObject({ status: "applied", version: 0 });
});
