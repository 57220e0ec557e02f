import { describe, expect, test } from "vitest";
import { clientWins, mergeFields, serverWins } from "../../../../src/conflict/index.ts";
import { withBadges } from "../../support/shop.ts";
import { count, edit, product, ServerWorld } from "../../support/world.ts";

async function shopWithCola() {
  const world = await ServerWorld.open();
  const a = world.till("till-a");
  const created = await a.send(product("p-1"));
  return { world, a, b: world.till("till-b"), version: created.status === "applied" ? created.version : 0 };
}
const remove = (id: string, baseVersion: number) => ({
  action: "delete",
  collection: "products",
  entityId: id,
  baseVersion,
});

describe("field conflicts [C5]", () => {
  test("two tills that change different fields both win", async () => {
    const { world, a, b, version } = await shopWithCola();
    expect(await a.send(edit("p-1", version, { priceCents: 300 }))).toMatchObject({ status: "applied" });
    expect(await b.send(edit("p-1", version, { name: "Cola light" }))).toMatchObject({
      status: "applied",
      data: { name: "Cola light", priceCents: 300, stock: 0 },
    });
    expect((await world.row("products", "p-1"))?.data).toEqual({ name: "Cola light", priceCents: 300 });
  });
  test("the same field changed by another till is a conflict with the server's row, and opens a desk", async () => {
    const { world, a, b, version } = await shopWithCola();
    await a.send(edit("p-1", version, { priceCents: 300 }));
    const result = await b.send(edit("p-1", version, { priceCents: 275, name: "Cola light" }));
    expect(result).toMatchObject({
      status: "conflict",
      fields: ["priceCents"],
      server: { data: { priceCents: 300, name: "Cola" } },
    });
    expect(await world.conflicts()).toMatchObject([
      { operationId: result.id, device: "till-b", client: { priceCents: 275 } },
    ]);
    expect((await world.row("products", "p-1"))?.data).toEqual({ name: "Cola", priceCents: 300 });
  });
  test("a field that another till has removed meanwhile is a conflict for a till that sets it", async () => {
    const { world, a, b } = await shopWithCola();
    await a.send(product("p-2", { name: "Cola", note: "cold" }));
    const baseVersion = await world.version("products", "p-2");
    await a.send(edit("p-2", baseVersion, {}, { unset: ["note"] }));
    expect(await b.send(edit("p-2", baseVersion, { note: "warm" }))).toMatchObject({
      status: "conflict",
      fields: ["note"],
    });
  });
  test("a till is never in conflict with itself, whatever its base was", async () => {
    const { a, version } = await shopWithCola();
    await a.send(edit("p-1", version, { priceCents: 300 }));
    expect(await a.send(edit("p-1", version, { priceCents: 310 }))).toMatchObject({ status: "applied" });
  });
  test("a field that the creation did not have counts as old as the row: its creator may set it at once", async () => {
    const world = await ServerWorld.open();
    const a = world.till("till-a");
    const results = await a.push(product("p-2"), edit("p-2", 0, { note: "cold" }));
    expect(results.map(({ status }) => status)).toEqual(["applied", "applied"]);
    expect(await world.till("till-b").send(edit("p-2", 0, { note: "warm" }))).toMatchObject({ status: "conflict" });
  });
  test("an edit of one field passes under a foreign increment", async () => {
    const { a, b, version } = await shopWithCola();
    await b.send(count("p-1", -2));
    expect(await a.send(edit("p-1", version, { priceCents: 300 }))).toMatchObject({
      status: "applied",
      data: { stock: -2 },
    });
  });
  test("data comes only where the till could not tell what the row is [C4]", async () => {
    const { a, version } = await shopWithCola();
    const first = await a.send(edit("p-1", version, { priceCents: 300 }));
    expect(first).not.toHaveProperty("data");
    expect(first).not.toHaveProperty("deleted");
    expect(await a.send(edit("p-1", version, { priceCents: 310 }))).toHaveProperty("data");
    const trimmed = await a.send(
      edit("p-1", (await a.world.row("products", "p-1"))?.version ?? 0, { name: "  Cola  " }),
    );
    expect(trimmed).toMatchObject({ data: { name: "Cola" } });
  });
  test("unset removes a member, null is a value [M10]", async () => {
    const { world, a, version } = await shopWithCola();
    await a.send(edit("p-1", version, { note: "x" }));
    expect(await a.send(edit("p-1", version, {}, { unset: ["note"] }))).toMatchObject({ status: "applied" });
    expect((await world.row("products", "p-1"))?.data).not.toHaveProperty("note");
    expect(await a.send(edit("p-1", version, {}, { unset: ["name"] }))).toMatchObject({
      status: "rejected",
      error: { code: "validation_failed" },
    });
  });
});

describe("edits of rows that are not there", () => {
  test("an update of an unknown row is not found", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send(edit("nope", 0, { name: "x" }))).toMatchObject({
      status: "rejected",
      error: { code: "not_found" },
    });
  });
  test("after a restore it is blocked instead: another till may bring the row [C8.6]", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    expect(await world.till().send(edit("nope", 5, { name: "x" }))).toMatchObject({
      status: "blocked",
      missing: true,
      by: [],
    });
    const base = (await world.clock())?.epochStart ?? 0;
    expect(await world.till().send(edit("nope", base + 1, { name: "x" }))).toMatchObject({ status: "rejected" });
  });
  test("after a restore too it is refused where its author has never had the row from the server: nobody else can bring it", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    expect(await world.till().send(edit("nope", 0, { name: "x" }))).toMatchObject({
      status: "rejected",
      error: { code: "not_found" },
    });
  });
  test("an update of a deleted row is a conflict that says so", async () => {
    const { a, b, version } = await shopWithCola();
    await a.send(remove("p-1", version));
    expect(await b.send(edit("p-1", version, { name: "x" }, { unset: ["note"] }))).toMatchObject({
      status: "conflict",
      fields: ["name", "note"],
      server: { deleted: true },
    });
  });
  test("in an epoch without a restore before it an unknown row is not waited for", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send(edit("nope", 5, { name: "x" }))).toMatchObject({
      status: "rejected",
      error: { code: "not_found" },
    });
  });
  test("what only counts so far is no row: it can't be edited, and deleting it is done and keeps the sum", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(count("p-9", 3));
    expect(await till.send(edit("p-9", 0, { name: "x", priceCents: 1 }))).toMatchObject({
      status: "rejected",
      error: { code: "not_found" },
    });
    expect(await till.send(remove("p-9", 0))).toMatchObject({ status: "applied", version: 0, deleted: true });
    expect(await world.row("products", "p-9")).toMatchObject({ state: "stub", counters: { stock: 3 } });
  });
  test("deleting what is gone, or was never there, is done", async () => {
    const { a, b, version } = await shopWithCola();
    await a.send(remove("p-1", version));
    expect(await b.send(remove("p-1", version))).toMatchObject({ status: "applied", deleted: true });
    expect(await b.send(remove("nope", 0))).toMatchObject({ status: "applied", version: 0, deleted: true });
  });
});

describe("deleting [H4]", () => {
  test("a product that sells can be deleted: increments stand against nothing", async () => {
    const { world, a, b, version } = await shopWithCola();
    await b.send(count("p-1", -1));
    expect(await a.send(remove("p-1", version))).toMatchObject({ status: "applied", deleted: true });
    expect((await world.row("products", "p-1"))?.state).toBe("deleted");
  });
  test("a field that another till has written since is a conflict", async () => {
    const { a, b, version } = await shopWithCola();
    await b.send(edit("p-1", version, { name: "Cola light" }));
    expect(await a.send(remove("p-1", version))).toMatchObject({ status: "conflict", fields: ["name"] });
  });
  test("a row that another till has deleted and created again is a conflict over its fields", async () => {
    const { a, b, version } = await shopWithCola();
    await b.push(remove("p-1", version), product("p-1", { name: "Fanta", priceCents: 1 }));
    const result = await a.send(remove("p-1", version));
    expect(result).toMatchObject({ status: "conflict" });
    expect("fields" in result && [...result.fields].sort()).toEqual(["name", "priceCents"]);
  });
  test("the fields of a deleted row keep the versions that they had", async () => {
    const { world, a, version } = await shopWithCola();
    const before = await world.row("products", "p-1");
    const result = await a.send(remove("p-1", version));
    expect(result).not.toHaveProperty("flags");
    const { id: _life, ...fields } = (await world.row("products", "p-1"))?.fields ?? {};
    const { id: _creation, ...fieldsBefore } = before?.fields ?? {};
    expect(fields).toEqual(fieldsBefore);
  });
  test("it takes the right to delete; over another's edit, the right to force too, and is flagged [M4]", async () => {
    const allow = {
      read: "everyone",
      create: "everyone",
      update: "everyone",
      delete: "purge",
      force: "force",
    } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
    const [a, b] = [world.till("a", { scopes: ["purge"] }), world.till("b", { scopes: ["purge", "force"] })];
    await a.push(product("p-1"), product("p-2"));
    await world.till("c").send(edit("p-1", await world.version("products", "p-1"), { priceCents: 1 }));
    const refused = { status: "rejected", error: { code: "not_permitted" } };
    expect(await world.till("c").send(remove("p-2", 2 ** 52))).toMatchObject(refused);
    expect(await world.till("d", { scopes: ["force"] }).send({ ...remove("p-2", 0), force: true })).toMatchObject(
      refused,
    );
    expect(await a.send({ ...remove("p-1", 0), force: true })).toMatchObject(refused);
    expect((await world.row("products", "p-1"))?.state).toBe("live");
    expect(await b.send(remove("p-1", 0))).toMatchObject({ status: "conflict" });
    const forced = await b.send({ ...remove("p-1", 0), force: true });
    expect(forced).toMatchObject({ status: "applied", deleted: true });
    expect("flags" in forced && forced.flags).toEqual([{ code: "forced" }]);
    const unforced = await a.send(remove("p-2", await world.version("products", "p-2")));
    expect(unforced).toMatchObject({ status: "applied" });
    expect(unforced).not.toHaveProperty("flags");
  });
  test("in a collection of branches a row that is not there is answered as one that is elsewhere [C10]", async () => {
    const world = await ServerWorld.open();
    const till = world.till("s", { branch: "south" });
    const shift = { collection: "shifts", entityId: "h-1" };
    const away = { ...shift, action: "delete", baseVersion: 2 ** 52 };
    expect(await till.send(away)).toMatchObject({ status: "rejected", error: { code: "out_of_scope" } });
    await till.send({ ...shift, action: "increment", by: { drawer: 1 } });
    expect(await till.send(away)).toMatchObject({ status: "rejected", error: { code: "out_of_scope" } });
    await till.send({ ...shift, action: "create", data: { branch: "south", cashier: "Ann" } });
    const here = { ...away, baseVersion: await world.version("shifts", "h-1") };
    expect(await till.send(here)).toMatchObject({ status: "applied", deleted: true });
  });
  test("creating it again goes on with the version and keeps the counters", async () => {
    const { world, a, version } = await shopWithCola();
    await a.send(count("p-1", 7));
    await a.send(remove("p-1", version));
    const again = await a.send(product("p-1", { name: "Fanta" }));
    expect(again).toMatchObject({ status: "applied", data: { name: "Fanta", stock: 7 } });
    expect(again.status === "applied" && again.version > version).toBe(true);
    expect((await world.row("products", "p-1"))?.createdVersion).toBe((again as { version: number }).version);
  });
});

describe("creating what is there", () => {
  test("equal data is applied, whatever the counters are by now", async () => {
    const { b, a } = await shopWithCola();
    await a.send(count("p-1", 3));
    expect(await b.send(product("p-1"))).toMatchObject({ status: "applied" });
  });
  test("what only the server filled in makes it no other data [H5]", async () => {
    const decide = () => ({ outcome: "applied", assigned: { badge: "gold" } }) as const;
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const world = await ServerWorld.open(
      { customers: { scope: "tenant", allow, decide: decide as never } },
      withBadges as never,
    );
    const ann = { action: "create", collection: "customers", entityId: "c-1", data: { name: "Ann" } };
    expect(await world.till("a").send(ann)).toMatchObject({ status: "applied", assigned: { badge: "gold" } });
    expect(await world.till("b").send(ann)).toMatchObject({ status: "applied", data: { badge: "gold" } });
  });
  test("other data is a conflict over the fields that differ", async () => {
    const { b } = await shopWithCola();
    expect(await b.send(product("p-1", { name: "Cola", priceCents: 1 }))).toMatchObject({
      status: "conflict",
      fields: ["priceCents"],
    });
  });
});

describe("what a till may not set", () => {
  test("what the schema refuses: the refusal says what, and nothing is written", async () => {
    const { world, a, version } = await shopWithCola();
    expect(await a.send(product("p-2", { name: "" }))).toMatchObject({
      status: "rejected",
      error: { code: "validation_failed", issues: [{ path: "name" }] },
    });
    expect(await world.row("products", "p-2")).toBeUndefined();
    expect(await a.send(edit("p-1", version, { priceCents: -1 }))).toMatchObject({
      status: "rejected",
      error: { code: "validation_failed", issues: [{ path: "priceCents" }] },
    });
    expect(await world.version("products", "p-1")).toBe(version);
  });
  test.each([
    ["a counter by create", product("p-9", { name: "x", stock: 4 })],
    ["a counter by update", edit("p-1", 0, { stock: 4 })],
    ["an id", edit("p-1", 0, { id: "other" })],
  ])("%s is malformed", async (_what, sketch) => {
    const { a } = await shopWithCola();
    expect(await a.send(sketch)).toMatchObject({ status: "rejected", error: { code: "malformed" } });
  });
  test("force takes the policy's scope, and is flagged [M4]", async () => {
    const world = await ServerWorld.open({
      products: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone", update: "everyone", delete: "everyone", force: "catalog:force" },
      },
    });
    const a = world.till("a");
    const b = world.till("b", { scopes: ["catalog:force"] });
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 1 }));
    expect(await a.send(edit("p-1", 0, { priceCents: 2 }, { force: true }))).toMatchObject({
      error: { code: "not_permitted" },
    });
    expect(await b.send(edit("p-1", 0, { priceCents: 2 }, { force: true }))).toMatchObject({
      status: "applied",
      flags: [{ code: "forced" }],
    });
    expect(await b.send(edit("p-1", 2 ** 52, { priceCents: 3 }))).not.toHaveProperty("flags");
  });
});

describe("a policy that settles conflicts", () => {
  const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
  test("the server's side: applied, nothing written, the losing edit settled on the desk (L1)", async () => {
    const world = await ServerWorld.open({ products: { scope: "tenant", allow, conflict: serverWins() } });
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    expect(await b.send(edit("p-1", 0, { priceCents: 1 }))).toMatchObject({
      status: "applied",
      data: { priceCents: 300 },
    });
    expect(await world.conflicts(true)).toMatchObject([
      { settled: { choice: "server", by: "policy" }, client: { priceCents: 1 } },
    ]);
  });
  test("the client's side is written", async () => {
    const world = await ServerWorld.open({ products: { scope: "tenant", allow, conflict: clientWins() } });
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    expect(await b.send(edit("p-1", 0, { priceCents: 1 }))).toMatchObject({
      status: "applied",
      data: { priceCents: 1 },
    });
  });
  test("a merge keeps what only the client changed", async () => {
    const world = await ServerWorld.open({
      products: {
        scope: "tenant",
        allow,
        conflict: mergeFields<{ priceCents: number }>({
          priceCents: ({ client, server }) => Math.max(client, server),
        }) as never,
      },
    });
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    expect(await b.send(edit("p-1", 0, { priceCents: 1, note: "mine" }))).toMatchObject({
      status: "applied",
      data: { priceCents: 300 },
    });
    // `note` was never written by anybody but has the age of the row: it is in conflict too, and the server had none.
    expect(
      await b.send(edit("p-1", (await world.row("products", "p-1"))?.version ?? 0, { note: "mine" })),
    ).toMatchObject({ status: "applied" });
  });
  test("a resolver that throws leaves it to people", async () => {
    const world = await ServerWorld.open({
      products: {
        scope: "tenant",
        allow,
        conflict: () => {
          throw new Error("no");
        },
      },
    });
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    expect(await b.send(edit("p-1", 0, { priceCents: 1 }))).toMatchObject({ status: "conflict" });
  });
});
