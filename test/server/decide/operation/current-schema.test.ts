import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineCollection } from "../../../../src/schema/define-collection.ts";
import { collections } from "../../support/shop.ts";
import { count, edit, product, ServerWorld, type Sketch, sale } from "../../support/world.ts";

/** The shop after an update: a product's name is its title, a sale's order number its receipt. */
const newer = {
  ...collections,
  products: defineCollection({
    schema: z.object({ title: z.string(), priceCents: z.int().default(0), stock: z.int().default(0) }),
    counters: ["stock"],
    schemaVersion: 2,
    upcast: {
      1: ({ name, note, ...rest }) => {
        if (note === "unreadable") throw new Error("no step for this");
        return { ...rest, ...(name !== undefined && { title: name }) };
      },
    },
  }),
  sales: defineCollection({
    kind: "fact",
    schema: z.object({ totalCents: z.int(), receipt: z.string().optional() }),
    assigned: ["receipt"],
    schemaVersion: 2,
    upcast: {
      1: ({ orderNumber, ...rest }) => ({ ...rest, ...(orderNumber !== undefined && { receipt: orderNumber }) }),
    },
  }),
};
const open = () => ServerWorld.open({}, newer as never);
const current = (sketch: Sketch): Sketch => ({ ...sketch, schemaVersion: 2 });

describe("an operation of an older app [H7]", () => {
  test("that counts or deletes has no data to raise, and is told what the row is by now", async () => {
    const world = await open();
    const till = world.till();
    await till.send(current(product("p-1", { title: "Cola" })));
    expect(await till.send(count("p-1", 2))).toMatchObject({
      status: "applied",
      schemaVersion: 2,
      data: { title: "Cola", stock: 2 },
    });
    const remove = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 2 ** 52 };
    expect(await till.send(remove)).toMatchObject({ status: "applied", deleted: true });
  });
  test("that sells is told what its sale is by now, whether it is new or known", async () => {
    const world = await open();
    const [a, b] = [world.till("a"), world.till("b")];
    for (const till of [a, b]) {
      expect(await till.send(sale("s-1"))).toMatchObject({
        status: "applied",
        schemaVersion: 2,
        data: { totalCents: 500 },
      });
    }
    expect(await b.send(current(sale("s-2")))).not.toHaveProperty("data");
  });
  test("that edits is told what the row is by now, though it had the newest version", async () => {
    const world = await open();
    const till = world.till();
    await till.send(current(product("p-1", { title: "Cola" })));
    const base = await world.version("products", "p-1");
    expect(await till.send(edit("p-1", base, { name: "Tea" }))).toMatchObject({
      status: "applied",
      data: { title: "Tea" },
    });
    const newest = await world.version("products", "p-1");
    expect(await till.send(current(edit("p-1", newest, { priceCents: 1 })))).not.toHaveProperty("data");
  });
  test("that is in conflict is on the desk in the shape that the office knows, and so is its answer", async () => {
    const world = await open();
    await world.till("a").send(current(product("p-1", { title: "Cola" })));
    const lost = await world.till("b").send(edit("p-1", 0, { name: "Tea" }));
    expect(lost).toMatchObject({ status: "conflict", fields: ["title"], server: { schemaVersion: 2 } });
    expect(await world.conflicts()).toMatchObject([{ client: { title: "Tea" }, scope: "", device: "b" }]);
    const twice = await world.till("c").send(product("p-1", { name: "Milk" }));
    expect((await world.conflicts()).find(({ id }) => id === twice.id)).toMatchObject({ client: { title: "Milk" } });
  });
  test("that can't be raised is refused with the reason, and nothing is written", async () => {
    const world = await open();
    expect(await world.till().send(product("p-1", { name: "Cola", note: "unreadable" }))).toMatchObject({
      status: "rejected",
      error: { code: "schema_too_old", issues: [{ path: "", message: expect.stringContaining("no step for this") }] },
    });
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
  test("that edits what only counts so far finds no row", async () => {
    const world = await open();
    await world.till().send(count("p-1", 2));
    expect(await world.till().send(edit("p-1", 0, { name: "Tea" }))).toMatchObject({
      status: "rejected",
      error: { code: "not_found" },
    });
  });
});

test("a step that reads other fields of the row finds them, in the version of the edit [H7]", async () => {
  const priced = defineCollection({
    schema: z.object({
      name: z.string(),
      priceCents: z.int(),
      vat: z.int(),
      grossCents: z.number(),
      stock: z.int().default(0),
    }),
    counters: ["stock"],
    schemaVersion: 3,
    upcast: {
      1: (old) => ({ vat: 7, ...old }),
      2: (old) => ({ ...old, grossCents: (Number(old.priceCents) * (100 + Number(old.vat))) / 100 }),
    },
  });
  const before = await ServerWorld.open();
  await before.till().push(product("p-1", { name: "Cola", priceCents: 100 }));
  const world = await ServerWorld.open({}, { ...collections, products: priced } as never);
  world.store.restore(before.store.snapshot());
  const change = edit("p-1", 2 ** 52, { priceCents: 200 });
  expect(await world.till("b").send({ ...change, schemaVersion: 2 })).toMatchObject({
    status: "applied",
    schemaVersion: 3,
    data: { priceCents: 200, vat: 7, grossCents: 214 },
  });
  expect(await world.till("b").send({ ...edit("p-1", 2 ** 52, { vat: 50 }), schemaVersion: 2 })).toMatchObject({
    status: "applied",
    data: { priceCents: 200, vat: 50, grossCents: 300 },
  });
});

describe("what the lost history had assigned [C8.5]", () => {
  async function back(acknowledged: object) {
    const world = await open();
    await world.mint("restored");
    return world.till().send({ ...sale("s-1"), acknowledged: { epoch: "e1", version: 50, ...acknowledged } });
  }
  test("comes back under the name that it has by now", async () => {
    expect(await back({ assigned: { orderNumber: "7" } })).toMatchObject({
      status: "applied",
      assigned: { receipt: "7" },
      data: { receipt: "7", totalCents: 500 },
    });
  });
  test("or as it is, if a server of this version had assigned it", async () => {
    expect(await back({ assigned: { receipt: "8" }, schemaVersion: 2 })).toMatchObject({ assigned: { receipt: "8" } });
  });
  test("or was nothing", async () => {
    expect(await back({})).toMatchObject({ status: "applied" });
    expect(await back({})).not.toHaveProperty("assigned");
  });
});
