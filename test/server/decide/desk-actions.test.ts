import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineCollection } from "../../../src/schema/define-collection.ts";
import { resolveConflict } from "../../../src/server/decide/desk-actions.ts";
import type { Policies } from "../../../src/server/policy-types.ts";
import { collections, type Shop, withBadges } from "../support/shop.ts";
import { count, edit, payment, product, quarrel, ServerWorld, sale } from "../support/world.ts";

const shift = (id: string, branch: string, cashier: string) => ({
  action: "create",
  collection: "shifts",
  entityId: id,
  data: { branch, cashier },
});

const strict: Partial<Policies<Shop>> = {
  sales: {
    scope: "tenant",
    allow: { read: "everyone", create: "everyone" },
    decide: () => ({ outcome: "quarantined", code: "arithmetic", message: "no" }),
  },
};

describe("quarantine [H3]", () => {
  test("a release lets the whole transaction in, and the till hears of it by its results", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    await till.pulled();
    const tx = { transaction: "t-1" };
    const sent = await till.push(sale("s-1", { totalCents: 5 }, tx), payment("y-1", "s-1", tx), count("p-1", -1, tx));
    expect(sent.every(({ status }) => status === "quarantined")).toBe(true);
    const released = await world.release(sent[1]!.id);
    expect(released).toMatchObject({
      kind: "revised",
      results: [{ status: "applied", revision: 1 }, { status: "applied" }, { status: "applied" }],
    });
    expect(await world.quarantined()).toEqual([]);
    const { results } = await till.pulled();
    expect(results.map(({ id, status, revision }) => [id, status, revision])).toEqual(
      sent.map(({ id }) => [id, "applied", 1]),
    );
    expect((await world.row("products", "p-1"))?.counters).toEqual({ stock: -1 });
    expect((await till.send(till.mint(sale("s-9")))).status).toBe("quarantined");
    expect(await world.release(sent[0]!.id)).toEqual({ kind: "not_quarantined" });
  });
  test("a policy hears that it was let in, and does all that it does for a sale", async () => {
    const world = await ServerWorld.open({
      sales: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone" },
        decide: ({ released }) => {
          const flag = { code: "arithmetic", message: "no" };
          if (released !== true) return { outcome: "quarantined", ...flag };
          const points = { collection: "customers", id: "c-1", increment: { points: 5 } } as const;
          return { outcome: "applied", assigned: { orderNumber: "A-1" }, flags: [flag], effects: [points] };
        },
      },
    });
    const sent = await world.till().send(sale("s-1"));
    expect(await world.release(sent.id)).toMatchObject({
      results: [{ status: "applied", assigned: { orderNumber: "A-1" }, flags: [{ code: "arithmetic" }] }],
    });
    expect((await world.row("customers", "c-1"))?.counters).toEqual({ points: 5 });
  });
  test("what a policy has against it all the same is a flag", async () => {
    const world = await ServerWorld.open(strict);
    const sent = await world.till().send(sale("s-1"));
    expect(await world.release(sent.id)).toMatchObject({
      results: [{ status: "applied", flags: [{ code: "arithmetic", message: "no" }] }],
    });
  });
  test("its first position never changes, so that marks that point at it stay good", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    const sent = await till.send(sale("s-1"));
    const before = await world.operation(sent.id);
    await world.release(sent.id);
    const after = await world.operation(sent.id);
    expect(after?.position).toBe(before?.position);
    expect(after?.feedPosition).toBeGreaterThan(before?.position ?? 0);
    const clock = await world.clock();
    expect((await world.read({ kind: "commits", ids: [clock!.lastId] }))[0]).toMatchObject({
      kind: "release",
      actor: "boss",
      position: clock?.position,
    });
    expect((await till.pull()).kind).toBe("answered");
  });
  test("what the schema refuses no person can let in: nothing changes", async () => {
    const world = await ServerWorld.open();
    const sent = await world.till().send(sale("s-1", { totalCents: "x" }));
    const before = await world.clock();
    expect(await world.release(sent.id)).toMatchObject({ kind: "refused", issues: [{ path: "totalCents" }] });
    expect(await world.clock()).toEqual(before);
    expect(await world.quarantined()).toHaveLength(1);
  });
  test("a discard closes it and keeps the payload for ever", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    const operation = till.mint(sale("s-1"));
    await till.send(operation);
    expect(await world.discard(operation.id, "a test")).toMatchObject({
      kind: "revised",
      results: [{ status: "quarantined", error: { code: "discarded", message: "a test" } }],
    });
    expect(await world.quarantined()).toEqual([]);
    expect((await world.operation(operation.id))?.operation).toMatchObject({ data: { totalCents: 500 } });
    expect(await till.send(operation)).toMatchObject({ error: { code: "discarded" }, replayed: true });
    expect(await world.discard(operation.id)).toEqual({ kind: "not_quarantined" });
    expect(await world.release("nope")).toEqual({ kind: "not_found" });
  });
  test("the others of its transaction are discarded with it: released alone they would be half of a sale [C1]", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till();
    const tx = { transaction: "t-1" };
    const [sold, paid] = await till.push(sale("s-1", { totalCents: 500 }, tx), payment("y-1", "s-1", tx));
    expect([sold?.status, paid?.status]).toEqual(["quarantined", "quarantined"]);
    const outcome = await world.discard(sold?.id ?? "", "a test");
    expect(outcome).toMatchObject({
      kind: "revised",
      touched: [
        { collection: "sales", scope: "" },
        { collection: "payments", scope: "" },
      ],
    });
    expect(await world.quarantined()).toEqual([]);
    expect(await world.release(paid?.id ?? "")).toEqual({ kind: "not_quarantined" });
  });
  test("a branch's office settles what its own tills made, and knows of nothing else (L9)", async () => {
    const world = await ServerWorld.open(strict);
    const north = await world.till("n", { branch: "north" }).send(sale("s-1", { totalCents: 5 }, { branch: "north" }));
    const south = await world.till("s", { branch: "south" }).send(sale("s-2", { totalCents: 5 }, { branch: "south" }));
    const before = await world.operation(north.id);
    world.officeBranch = "south";
    expect(await world.release(north.id)).toEqual({ kind: "not_found" });
    expect(await world.discard(north.id)).toEqual({ kind: "not_found" });
    expect(await world.operation(north.id)).toEqual(before);
    expect(await world.release(south.id)).toMatchObject({ kind: "revised" });
  });
  test("another device's transaction of the same name is not released with it", async () => {
    const world = await ServerWorld.open(strict);
    const tx = { transaction: "t-1" };
    const mine = await world.till("a").send(sale("s-1", { totalCents: 5 }, tx));
    const theirs = await world.till("b").send(sale("s-2", { totalCents: 5 }, tx));
    expect(await world.release(mine.id)).toMatchObject({ kind: "revised", results: [{ id: mine.id }] });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([theirs.id]);
  });
});

describe("who hears of a release or a discard", () => {
  test("the tills of the rows that it wrote, and those whose results it revised", async () => {
    const world = await ServerWorld.open(strict);
    const till = world.till("n", { branch: "north" });
    const sent = await till.send(sale("s-1"));
    expect(await world.release(sent.id)).toMatchObject({
      touched: [
        { collection: "sales", scope: "" },
        { collection: "sales", scope: "north" },
      ],
    });
  });
  test("nobody, of an operation without a readable collection", async () => {
    const world = await ServerWorld.open();
    const aside = await world.till().send({ ...count("p-1", 1), collection: "no name" });
    expect(aside).toMatchObject({ status: "quarantined" });
    expect(await world.discard(aside.id)).toMatchObject({ kind: "revised", touched: [] });
    const clock = await world.clock();
    expect(await world.read({ kind: "commits", ids: [clock?.lastId ?? ""] })).toMatchObject([
      { kind: "discard", actor: "boss", position: clock?.position },
    ]);
  });
});

describe("for whom an operation is released", () => {
  const till = async (branch: string | undefined, claimed: string) => {
    const world = await ServerWorld.open();
    const data = { branch: "north", cashier: "Ann" };
    const shift = { action: "create", collection: "shifts", entityId: "h-1", data, branch: claimed };
    const sent = await world.till("t", branch === undefined ? {} : { branch }).send(shift);
    expect(sent).toMatchObject({ status: "quarantined", error: { code: "branch_mismatch" } });
    return { world, id: sent.id };
  };
  test("for the branch that it was made in, and not into another", async () => {
    const { world, id } = await till("north", "south");
    expect(await world.release(id)).toMatchObject({ kind: "refused", issues: [{ path: id }] });
    expect(await world.row("shifts", "h-1")).toBeUndefined();
    const same = await till("south", "north");
    expect(await same.world.release(same.id)).toMatchObject({ kind: "revised" });
  });
  test("for the person who made it, as the policy and the next reader see it", async () => {
    const asked: unknown[] = [];
    const decide = ({ principal }: { principal: object }) => {
      asked.push(principal);
      return { outcome: "quarantined", code: "check", message: "Check" };
    };
    const world = await ServerWorld.open({
      sales: { scope: "tenant", allow: { read: "everyone", create: "everyone" }, decide },
    } as never);
    const sent = await world.till("t", { actor: "ann" }).send(sale("s-1", { totalCents: 1 }, { actor: "carl" }));
    await world.release(sent.id);
    expect(asked.at(-1)).toMatchObject({ device: "t", actor: "ann", tenant: "shop" });
  });
  test("for the branch of the office, if it was made for the whole shop (L9)", async () => {
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const decide = () => ({ outcome: "quarantined", code: "check", message: "Check" });
    const scope = { branch: (row: { branch: string }) => row.branch };
    const world = await ServerWorld.open({ shifts: { scope, allow, decide } } as never);
    const till = world.till("t");
    const [north, south] = await till.push(shift("h-1", "north", "Ann"), shift("h-2", "south", "Eve"));
    expect([north?.status, south?.status]).toEqual(["quarantined", "quarantined"]);
    world.officeBranch = "south";
    expect(await world.release(north?.id ?? "")).toMatchObject({ kind: "refused" });
    expect(await world.release(south?.id ?? "")).toMatchObject({
      kind: "revised",
      results: [{ status: "applied", revision: 1, at: world.now }],
    });
    world.officeBranch = undefined;
    expect(await world.release(north?.id ?? "")).toMatchObject({ kind: "revised" });
  });
  test("an edit whose row a restore has lost is refused with its state, until another till brings the row [C8.6]", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const sent = await world.till("a", { branch: "north" }).send({ ...edit("p-9", 5, { name: "x" }), branch: "south" });
    expect(sent).toMatchObject({ status: "quarantined" });
    expect(await world.release(sent.id)).toEqual({ kind: "refused", issues: [{ path: sent.id, message: "blocked" }] });
  });
  test("one that still waits is refused with its state, and stays", async () => {
    const world = await ServerWorld.open();
    const sent = await world.till("a", { branch: "north" }).send({ ...sale("s-1"), branch: "south", schemaVersion: 9 });
    expect(await world.release(sent.id)).toMatchObject({
      kind: "refused",
      issues: [{ path: sent.id, message: expect.any(String) }],
    });
    expect(await world.quarantined()).toHaveLength(1);
  });
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
