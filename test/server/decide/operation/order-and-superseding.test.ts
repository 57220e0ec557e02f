import { describe, expect, test } from "vitest";
import { revokeDevice } from "../../../../src/server/admin/revoke-device.ts";
import { count, edit, payment, product, quarrel, ServerWorld, sale, uuid } from "../../support/world.ts";

const voiding = (supersedes: readonly string[], more = {}) => ({
  action: "void",
  collection: "products",
  entityId: "p-1",
  supersedes,
  ...more,
});

describe("after (L7)", () => {
  test("an edit waits for what is not applied, also for what only came earlier in this batch [H1]", async () => {
    const { b, lost } = await quarrel();
    const next = await b.send(edit("p-1", 0, { name: "x" }, { after: [lost.id] }));
    expect(next).toMatchObject({ status: "blocked", by: [lost.id] });
  });
  test("an operation applied earlier in the batch satisfies", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint(product("p-1"));
    const results = await till.push(first, edit("p-1", 0, { priceCents: 1 }, { after: [first.id] }));
    expect(results.map(({ status }) => status)).toEqual(["applied", "applied"]);
  });
  test("for a fact or an increment any final result will do [C1]", async () => {
    const { b, lost } = await quarrel();
    expect(await b.send(sale("s-1", { totalCents: 1 }, { after: [lost.id] }))).toMatchObject({ status: "applied" });
    expect(await b.send(count("p-1", 1, { after: [lost.id] }))).toMatchObject({ status: "applied" });
    expect(await b.send(sale("s-2", { totalCents: 1 }, { after: [uuid(777_777)] }))).toMatchObject({
      status: "blocked",
    });
  });
  test("it follows the chain: what was voided is waited for no more", async () => {
    const { world, b, lost } = await quarrel();
    await b.send(voiding([lost.id]));
    const base = await world.version("products", "p-1");
    expect(await b.send(edit("p-1", base, { name: "x" }, { after: [lost.id] }))).toMatchObject({ status: "applied" });
  });
  test("and to what the back office settled", async () => {
    const { world, b, lost } = await quarrel();
    await world.resolve(lost.id, "server");
    const base = await world.version("products", "p-1");
    expect(await b.send(edit("p-1", base, { name: "x" }, { after: [lost.id] }))).toMatchObject({ status: "applied" });
  });
});

describe("superseding [C3]", () => {
  test("the old one gets the revised result, its desk closes, and its device hears of it [H3]", async () => {
    const { world, b, lost } = await quarrel();
    const price = (await world.row("products", "p-1"))?.version ?? 0;
    const winner = await b.send(edit("p-1", price, { priceCents: 1 }, { supersedes: [lost.id] }));
    expect(winner).toMatchObject({ status: "applied" });
    expect(await world.operation(lost.id)).toMatchObject({
      status: "rejected",
      supersededBy: winner.id,
      revision: 1,
      result: { status: "rejected", error: { code: "superseded" }, by: winner.id, revision: 1 },
    });
    expect(await world.conflicts()).toEqual([]);
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "client" } }]);
    expect((await b.pulled()).results).toMatchObject([{ id: lost.id, revision: 1, by: winner.id }, { id: winner.id }]);
    // With both marks, only what is new.
    expect((await b.pulled()).results).toEqual([]);
  });
  test("void supersedes and does nothing else", async () => {
    const { world, b, lost } = await quarrel();
    const before = await world.row("products", "p-1");
    expect(await b.send(voiding([lost.id]))).toMatchObject({ status: "applied", version: 0 });
    expect(await world.row("products", "p-1")).toEqual(before);
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "server" } }]);
  });
  test("an id that was never seen can't take effect any more", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const late = till.mint(product("p-1"));
    const by = await till.send(voiding([late.id]));
    expect(await till.send(late)).toMatchObject({
      status: "rejected",
      error: { code: "superseded" },
      by: by.id,
      replayed: true,
    });
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
  test("the second to supersede comes too late, and is told who stands", async () => {
    const { b, lost } = await quarrel();
    const first = await b.send(voiding([lost.id]));
    expect(await b.send(voiding([lost.id]))).toMatchObject({
      status: "rejected",
      error: { code: "already_superseded" },
      by: first.id,
      server: { data: { priceCents: 300 } },
    });
  });
  test("what has taken effect can't be superseded", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const done = await till.send(product("p-1"));
    expect(await till.send(voiding([done.id]))).toMatchObject({
      status: "rejected",
      error: { code: "already_applied" },
      by: done.id,
    });
    expect((await world.operation(done.id))?.status).toBe("applied");
  });
  test("too late, it is told nothing of a row that has gone to another branch (L9)", async () => {
    const world = await ServerWorld.open();
    const south = world.till("s", { branch: "south" });
    const shift = { collection: "shifts", entityId: "h-1" };
    const done = await south.send({ ...shift, action: "create", data: { branch: "south", cashier: "Ann" } });
    const baseVersion = await world.version("shifts", "h-1");
    const moved = { branch: "north", cashier: "Ada" };
    await world.till("office").send({ ...shift, action: "update", baseVersion, patch: moved });
    const late = await south.send({ ...shift, action: "void", supersedes: [done.id] });
    expect(late).toMatchObject({ status: "rejected", error: { code: "already_applied" }, by: done.id });
    expect(late).not.toHaveProperty("server");
  });
  test("a chain may name its earlier links: the last of them stands", async () => {
    const { world, b, lost } = await quarrel();
    const second = await b.send(edit("p-1", 0, { priceCents: 2 }, { supersedes: [lost.id] }));
    expect(second.status).toBe("conflict");
    const third = await b.send(voiding([lost.id, second.id]));
    expect(third).toMatchObject({ status: "applied" });
    expect((await world.operation(lost.id))?.supersededBy).toBe(third.id);
    const base = await world.version("products", "p-1");
    expect(await b.send(edit("p-1", base, { name: "x" }, { after: [lost.id] }))).toMatchObject({ status: "applied" });
  });
  test("a quarantined one leaves the quarantine", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const bad = await till.send(sale("s-1", { totalCents: "x" }));
    expect(await till.send(sale("s-1", { totalCents: 5 }, { supersedes: [bad.id] }))).toMatchObject({
      status: "applied",
    });
    expect(await world.quarantined()).toEqual([]);
    expect(await world.release(bad.id)).toMatchObject({ kind: "not_quarantined" });
  });
});

describe("who has no standing supersedes nothing (L2, L11)", () => {
  const voidSale = (supersedes: readonly string[], more = {}) =>
    voiding(supersedes, { collection: "sales", entityId: "s-1", ...more });
  const setAside = { sales: { scope: "tenant", allow: { read: "everyone", create: "sell" } } } as const;
  const scopes = ["sell"];

  test("a void of another branch leaves an applied sale applied", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    const sold = await till.send(sale("s-1"));
    const before = await world.operation(sold.id);
    expect(await till.send(voidSale([sold.id], { branch: "south" }))).toMatchObject({
      status: "quarantined",
      error: { code: "branch_mismatch" },
    });
    expect(await world.operation(sold.id)).toEqual(before);
  });
  test("a revoked device's void or amendment leaves everybody's sales as they are", async () => {
    const world = await ServerWorld.open();
    const sold = await world.till("a").send(sale("s-1"));
    const asideBefore = await world.till("a").send(sale("s-2", { totalCents: "x" }));
    const revoked = world.till("b");
    await revoked.send(sale("s-0"));
    await revokeDevice({ store: world.store, tenant: "shop", device: "b" });
    const before = [await world.operation(sold.id), await world.operation(asideBefore.id)];
    await revoked.push(
      voidSale([sold.id]),
      voidSale([asideBefore.id], { entityId: "s-2" }),
      sale("s-2", { totalCents: 1 }, { supersedes: [asideBefore.id] }),
    );
    expect([await world.operation(sold.id), await world.operation(asideBefore.id)]).toEqual(before);
  });
  test("a token without the right voids nobody's quarantined sale, also not by a void of another collection", async () => {
    const world = await ServerWorld.open(setAside);
    const aside = await world.till("a", { scopes }).send(sale("s-1", { totalCents: "x" }));
    const before = await world.operation(aside.id);
    const thief = world.till("b");
    expect(await thief.send(voidSale([aside.id]))).toMatchObject({
      status: "rejected",
      error: { code: "not_permitted" },
    });
    expect(await thief.send(voidSale([aside.id], { collection: "products" }))).toMatchObject({
      status: "rejected",
      error: { code: "malformed", issues: [{ path: "supersedes", message: aside.id }] },
    });
    expect(await thief.send(sale("s-1", { totalCents: 1 }, { supersedes: [aside.id] }))).toMatchObject({
      status: "quarantined",
      error: { code: "not_permitted" },
    });
    expect(await world.operation(aside.id)).toEqual(before);
    expect((await world.quarantined()).map(({ id }) => id)).toContain(aside.id);
  });
  test("what is on another row is not its to replace: a sale that says so is set aside", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const other = await till.send(sale("s-1", { totalCents: "x" }));
    expect(await till.send(sale("s-2", { totalCents: 1 }, { supersedes: [other.id] }))).toMatchObject({
      status: "quarantined",
      error: { code: "malformed" },
    });
    expect((await world.operation(other.id))?.supersededBy).toBeUndefined();
  });
  test("a branch's till replaces nothing of another branch's, whatever its token may do", async () => {
    const world = await ServerWorld.open();
    const theirs = await world.till("a", { branch: "north" }).send(sale("s-1", { totalCents: "x" }));
    const before = await world.operation(theirs.id);
    const stranger = world.till("b", { branch: "south" });
    expect(await stranger.send(voidSale([theirs.id]))).toMatchObject({
      status: "rejected",
      error: { code: "out_of_scope" },
    });
    expect(await stranger.send(sale("s-1", { totalCents: 1 }, { supersedes: [theirs.id] }))).toMatchObject({
      status: "quarantined",
      error: { code: "out_of_scope" },
    });
    expect(await world.operation(theirs.id)).toEqual(before);
    const office = world.till("office", { scopes: ["sync:desk"] });
    expect(await office.send(voidSale([theirs.id]))).toMatchObject({ status: "applied" });
  });
  test("what came with no readable row may be amended by one that has one", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const bad = await till.send(sale("not an id", { totalCents: 5 }));
    expect(bad).toMatchObject({ status: "quarantined", error: { code: "malformed" } });
    const good = await till.send(sale("s-1", { totalCents: 5 }, { supersedes: [bad.id] }));
    expect(good.status).toBe("applied");
    expect((await world.operation(bad.id))?.supersededBy).toBe(good.id);
  });
  test("a transaction that is too large supersedes nothing that was applied", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const sold = await till.send(sale("s-1"));
    const before = await world.operation(sold.id);
    const rest = Array.from({ length: 250 }, (_, n) => payment(`y-${n}`, "s-1", { transaction: "t-1" }));
    const results = await till.push(
      sale("s-1", { totalCents: 9 }, { supersedes: [sold.id], transaction: "t-1" }),
      ...rest,
    );
    expect(results[0]).toMatchObject({ status: "quarantined", error: { code: "too_large" } });
    expect(await world.operation(sold.id)).toEqual(before);
  });
  test("a void that is set aside with its transaction supersedes nothing, until people release it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const aside = await till.send(sale("s-1", { totalCents: "x" }));
    const tx = { transaction: "t-1" };
    const [undo] = await till.push(voidSale([aside.id], tx), {
      ...sale("s-2", { totalCents: 1 }, tx),
      branch: "south",
    });
    expect(undo).toMatchObject({ status: "quarantined", error: { code: "transaction_quarantined" } });
    expect((await world.operation(aside.id))?.supersededBy).toBeUndefined();
    expect(await world.release(undo?.id ?? "")).toMatchObject({ kind: "revised" });
    expect((await world.operation(aside.id))?.supersededBy).toBe(undo?.id);
  });
  test("of a sale and its amendment that were both set aside, one is released", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    const first = await till.send(sale("s-1", { totalCents: 5 }, { branch: "south" }));
    const second = await till.send(sale("s-1", { totalCents: 6 }, { branch: "south", supersedes: [first.id] }));
    expect(await world.quarantined()).toHaveLength(2);
    expect(await world.release(second.id)).toMatchObject({
      kind: "revised",
      results: [{ id: second.id, status: "applied" }],
    });
    expect(await world.release(first.id)).toEqual({ kind: "not_quarantined" });
    expect((await world.operation(first.id))?.supersededBy).toBe(second.id);
    expect((await world.row("sales", "s-1"))?.data).toMatchObject({ totalCents: 6 });
  });
  test("and the other way round, the amendment comes too late", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    const first = await till.send(sale("s-1", { totalCents: 5 }, { branch: "south" }));
    const second = await till.send(sale("s-1", { totalCents: 6 }, { branch: "south", supersedes: [first.id] }));
    await world.release(first.id);
    expect(await world.release(second.id)).toMatchObject({ kind: "refused" });
    expect((await world.operation(first.id))?.status).toBe("applied");
  });
});

describe("editorial transactions [C1]", () => {
  test("a member that fails keeps its result, its siblings wait for whoever supersedes it", async () => {
    const { world, b } = await quarrel();
    await b.send(product("p-2"));
    const tx = { transaction: "t-9" };
    const failing = b.mint(edit("p-1", 0, { priceCents: 5 }, tx));
    const sibling = b.mint(edit("p-2", 0, { name: "Fanta" }, tx));
    expect(await b.push(sibling, failing)).toMatchObject([
      { id: sibling.id, status: "blocked", by: [failing.id] },
      { id: failing.id, status: "conflict" },
    ]);
    expect((await world.row("products", "p-2"))?.data).toMatchObject({ name: "Cola" });
    // The answer was lost: sent again, the group is where it was.
    expect(await b.push(failing, sibling)).toMatchObject([
      { status: "conflict", replayed: true },
      { status: "blocked", by: [failing.id] },
    ]);
    const base = (await world.row("products", "p-1"))?.version ?? 0;
    const amended = edit("p-1", base, { priceCents: 5 }, { ...tx, supersedes: [failing.id] });
    const results = await b.push(amended, sibling);
    expect(results.map(({ status }) => status)).toEqual(["applied", "applied"]);
  });
  test("the server's row in a member's conflict is without what its siblings had done to it", async () => {
    const { world, b } = await quarrel();
    const tx = { transaction: "t-9" };
    const base = await world.version("products", "p-1");
    expect(await b.push(edit("p-1", base, { name: "mine" }, tx), edit("p-1", 0, { priceCents: 5 }, tx))).toMatchObject([
      { status: "blocked" },
      { status: "conflict", server: { data: { name: "Cola" } } },
    ]);
  });
  test("one of more bytes than a transaction may have is refused whole", async () => {
    const world = await ServerWorld.open();
    const name = "x".repeat(200 * 1_024);
    const results = await world
      .till()
      .push(...["p-1", "p-2", "p-3"].map((id) => ({ ...product(id, { name }), transaction: "t-1" })));
    expect(results.map((result) => "error" in result && result.error.code)).toEqual(Array(3).fill("too_large"));
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
});
