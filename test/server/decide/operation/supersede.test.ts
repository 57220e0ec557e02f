import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../src/protocol/constants.ts";
import { count, edit, product, quarrel, ServerWorld, sale, uuid } from "../../support/world.ts";

const voiding = (supersedes: readonly string[], more: object = {}) => ({
  action: "void",
  collection: "products",
  entityId: "p-1",
  supersedes,
  ...more,
});
const remove = (more: object = {}) => ({
  action: "delete",
  collection: "products",
  entityId: "p-1",
  baseVersion: 2 ** 52,
  ...more,
});

describe("how the desk shows that a till has settled its conflict", () => {
  async function settledBy(sketch: (lost: string) => { action: string }, options = {}) {
    const { world, b, lost } = await quarrel();
    const till = Object.keys(options).length === 0 ? b : world.till("c", { scopes: ["sync:desk"], ...options });
    const successor = await till.send(sketch(lost.id));
    expect(successor.status).toBe("applied");
    const [row] = await world.conflicts(true);
    return { world, row, lost, successor };
  }
  test("the same edit again, on the new base: the client's side", async () => {
    const { row } = await settledBy((id) => edit("p-1", 2 ** 52, { priceCents: 1 }, { supersedes: [id] }));
    expect(row).toMatchObject({ settled: { choice: "client", by: "b" } });
  });
  test("another edit: a merge", async () => {
    const { row } = await settledBy((id) => edit("p-1", 2 ** 52, { priceCents: 2 }, { supersedes: [id] }));
    expect(row).toMatchObject({ settled: { choice: "merged" } });
  });
  test("a void: the server's side", async () => {
    const { row } = await settledBy((id) => voiding([id]));
    expect(row).toMatchObject({ settled: { choice: "server" } });
  });
  test("a deletion: the client's side", async () => {
    const { row } = await settledBy((id) => remove({ supersedes: [id] }));
    expect(row).toMatchObject({ settled: { choice: "client" } });
  });
  test("by the person whom the token names, otherwise by the operation's, otherwise by the device", async () => {
    const named = await settledBy((id) => voiding([id], { actor: "ann" }), { actor: "bob" });
    expect(named.row?.settled?.by).toBe("bob");
    const claimed = await settledBy((id) => voiding([id], { actor: "ann" }));
    expect(claimed.row?.settled?.by).toBe("ann");
    const device = await settledBy((id) => voiding([id]));
    expect(device.row?.settled?.by).toBe("b");
  });
  test("a create that is sent again after a deletion: the client's side if it is what was in conflict", async () => {
    const world = await ServerWorld.open();
    const [a, b] = [world.till("a"), world.till("b")];
    await a.send(product("p-1"));
    const data = { name: "Tea", priceCents: 1 };
    const lost = await b.send(product("p-1", data));
    expect(lost.status).toBe("conflict");
    await a.send(remove());
    expect(await b.send({ ...product("p-1", data), supersedes: [lost.id] })).toMatchObject({ status: "applied" });
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "client" } }]);
  });
  test("once: what the office has settled stays as it was settled", async () => {
    const { world, b, lost } = await quarrel();
    await world.resolve(lost.id, "server");
    await b.send(edit("p-1", 2 ** 52, { priceCents: 2 }, { supersedes: [lost.id] }));
    expect(await world.conflicts(true)).toMatchObject([{ settled: { choice: "server", by: "boss" } }]);
  });
});

describe("the reason of a refusal", () => {
  test("names what it may not supersede, and whose that is", async () => {
    const world = await ServerWorld.open();
    const north = world.till("a", { branch: "north" });
    const theirs = await north.send(sale("s-1", { totalCents: "x" }));
    const otherRow = { ...sale("s-2", { totalCents: 1 }), supersedes: [theirs.id] };
    expect(await north.send(otherRow)).toMatchObject({
      error: { code: "malformed", message: expect.stringContaining("row") },
    });
    expect(await world.till("b", { branch: "south" }).send({ ...otherRow, entityId: "s-1" })).toMatchObject({
      error: {
        code: "out_of_scope",
        message: expect.stringContaining("branch"),
        issues: [{ path: "supersedes", message: theirs.id }],
      },
    });
  });
  test("shows nothing of a row that only counts so far", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const counted = await till.send(count("p-1", 3));
    const late = await till.send(voiding([counted.id]));
    expect(late).toMatchObject({ status: "rejected", error: { code: "already_applied" }, by: counted.id });
    expect(late).not.toHaveProperty("server");
  });
});

describe("a successor that is refused itself", () => {
  test("takes the place of its target all the same: the till gave the target up for it", async () => {
    const { world, b, lost } = await quarrel();
    const bad = await b.send(edit("p-1", 2 ** 52, { name: "" }, { supersedes: [lost.id] }));
    expect(bad).toMatchObject({ status: "rejected", error: { code: "validation_failed" } });
    expect(await world.operation(lost.id)).toMatchObject({ status: "rejected", supersededBy: bad.id });
    expect(await world.conflicts()).toEqual([]);
  });
  test("also one that was refused as too large, before anybody looked at its target", async () => {
    const { world, b, lost } = await quarrel();
    const large = edit("p-1", 2 ** 52, { note: "x".repeat(300_000) }, { supersedes: [lost.id] });
    const sent = await b.send(large);
    expect(sent).toMatchObject({ status: "rejected", error: { code: "too_large" } });
    expect((await world.operation(lost.id))?.supersededBy).toBe(sent.id);
  });
  test.each(["not_permitted", "branch_mismatch"])("not if its sender may not do this: %s", async (code) => {
    const allow = { read: "everyone", create: "everyone", update: "edit", delete: "everyone" } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
    const [a, b] = [world.till("a", { scopes: ["edit"] }), world.till("b", { scopes: ["edit"] })];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    const lost = await b.send(edit("p-1", 0, { priceCents: 1 }));
    const more = code === "branch_mismatch" ? { branch: "north" } : {};
    const thief = world.till("c", { scopes: code === "branch_mismatch" ? ["edit", "sync:desk"] : [] });
    const sent = await thief.send(edit("p-1", 2 ** 52, { priceCents: 2 }, { supersedes: [lost.id], ...more }));
    expect(sent).toMatchObject({ error: { code } });
    expect(await world.operation(lost.id)).toMatchObject({ status: "conflict", revision: 0 });
    expect(await world.conflicts()).toHaveLength(1);
  });
  test("a void that came too late replaces nothing", async () => {
    const { world, b, lost } = await quarrel();
    const first = await b.send(voiding([lost.id]));
    const unseen = b.mint(edit("p-1", 0, { name: "x" }));
    await b.send(voiding([lost.id, unseen.id]));
    expect((await world.operation(lost.id))?.supersededBy).toBe(first.id);
    expect(await world.operation(unseen.id)).toBeUndefined();
  });
});

describe("what was replaced before it arrived", () => {
  test("is kept by its place: the row, the device, and who took it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const unseen = till.mint(product("p-1"));
    const by = await till.send(voiding([unseen.id]));
    expect(await world.operation(unseen.id)).toMatchObject({
      collection: "products",
      entityId: "p-1",
      device: "till-1",
      status: "rejected",
      version: 0,
      revision: 0,
      supersededBy: by.id,
      result: { id: unseen.id, status: "rejected", error: { code: "superseded" }, by: by.id },
    });
  });
});

describe("what another till has replaced before it arrived", () => {
  async function named() {
    const world = await ServerWorld.open();
    const [till, liar] = [world.till("a"), world.till("liar")];
    const unseen = till.mint(sale("s-1"));
    const lie = await liar.send(voiding([unseen.id], { collection: "sales", entityId: "s-1" }));
    expect(lie).toMatchObject({ status: "applied" });
    return { world, till, unseen };
  }
  test("takes effect: no till closes another till's entries", async () => {
    const { world, till, unseen } = await named();
    expect(await till.send(unseen)).toMatchObject({ status: "applied" });
    const row = await world.operation(unseen.id);
    expect(row).toMatchObject({ device: "a", status: "applied", sequence: 1 });
    expect(row?.supersededBy).toBeUndefined();
    expect(await till.send(unseen)).toMatchObject({ status: "applied", replayed: true });
  });
  test("is waited for", async () => {
    const { till, unseen } = await named();
    const later = edit("p-1", 0, { name: "x" }, { after: [unseen.id] });
    expect(await till.send(later)).toMatchObject({ status: "blocked", by: [unseen.id] });
  });
  test("is replaced by its own till", async () => {
    const { world, till, unseen } = await named();
    const corrected = { ...sale("s-1", { totalCents: 9 }), supersedes: [unseen.id] };
    const by = await till.send(corrected);
    expect(by).toMatchObject({ status: "applied" });
    expect(await world.operation(unseen.id)).toMatchObject({ device: "a", supersededBy: by.id });
    expect(await till.send(unseen)).toMatchObject({ error: { code: "superseded" }, by: by.id });
  });
  test("stands in no chain that was cut", async () => {
    const { till, unseen } = await named();
    const chain = [unseen.id, ...Array.from({ length: LIMITS.transactionOperations - 1 }, (_, n) => uuid(700_000 + n))];
    expect(await till.send({ ...sale("s-1"), supersedes: chain })).toMatchObject({ status: "applied" });
  });
});

describe("a chain that is longer than `supersedes` may be: its first id stands for those that are missing", () => {
  /** As many ids as may be named, of which only the first was ever seen. */
  const cut = (first: string, length: number = LIMITS.transactionOperations) => [
    first,
    ...Array.from({ length: length - 1 }, (_, n) => uuid(600_000 + n)),
  ];
  async function replacedOnce(how: (lost: string) => { action: string }) {
    const { world, b, lost } = await quarrel();
    const holder = await b.send(how(lost.id));
    expect((await world.operation(lost.id))?.supersededBy).toBe(holder.id);
    return { world, b, lost, holder };
  }
  const inConflict = (id: string) => edit("p-1", 0, { priceCents: 2 }, { supersedes: [id] });

  test("whatever holds its place is replaced with it", async () => {
    const { world, b, lost, holder } = await replacedOnce(inConflict);
    const newest = await b.send(voiding(cut(lost.id)));
    expect(newest).toMatchObject({ status: "applied" });
    expect((await world.operation(holder.id))?.supersededBy).toBe(newest.id);
    expect((await world.operation(lost.id))?.supersededBy).toBe(newest.id);
    expect(await world.conflicts()).toEqual([]);
  });
  test("a chain that names all of its operations has none that is missing", async () => {
    const { b, lost, holder } = await replacedOnce(inConflict);
    const late = await b.send(voiding(cut(lost.id, LIMITS.transactionOperations - 1)));
    expect(late).toMatchObject({ status: "rejected", error: { code: "already_superseded" }, by: holder.id });
  });
  test("what was applied in its place stands", async () => {
    const { b, lost, holder } = await replacedOnce((id) => voiding([id]));
    expect(await b.send(voiding(cut(lost.id)))).toMatchObject({
      status: "rejected",
      error: { code: "already_superseded" },
      by: holder.id,
    });
  });
  test("what was itself replaced by an operation that does not know the first stands", async () => {
    const { b, lost, holder } = await replacedOnce(inConflict);
    await b.send(voiding([holder.id]));
    expect(await b.send(voiding(cut(lost.id)))).toMatchObject({ error: { code: "already_superseded" }, by: holder.id });
  });
  test("what the office has settled stands", async () => {
    const { world, b, lost } = await quarrel();
    await world.resolve(lost.id, "server");
    expect(await b.send(voiding(cut(lost.id)))).toMatchObject({
      error: { code: "already_superseded" },
      by: expect.stringContaining("commit-"),
    });
  });
  test("a first id that nobody has seen, or replaced, is replaced as usual", async () => {
    const { world, b, lost } = await quarrel();
    const newest = await b.send(voiding(cut(lost.id)));
    expect(newest).toMatchObject({ status: "applied" });
    expect((await world.operation(lost.id))?.supersededBy).toBe(newest.id);
    expect(await b.send(voiding(cut(uuid(700_000)).map((id, n) => (n === 0 ? id : uuid(700_000 + n)))))).toMatchObject({
      status: "applied",
    });
  });
});

test("a target in an unreadable place may be replaced by an edit of a readable one", async () => {
  const world = await ServerWorld.open();
  const till = world.till();
  const bad = await till.send({ ...product("p-1"), collection: "no name" });
  const good = await till.send({ ...product("p-1"), supersedes: [bad.id] });
  expect(good.status).toBe("applied");
  expect((await world.operation(bad.id))?.supersededBy).toBe(good.id);
});
