import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineCollection } from "../../../../src/schema/define-collection.ts";
import { fieldVersion, foreignFields, lifeVersion } from "../../../../src/server/decide/rows/rows.ts";
import type { RecordRow } from "../../../../src/server/ports/rows.ts";
import { collections } from "../../support/shop.ts";
import { edit, product, ServerWorld } from "../../support/world.ts";

const row = (fields: RecordRow["fields"]): RecordRow => ({
  collection: "products",
  id: "p-1",
  version: 15,
  createdVersion: 10,
  state: "live",
  data: { name: "Cola" },
  counters: {},
  fields,
  scope: "",
  schemaVersion: 1,
});

describe("the versions of a row's fields [C5]", () => {
  const known = row({ id: [11, "a"], name: [12, "b"] });

  test("are their own, otherwise that of the row's life, otherwise that of its creation, which nobody owns", () => {
    expect(fieldVersion(known, "name")).toEqual([12, "b"]);
    expect(fieldVersion(known, "note")).toEqual([11, "a"]);
    expect(fieldVersion(row({}), "note")).toEqual([10, ""]);
    expect([lifeVersion(known), lifeVersion(row({}))]).toEqual([11, 10]);
  });
  test("are not taken from what every object inherits", () => {
    expect(fieldVersion(known, "constructor")).toEqual([11, "a"]);
  });
  test("are foreign if another store wrote them after the base", () => {
    expect(foreignFields(known, 10, "a")).toEqual(["name"]);
    expect(foreignFields(known, 10, "b")).toEqual(["id"]);
    expect(foreignFields(known, 12, "c")).toEqual([]);
    expect(foreignFields(known, 11, "c")).toEqual(["name"]);
  });
});

describe("what the schema refuses", () => {
  const list = {
    ...collections,
    products: defineCollection({
      schema: z.object({ name: z.string(), parts: z.array(z.object({ n: z.int() })), stock: z.int().default(0) }),
      counters: ["stock"],
    }),
  };
  test("is named by its path, and at most twenty issues are sent", async () => {
    const world = await ServerWorld.open({}, list as never);
    const parts = Array.from({ length: 30 }, () => ({ n: "x" }));
    const sent = await world.till().send(product("p-1", { name: "Kit", parts }));
    const issues = "error" in sent && "issues" in sent.error ? (sent.error.issues ?? []) : [];
    expect(issues).toHaveLength(20);
    expect(issues[1]).toEqual({ path: "parts.1.n", message: expect.any(String) });
  });
  test("as a whole has an empty path", async () => {
    const whole = {
      ...collections,
      products: defineCollection({
        schema: z
          .object({ name: z.string(), stock: z.int().default(0) })
          .refine(({ name }) => name !== "no", { message: "Not this one" }),
        counters: ["stock"],
      }),
    };
    const world = await ServerWorld.open({}, whole as never);
    expect(await world.till().send(product("p-1", { name: "no" }))).toMatchObject({
      error: { issues: [{ path: "", message: "Not this one" }] },
    });
  });
});

describe("a field that an upcast adds [C5]", () => {
  const shift = { action: "create", collection: "shifts", entityId: "h-1", data: { branch: "north", cashier: "Ann" } };
  const shiftEdit = (patch: object, baseVersion: number, schemaVersion = 1) => ({
    ...{ action: "update", collection: "shifts", entityId: "h-1", schemaVersion },
    ...{ baseVersion, patch },
  });
  /** The cashier is split into a first and a last name. */
  const newer = {
    ...collections,
    shifts: defineCollection({
      schema: z.object({ branch: z.string(), first: z.string(), last: z.string(), drawer: z.int().default(0) }),
      counters: ["drawer"],
      schemaVersion: 2,
      upcast: {
        1: ({ cashier, ...rest }) => ({ ...rest, ...(cashier !== undefined && { first: cashier, last: "" }) }),
      },
    }),
  };
  test("takes over who wrote the one that is gone, and when; the others keep theirs", async () => {
    const before = await ServerWorld.open();
    await before.till("a").send(shift);
    const base = await before.version("shifts", "h-1");
    await before.till("b").send(shiftEdit({ cashier: "Bob" }, base));
    await before.till("d").send(shiftEdit({ branch: "west" }, base));
    const stored = await before.row("shifts", "h-1");
    const world = await ServerWorld.open({}, newer as never);
    world.store.restore(before.store.snapshot());
    expect(await world.till("c").send(shiftEdit({ last: "Lee" }, base, 2))).toMatchObject({
      status: "conflict",
      fields: ["last"],
    });
    expect(await world.till("c").send(shiftEdit({ branch: "south" }, 2 ** 52, 2))).toMatchObject({ status: "applied" });
    const row = await world.row("shifts", "h-1");
    expect(row).toMatchObject({ schemaVersion: 2, data: { first: "Bob", last: "" } });
    expect(row?.fields).toMatchObject({ first: stored?.fields.cashier, last: stored?.fields.cashier });
    expect(row?.fields.id).toEqual(stored?.fields.id);
  });
});

test("a row that leaves a branch and returns is told to that branch once, as it is last", async () => {
  const world = await ServerWorld.open();
  const north = world.till("n", { branch: "north" });
  await north.send({
    action: "create",
    collection: "shifts",
    entityId: "h-1",
    data: { branch: "north", cashier: "Ann" },
  });
  await north.pulled(["shifts"]);
  const move = (branch: string) => ({ ...edit("h-1", 2 ** 52, { branch }), collection: "shifts" });
  await world.till("o").push(move("south"), move("west"), move("north"));
  const { changes } = (await north.pulled(["shifts"])).pages.get("shifts")!;
  expect(changes).toMatchObject([{ id: "h-1", data: { branch: "north" } }]);
  const south = await world.till("s", { branch: "south" }).pulled(["shifts"]);
  expect(south.pages.get("shifts")?.changes).toEqual([
    { id: "h-1", version: expect.any(Number), deleted: true, reason: "scope" },
  ]);
});

test("a deleted row stays its branch's: no other hears of it (L9)", async () => {
  const world = await ServerWorld.open();
  const north = world.till("n", { branch: "north" });
  const shift = { collection: "shifts", entityId: "h-1" };
  await north.send({ ...shift, action: "create", data: { branch: "north", cashier: "Ann" } });
  await north.send({ ...shift, action: "delete", baseVersion: 2 ** 52 });
  expect(await world.row("shifts", "h-1")).toMatchObject({ state: "deleted", scope: "north" });
  const { pages } = await world.till("s", { branch: "south" }).pulled(["shifts"]);
  expect(pages.get("shifts")?.changes).toEqual([]);
});

test("a row that the application's step fails on: the edit comes again, and the log says where", async () => {
  const before = await ServerWorld.open();
  await before.till().send(product("p-1"));
  const products = defineCollection({
    schema: z.object({ name: z.string(), stock: z.int().default(0) }),
    counters: ["stock"],
    schemaVersion: 2,
    upcast: {
      1: () => {
        throw new Error("no step for this");
      },
    },
  });
  const world = await ServerWorld.open({}, { ...collections, products } as never);
  world.store.restore(before.store.snapshot());
  const sent = await world.till("b").send({ ...edit("p-1", 2 ** 52, { name: "x" }), schemaVersion: 2 });
  expect(sent).toMatchObject({ status: "retry", error: { code: "policy_failed" } });
  expect(world.logged.at(-1)).toMatchObject({ level: "error", fields: { collection: "products", member: "upcast" } });
});
