import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { resolveConflict } from "../../../src/server/decide/resolve-conflict.ts";
import { collections, withBadges } from "../support/shop.ts";
import { count, edit, product, quarrel, ServerWorld } from "../support/world.ts";

const shift = (id: string, branch: string, cashier: string) => ({
  action: "create",
  collection: "shifts",
  entityId: id,
  data: { branch, cashier },
});

describe("conflicts at the back office", () => {
  const remove = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 2 ** 52 };

  test("of a deletion: the client's side deletes the row, and keeps what it had", async () => {
    const world = await ServerWorld.open();
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }), count("p-1", 2));
    const lost = await b.send({ ...remove, baseVersion: 1 });
    expect(lost).toMatchObject({ status: "conflict" });
    const before = await world.row("products", "p-1");
    expect(await world.resolve(lost.id, "client")).toMatchObject({
      kind: "revised",
      touched: [
        { collection: "products", scope: "" },
        { collection: "products", scope: "" },
      ],
    });
    const after = await world.row("products", "p-1");
    expect(after).toMatchObject({ state: "deleted", data: before?.data, counters: { stock: 2 } });
    expect(after?.fields).toEqual({ ...before?.fields, id: [after?.version, "office"] });
  });
  test("of a deletion of what is deleted by now: nothing is written", async () => {
    const world = await ServerWorld.open();
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    const lost = await b.send({ ...remove, baseVersion: 1 });
    const { version } = (await world.row("products", "p-1"))!;
    await a.send({ ...remove, baseVersion: version });
    const before = await world.row("products", "p-1");
    expect(await world.resolve(lost.id, "client")).toEqual({ kind: "conflict_moved" });
    expect(await world.row("products", "p-1")).toEqual(before);
  });
  test("of an edit of a deleted row: the client's side revives it, as a new life", async () => {
    const world = await ServerWorld.open();
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1", { name: "Cola", note: "cold" }), count("p-1", 2));
    await a.send(remove);
    const lost = await b.send(edit("p-1", 1, { name: "Tea" }, { unset: ["note"] }));
    expect(lost).toMatchObject({ status: "conflict" });
    expect(await world.resolve(lost.id, "client")).toMatchObject({ kind: "revised" });
    const row = await world.row("products", "p-1");
    expect(row).toMatchObject({ state: "live", counters: { stock: 2 }, createdVersion: row?.version });
    expect(row?.data).toEqual({ name: "Tea", priceCents: 0 });
    expect(row?.fields).toEqual({
      id: [row?.version, "office"],
      name: [row?.version, "office"],
      priceCents: [row?.version, "office"],
    });
  });
  test("of a create: the client's side sets what it had, and stamps that as the office's", async () => {
    const world = await ServerWorld.open();
    await world.till("a").send(product("p-1", { name: "Cola", note: "cold" }));
    const before = await world.row("products", "p-1");
    const lost = await world.till("b").send(product("p-1", { name: "Tea" }));
    expect(await world.resolve(lost.id, "client")).toMatchObject({ kind: "revised" });
    const row = await world.row("products", "p-1");
    expect(row).toMatchObject({ data: { name: "Tea", note: "cold" }, createdVersion: before?.createdVersion });
    expect(row?.fields).toMatchObject({ name: [row?.version, "office"], note: before?.fields.note });
    // A till that has not seen the office's edit is in conflict with it.
    expect(await world.till("b").send(edit("p-1", before?.version ?? 0, { name: "Milk" }))).toMatchObject({
      status: "conflict",
    });
  });
  test("a row that was written since the desk showed it is not written over [C5]; counters do not count [H4]", async () => {
    const { world, a, lost } = await quarrel();
    await a.send(count("p-1", -3));
    const seen = await world.version("products", "p-1");
    await a.send(edit("p-1", seen, { note: "x" }));
    for (const choice of ["client", "merged"] as const) {
      expect(await world.resolve(lost.id, choice, undefined)).toEqual({ kind: "conflict_moved" });
    }
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ priceCents: 300 });
    expect(await world.conflicts()).toHaveLength(1);
    // The server's side may be kept unseen: nothing is written then.
    expect(await world.resolve(lost.id, "server")).toMatchObject({ kind: "revised" });
  });
  test("a step of a counter since the desk showed the row is no obstacle", async () => {
    const { world, a, lost } = await quarrel();
    await a.send(count("p-1", -3));
    expect(await world.resolve(lost.id, "client")).toMatchObject({ kind: "revised" });
    expect(await world.row("products", "p-1")).toMatchObject({ data: { priceCents: 1 }, counters: { stock: -3 } });
  });
  test("a merge that names an id, a counter or what only the server fills in is refused with its name", async () => {
    const { world, lost } = await quarrel();
    for (const data of [{ id: "p-2" }, { stock: 1 }] as Record<string, string | number>[]) {
      expect(await world.resolve(lost.id, "merged", data)).toEqual({
        kind: "refused",
        issues: [{ path: Object.keys(data)[0], message: expect.any(String) }],
      });
    }
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const badges = await ServerWorld.open({ customers: { scope: "tenant", allow } }, withBadges as never);
    const ann = { action: "create", collection: "customers", entityId: "c-1", data: { name: "Ann" } };
    await badges.till("a").send(ann);
    const twice = await badges.till("b").send({ ...ann, data: { name: "Eve" } });
    expect(await badges.resolve(twice.id, "merged", { badge: "gold" })).toMatchObject({
      kind: "refused",
      issues: [{ path: "badge" }],
    });
  });
  test("a merge without data is the client's edit", async () => {
    const { world, lost } = await quarrel({ note: "mine" });
    expect(await world.resolve(lost.id, "merged")).toMatchObject({ kind: "revised" });
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ priceCents: 1, note: "mine" });
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "merged" } }]);
  });
  test("each makes an entry in the books, which the next mark points at", async () => {
    const { world, lost } = await quarrel();
    await world.resolve(lost.id, "server");
    const clock = await world.clock();
    expect(await world.read({ kind: "commits", ids: [clock?.lastId ?? ""] })).toMatchObject([
      { kind: "resolve", actor: "boss", position: clock?.position },
    ]);
    expect((await world.operation(lost.id))?.supersededBy).toBe(clock?.lastId);
  });
  test("of a collection that the server has no more: only the server's side can be kept", async () => {
    const { world, lost } = await quarrel();
    const input = {
      catalog: { collections: new Map(), order: [], deskScope: "sync:desk" },
      principal: { tenant: "shop", scopes: [] },
      id: lost.id,
      commitId: "c-1",
      now: world.now,
    };
    const settle = (choice: "server" | "client") =>
      world.decided({ decide: (ws) => resolveConflict(ws, input, { choice }) });
    expect(await settle("client")).toEqual({ kind: "not_found" });
    const kept = await settle("server");
    expect(kept).toMatchObject({ kind: "revised", results: [{ id: lost.id, status: "rejected" }] });
    // Nobody was named as the one who did it.
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "server", by: "office" } }]);
  });
  test("of an edit that is newer than the server: only the server's side can be kept [H7]", async () => {
    const customers = defineCollection({
      schema: z.object({ name: z.string(), points: z.int().default(0) }),
      counters: ["points"],
      schemaVersion: 2,
      upcast: { 1: (old) => old },
    });
    const newer = await ServerWorld.open({}, { ...collections, customers } as never);
    const create = { action: "create", collection: "customers", entityId: "c-1", schemaVersion: 2 };
    await newer.till("a").send({ ...create, data: { name: "Ann" } });
    const lost = await newer.till("b").send({ ...create, data: { name: "Eve" } });
    expect(lost).toMatchObject({ status: "conflict" });
    const world = await ServerWorld.open();
    world.store.restore(newer.store.snapshot());
    expect(await world.resolve(lost.id, "client")).toEqual({
      kind: "refused",
      issues: [{ path: "", message: expect.stringContaining("version 1") }],
    });
    expect(await world.conflicts()).toHaveLength(1);
    expect(await world.resolve(lost.id, "server")).toMatchObject({ kind: "revised" });
  });
  test("one that there is not", async () => {
    const world = await ServerWorld.open();
    expect(await world.resolve("nope", "server")).toEqual({ kind: "not_found" });
  });
  test("a branch's office has none of another branch (L9)", async () => {
    const world = await ServerWorld.open();
    const [a, b] = [world.till("a", { branch: "north" }), world.till("b", { branch: "north" })];
    await a.send(shift("h-1", "north", "Ann"));
    const change = { action: "update", collection: "shifts", entityId: "h-1", baseVersion: 0 };
    await a.send({ ...change, patch: { cashier: "Bob" } });
    const lost = await b.send({ ...change, patch: { cashier: "Eve" } });
    expect(lost.status).toBe("conflict");
    const before = await world.row("shifts", "h-1");
    world.officeBranch = "south";
    expect(await world.resolve(lost.id, "client")).toEqual({ kind: "not_found" });
    expect(await world.row("shifts", "h-1")).toEqual(before);
    expect(await world.conflicts()).toHaveLength(1);
    world.officeBranch = "north";
    expect(await world.resolve(lost.id, "client")).toMatchObject({ kind: "revised" });
  });
  test("the server's side: nothing is written, the till's edit is superseded", async () => {
    const { world, b, lost } = await quarrel();
    expect(await world.resolve(lost.id, "server")).toMatchObject({
      kind: "revised",
      results: [{ id: lost.id, status: "rejected", error: { code: "superseded" } }],
    });
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ priceCents: 300, name: "Cola" });
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "server", by: "boss" } }]);
    const mine = (await b.pulled()).results.find(({ id }) => id === lost.id);
    expect(mine).toMatchObject({ revision: 1, server: { data: { priceCents: 300 } } });
  });
  test("the client's side is written over whatever is there", async () => {
    const { world, lost } = await quarrel({ name: "Mine" });
    await world.resolve(lost.id, "client");
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ priceCents: 1, name: "Mine" });
  });
  test("a merge sets what it names, if the schema takes it", async () => {
    const { world, lost } = await quarrel();
    expect(await world.resolve(lost.id, "merged", { priceCents: -1 })).toMatchObject({ kind: "refused" });
    expect(await world.resolve(lost.id, "merged", { stock: 1 })).toMatchObject({ kind: "refused" });
    expect(await world.resolve(lost.id, "merged", { priceCents: 150 })).toMatchObject({ kind: "revised" });
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ priceCents: 150, name: "Cola" });
  });
  test("once: then it is settled, for the office and for the till", async () => {
    const { world, b, lost } = await quarrel();
    await world.resolve(lost.id, "server");
    expect(await world.resolve(lost.id, "client")).toEqual({ kind: "conflict_settled" });
    const late = edit("p-1", await world.version("products", "p-1"), { priceCents: 2 }, { supersedes: [lost.id] });
    expect(await b.send(late)).toMatchObject({
      status: "rejected",
      error: { code: "already_superseded" },
      by: expect.stringContaining("commit-"),
    });
  });
  test("and the other way round: what the till has settled is closed for the office", async () => {
    const { world, b, lost } = await quarrel();
    await b.send({ action: "void", collection: "products", entityId: "p-1", supersedes: [lost.id] });
    expect(await world.resolve(lost.id, "client")).toEqual({ kind: "conflict_settled" });
  });
  describe("of a branch (L9)", () => {
    const shiftEdit = (patch: object, baseVersion: number) => ({
      action: "update",
      collection: "shifts",
      entityId: "h-1",
      baseVersion,
      patch,
    });
    async function quarrelInSouth() {
      const world = await ServerWorld.open();
      const [a, b] = [world.till("a", { branch: "south" }), world.till("b", { branch: "south" })];
      const data = { branch: "south", cashier: "Ann" };
      const { version } = (await a.send({ action: "create", collection: "shifts", entityId: "h-1", data })) as {
        version: number;
      };
      await a.send(shiftEdit({ cashier: "Bob" }, version));
      const lost = await b.send(shiftEdit({ cashier: "Eve", branch: "south" }, version));
      expect(lost.status).toBe("conflict");
      world.officeBranch = "south";
      return { world, lost };
    }
    test("its office resolves nothing into another branch", async () => {
      const { world, lost } = await quarrelInSouth();
      const before = await world.row("shifts", "h-1");
      expect(await world.resolve(lost.id, "merged", { branch: "north" })).toEqual({
        kind: "refused",
        issues: [{ path: "", message: expect.stringContaining("branch") }],
      });
      expect(await world.row("shifts", "h-1")).toEqual(before);
      expect(await world.conflicts()).toHaveLength(1);
      expect(await world.resolve(lost.id, "merged", { cashier: "Eve" })).toMatchObject({ kind: "revised" });
    });
    test("nor overwrites a row that has moved to another branch since; it may leave it as it is", async () => {
      const { world, lost } = await quarrelInSouth();
      const office = world.till("office");
      await office.send(shiftEdit({ branch: "north" }, await world.version("shifts", "h-1")));
      const before = await world.row("shifts", "h-1");
      expect(await world.resolve(lost.id, "client")).toMatchObject({ kind: "refused" });
      expect(await world.resolve(lost.id, "merged", { branch: "south" })).toMatchObject({ kind: "refused" });
      expect(await world.row("shifts", "h-1")).toEqual(before);
      expect(await world.resolve(lost.id, "server")).toMatchObject({ kind: "revised" });
    });
    test("what the head office settles shows the till nothing of a row that has left its branch", async () => {
      const { world, lost } = await quarrelInSouth();
      world.officeBranch = undefined;
      await world.till("office").send(shiftEdit({ branch: "north" }, await world.version("shifts", "h-1")));
      expect(await world.resolve(lost.id, "server")).toMatchObject({ kind: "revised" });
      const stored = (await world.operation(lost.id))?.result;
      expect(stored).toMatchObject({ status: "rejected", error: { code: "superseded" } });
      expect(stored).not.toHaveProperty("server");
    });
    test("the head office may move it", async () => {
      const { world, lost } = await quarrelInSouth();
      world.officeBranch = undefined;
      expect(await world.resolve(lost.id, "merged", { branch: "north" })).toMatchObject({ kind: "revised" });
      expect((await world.row("shifts", "h-1"))?.scope).toBe("north");
    });
  });
});
