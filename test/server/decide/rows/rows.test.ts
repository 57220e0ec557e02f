import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineCollection } from "../../../../src/schema/define-collection.ts";
import {
  addSteps,
  checkData,
  fieldVersion,
  foreignFields,
  lifeVersion,
  readableState,
  upToDate,
  without,
} from "../../../../src/server/decide/rows/rows.ts";
import { resolveCatalog } from "../../../../src/server/options.ts";
import type { RecordRow } from "../../../../src/server/ports/rows.ts";
import { servedWith } from "../../support/served.ts";
import { collections, policies } from "../../support/shop.ts";
import { count, edit, product, ServerWorld } from "../../support/world.ts";

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

describe("what a schema of another library refuses", () => {
  const refusing = (issue: object) => {
    const schema = { "~standard": { version: 1, vendor: "own", validate: () => ({ issues: [issue] }) } } as const;
    const shop = { ...collections, sales: defineCollection({ kind: "fact", schema: schema as never }) };
    return resolveCatalog(shop as never, policies() as never).collections.get("sales")!;
  };
  test("is named by its path, whose parts may be objects", () => {
    const path = [{ key: "parts" }, { key: 1 }, "n"];
    expect(checkData(refusing({ message: "no", path }), "s-1", {}, {})).toEqual({
      ok: false,
      issues: [{ path: "parts.1.n", message: "no" }],
    });
  });
  test("has an empty path where it has none", () => {
    expect(checkData(refusing({ message: "no" }), "s-1", {}, {})).toEqual({
      ok: false,
      issues: [{ path: "", message: "no" }],
    });
  });
});

test("a row is stored without those of its counters that came with its data", () => {
  expect(without({ name: "Tea", stock: 3 }, ["stock", "sold"])).toEqual({ name: "Tea" });
});

test("a step of a counter that the schema no longer has is none, though the row still has its sum", () => {
  expect(addSteps(servedWith(["stock"]), { stock: 1, lent: 2 }, { lent: 1 })).toMatchObject({ kind: "malformed" });
});

test("a fault of the server itself is not taken for a row that it can't read", () => {
  const broken: RecordRow = Object.defineProperty({ ...row({}), schemaVersion: 2 }, "version", {
    get: () => {
      throw new Error("broken");
    },
  });
  expect(() => readableState(servedWith([]), broken)).toThrow("broken");
});

describe("a row of an older schema", () => {
  const old = (fields: RecordRow["fields"]) => ({ ...row(fields), data: { name: "Tea", old: "piece" } });

  test("keeps who wrote the fields that stay, and a new one takes over from the one that is gone [C5]", () => {
    const { fields } = upToDate(servedWith([]), old({ id: [10, "a"], name: [11, "a"], old: [12, "b"] }));
    expect(fields).toStrictEqual({ id: [10, "a"], name: [11, "a"], old: [12, "b"], brought: [12, "b"] });
  });
  test("of which nobody is known to have written the field that is gone names nobody for the new one either", () => {
    expect(upToDate(servedWith([]), old({ id: [10, "a"] })).fields).toStrictEqual({ id: [10, "a"] });
  });
  test("that only counts so far has nothing to raise: no step sees it", async () => {
    const before = await ServerWorld.open();
    await before.till().send(count("p-1", 3));
    const products = defineCollection({
      schema: z.object({ name: z.string(), stock: z.int().default(0) }),
      counters: ["stock"],
      schemaVersion: 2,
      upcast: { 1: ({ name }) => ({ name: (name as string).trim() }) },
    });
    const world = await ServerWorld.open({}, { ...collections, products } as never);
    world.store.restore(before.store.snapshot());
    expect(await world.till("b").send({ ...product("p-1", { name: "Tea" }), schemaVersion: 2 })).toMatchObject({
      status: "applied",
      data: { name: "Tea", stock: 3 },
    });
  });
});

describe("a row of a branch that only counts so far", () => {
  const counted = { action: "increment", collection: "shifts", entityId: "h-1", by: { drawer: 5 } };
  const shift = { action: "create", collection: "shifts", entityId: "h-1", data: { branch: "north", cashier: "Ann" } };

  test("is of no branch yet: the policy is not asked about what is not there", async () => {
    const scope = { branch: (record: { branch: string }) => record.branch.toLowerCase() };
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const world = await ServerWorld.open({ shifts: { scope, allow } });
    expect(await world.till().send(counted)).toMatchObject({ status: "applied" });
    expect(await world.row("shifts", "h-1")).toMatchObject({ state: "stub", scope: "" });
  });
  test("leaves no branch when it appears in one: the others hear nothing of it (L9)", async () => {
    const world = await ServerWorld.open();
    await world.till("n", { branch: "north" }).push(counted, shift);
    const { pages } = await world.till("s", { branch: "south" }).pulled(["shifts"]);
    expect(pages.get("shifts")?.changes).toEqual([]);
  });
});

test("what counts on a deleted row does not delete it once more [H4]", async () => {
  const world = await ServerWorld.open();
  const till = world.till();
  await till.push(product("p-1"), { action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 });
  const deleted = await world.row("products", "p-1");
  await till.send(count("p-1", -2));
  expect((await world.row("products", "p-1"))?.fields.id).toEqual(deleted?.fields.id);
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
