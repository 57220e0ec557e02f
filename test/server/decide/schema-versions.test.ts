import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { RowState } from "../../../src/protocol/types.ts";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { conflictNow } from "../../../src/server/decide/conflict-now.ts";
import type { ConflictRow } from "../../../src/server/ports/rows.ts";
import { collections } from "../support/shop.ts";
import { edit, product, ServerWorld, sale } from "../support/world.ts";

/** The shop after an update: products have a rate of VAT and a title instead of a name, sales a currency that old ones can't tell. */
const newer = {
  ...collections,
  products: defineCollection({
    schema: z.object({
      title: z.string(),
      priceCents: z.int().default(0),
      vat: z.int(),
      note: z.string().optional(),
      stock: z.int().default(0),
    }),
    counters: ["stock"],
    schemaVersion: 2,
    upcast: { 1: ({ name, ...rest }) => ({ vat: 7, ...rest, ...(name !== undefined && { title: name }) }) },
  }),
  sales: defineCollection({
    kind: "fact",
    schema: z.object({ totalCents: z.int(), orderNumber: z.string().optional() }),
    assigned: ["orderNumber"],
    schemaVersion: 2,
    upcast: {
      1: () => {
        throw new Error("which currency?");
      },
    },
  }),
};

async function updated(patch?: object, after: object = newer) {
  const before = await ServerWorld.open();
  await before.till().send(product("p-1", { name: "Cola", priceCents: 250 }));
  const base = await before.version("products", "p-1");
  if (patch !== undefined) await before.till().send(edit("p-1", base, { ...patch }));
  const world = await ServerWorld.open({}, after as never);
  world.store.restore(before.store.snapshot());
  world.till().sequence = before.till().sequence;
  return Object.assign(world, { base });
}

describe("an operation's data is of its own version [H7]", () => {
  test("stored rows come up to date", async () => {
    const world = await updated();
    expect((await world.till("b").pulled()).pages.get("products")?.changes).toMatchObject([
      { data: { title: "Cola", vat: 7, stock: 0 } },
    ]);
  });
  test("an old till's create is brought up", async () => {
    const world = await updated();
    expect(await world.till("b").send(product("p-2", { name: "Fanta" }))).toMatchObject({
      status: "applied",
      data: { title: "Fanta", vat: 7 },
    });
  });
  test("an old till's edit changes what it names, and no defaults of new fields", async () => {
    const world = await updated();
    const office = world.till("office");
    const current = (patch: object) => ({
      action: "update",
      collection: "products",
      entityId: "p-1",
      baseVersion: 2 ** 52,
      patch,
      schemaVersion: 2,
    });
    await office.send(current({ vat: 19 }));
    const old = {
      action: "update",
      collection: "products",
      entityId: "p-1",
      baseVersion: 2 ** 52,
      patch: { name: "Cola light" },
      schemaVersion: 1,
    };
    expect(await world.till("b").send(old)).toMatchObject({ status: "applied" });
    expect((await world.row("products", "p-1"))?.data).toEqual({ title: "Cola light", priceCents: 250, vat: 19 });
  });
  test("a renamed field keeps its writer: an offline edit of the old one meets its conflict [C5]", async () => {
    const world = await updated({ name: "Cola light" });
    const rename = (name: string) => edit("p-1", world.base, { name });
    expect(await world.till("b").send(rename("Fanta"))).toMatchObject({
      status: "conflict",
      fields: ["title"],
      server: { data: { title: "Cola light" } },
    });
    // So it stays when the row has been written in its new shape; and its own till is in no conflict with itself.
    await world.till("b").send(edit("p-1", world.base, { priceCents: 1 }));
    expect(await world.till("c").send(rename("Sprite"))).toMatchObject({ status: "conflict", fields: ["title"] });
    expect(await world.till().send(rename("Cola zero"))).toMatchObject({ status: "applied" });
  });
  test("the office's choice of that edit is the edit, in the new shape", async () => {
    const world = await updated({ name: "Cola light" });
    const lost = await world.till("b").send(edit("p-1", world.base, { name: "Fanta" }));
    expect(await world.resolve(lost.id, "client")).toMatchObject({ kind: "revised" });
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ title: "Fanta" });
  });
  test("a field that took over from none counts as written with the row's newest", async () => {
    const derived = {
      ...newer,
      products: defineCollection({
        schema: z.object({ name: z.string(), priceCents: z.int(), grossCents: z.int(), stock: z.int().default(0) }),
        counters: ["stock"],
        schemaVersion: 2,
        upcast: { 1: (old) => ({ ...old, grossCents: Number(old.priceCents ?? 0) * 1.07 }) },
      }),
    };
    const world = await updated({ priceCents: 300 }, derived);
    const gross = (base: number) => ({ ...edit("p-1", base, { grossCents: 1 }), schemaVersion: 2 });
    expect((await world.till("b").send(gross(world.base))).status).toBe("conflict");
    expect((await world.till("b").send(gross(await world.version("products", "p-1")))).status).toBe("applied");
  });
  test("what can't be brought up is set aside if it is a fact", async () => {
    const world = await updated();
    expect(await world.till("b").send(sale("s-1"))).toMatchObject({
      status: "quarantined",
      error: { code: "schema_too_old" },
    });
  });
  test("what is newer than the server comes again", async () => {
    const world = await updated();
    const result = await world.till("b").send({ ...sale("s-1"), schemaVersion: 3 });
    expect(result).toMatchObject({ status: "retry", error: { code: "schema_newer" } });
    expect(await world.operation(result.id)).toBeUndefined();
  });
});

describe("a conflict of an older schema, if the step fails on it [H7]", () => {
  const failing = {
    ...newer,
    products: defineCollection({
      schema: z.object({ name: z.string(), priceCents: z.int().default(0), stock: z.int().default(0) }),
      counters: ["stock"],
      schemaVersion: 2,
      upcast: {
        1: () => {
          throw new Error("no step for this");
        },
      },
    }),
  };
  async function inConflict() {
    const before = await ServerWorld.open();
    await before.till().send(product("p-1", { name: "Cola" }));
    const base = await before.version("products", "p-1");
    await before.till().send(edit("p-1", base, { name: "Cola light" }));
    const lost = await before.till("b").send(edit("p-1", base, { name: "Fanta" }));
    expect(lost.status).toBe("conflict");
    const world = await ServerWorld.open({}, failing as never);
    world.store.restore(before.store.snapshot());
    return { world, lost };
  }

  test("is shown as it was found, under the version that it has", async () => {
    const { world } = await inConflict();
    const [row] = await world.conflicts();
    expect(conflictNow(world.catalog, row as ConflictRow & { readonly server: RowState })).toEqual({
      client: row?.client,
      server: row?.server,
    });
    expect(row).toMatchObject({ client: { name: "Fanta" }, server: { data: { name: "Cola light" } } });
  });
  test.each(["client", "merged"] as const)("%s: is refused with the reason, and nothing is written", async (choice) => {
    const { world, lost } = await inConflict();
    const row = await world.row("products", "p-1");
    const data = choice === "merged" ? { name: "Sprite" } : undefined;
    expect(await world.resolve(lost.id, choice, data)).toMatchObject({
      kind: "refused",
      issues: [{ path: "", message: expect.stringContaining("no step for this") }],
    });
    if (choice === "merged")
      expect(world.logged.at(-1)).toMatchObject({
        level: "error",
        fields: { collection: "products", conflict: lost.id },
      });
    expect(await world.row("products", "p-1")).toEqual(row);
    expect(await world.conflicts()).toHaveLength(1);
  });
  test("server: is settled, because nothing is written", async () => {
    const { world, lost } = await inConflict();
    expect(await world.resolve(lost.id, "server")).toMatchObject({
      kind: "revised",
      results: [{ status: "rejected" }],
    });
    expect(await world.conflicts()).toEqual([]);
  });
});
