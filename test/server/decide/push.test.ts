import { describe, expect, test } from "vitest";
import { clientWins } from "../../../src/conflict/index.ts";
import { LIMITS } from "../../../src/protocol/constants.ts";
import type { OperationResult } from "../../../src/protocol/types.ts";
import { copyBytesOf } from "../../../src/server/decide/copies.ts";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { count, edit, product, quarrel, ServerWorld, type Sketch, sale, type Till, uuid } from "../support/world.ts";

const voiding = (supersedes: readonly string[], more: object = {}) => ({
  action: "void",
  collection: "products",
  entityId: "p-1",
  supersedes,
  ...more,
});

async function touched(till: Till, ...sketches: readonly Sketch[]) {
  const outcome = await till.outcome(sketches);
  return outcome.kind === "answered" ? outcome.touched : undefined;
}

test("a push to a server that has lost everything asks for a first epoch [C8]", async () => {
  const world = await ServerWorld.open();
  world.store.restore(memoryStore().snapshot());
  expect(await world.till().outcome([product("p-1")])).toEqual({ kind: "restored", observed: undefined });
});

test("two stores of one identity are reported to the operator, with the operation that showed it [C7]", async () => {
  const world = await ServerWorld.open();
  const till = world.till();
  const first = till.mint(product("p-1"));
  await till.send(first);
  const clone = { ...till.mint(product("p-2")), sequence: first.sequence };
  await till.outcome([clone]);
  const fields = { device: "till-1", incarnation: "inc-till-1", operation: clone.id, sequence: first.sequence };
  expect(world.logged.at(-1)).toMatchObject({ level: "info", fields: { code: "identity_fork", ...fields } });
});

test("a fork shows by any of the operations, not only by the last [C7]", async () => {
  const world = await ServerWorld.open();
  const till = world.till();
  const first = till.mint(product("p-1"));
  await till.send(first);
  const clone = { ...till.mint(product("p-2")), sequence: first.sequence };
  const outcome = await till.outcome([clone, till.mint(product("p-3")), till.mint(product("p-4"))]);
  expect(outcome).toEqual({ kind: "fork", sequence: first.sequence });
});

test("a result that this push revises is answered once, as it is now [H3]", async () => {
  const { b, lost } = await quarrel();
  b.marks = { push: undefined, pull: undefined };
  const outcome = await b.outcome([voiding([lost.id])]);
  const results = outcome.kind === "answered" ? outcome.results : [];
  expect(results.map(({ status, revision }) => [status, revision])).toEqual([
    ["applied", undefined],
    ["rejected", 1],
  ]);
});

test("operations without a readable sequence number are no fork, and count as none received", async () => {
  const world = await ServerWorld.open();
  const till = world.till();
  const bad = [1, 2].map((n) => ({ ...till.mint(sale(`s-${n}`)), sequence: "x" }) as never);
  expect(await till.outcome(bad)).toMatchObject({ kind: "answered" });
  const operations = [till.mint(sale("s-3")), till.mint(sale("s-4"))];
  await till.push(...operations);
  await till.push(...operations);
  expect(await world.read({ kind: "incarnations", device: "till-1", limit: 10 })).toMatchObject([
    { firstSequence: operations[0]?.sequence, received: 2, lastSequence: operations[1]?.sequence },
  ]);
});

describe("which tills are told to pull", () => {
  test("those that see a row that was written, in its branch", async () => {
    const world = await ServerWorld.open();
    const till = world.till("a", { branch: "north" });
    const shift = {
      action: "create",
      collection: "shifts",
      entityId: "h-1",
      data: { branch: "north", cashier: "Ann" },
    };
    expect(await touched(till, product("p-1"), shift)).toEqual([
      { collection: "products", scope: "" },
      { collection: "shifts", scope: "north" },
    ]);
  });
  test("those of both branches, if a row goes from one to the other", async () => {
    const world = await ServerWorld.open();
    const data = { branch: "north", cashier: "Ann" };
    const office = world.till("office");
    await office.send({ action: "create", collection: "shifts", entityId: "h-1", data });
    const move = { ...edit("h-1", 2 ** 52, { branch: "south" }), collection: "shifts" };
    expect(await touched(office, move)).toEqual([
      { collection: "shifts", scope: "south" },
      { collection: "shifts", scope: "north" },
    ]);
  });
  test("none, if nothing was written or all of it was answered before", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const operation = till.mint(product("p-1"));
    await till.send(operation);
    expect(await touched(till, operation as never)).toEqual([]);
    expect(
      await touched(till, edit("p-9", 0, { name: "x" }), sale("s-1", { totalCents: "x" }), count("p-9", 1)),
    ).toEqual([]);
  });
  test("those of the branch, if an operation was replaced: it may be another device's", async () => {
    const { world, b, lost } = await quarrel();
    const operation = b.mint(voiding([lost.id]));
    expect(await touched(b, operation as never)).toEqual([{ collection: "products", scope: "" }]);
    expect(await touched(b, operation as never)).toEqual([]);
    const north = world.till("n", { branch: "north" });
    const aside = await north.send(sale("s-1", { totalCents: "x" }));
    expect(await touched(north, voiding([aside.id], { collection: "sales", entityId: "s-1" }))).toEqual([
      { collection: "sales", scope: "north" },
    ]);
  });
});

describe("all that a push will want is read at once, because each round costs its till's time", () => {
  const customers = { sales: { reads: () => ({ customers: ["c-1"] }), decide: () => ({ outcome: "applied" }) } };

  test.each<[string, (lost: string) => Sketch]>([
    ["a create with references", () => sale("s-1", { totalCents: 5, productId: "p-1" })],
    ["an update", () => edit("p-1", 2 ** 52, { note: "x" })],
    ["a deletion", () => ({ action: "delete", collection: "products", entityId: "p-1", baseVersion: 2 ** 52 })],
    ["an increment", () => count("p-1", 1)],
    ["an edit that waits", () => edit("p-1", 0, { note: "x" }, { after: [uuid(555_555)] })],
    ["an edit that settles a conflict", (lost) => edit("p-1", 2 ** 52, { name: "x" }, { supersedes: [lost] })],
    ["a void", (lost) => voiding([lost])],
    ["one of an unknown collection", () => ({ ...product("p-1"), collection: "coupons" })],
  ])("%s", async (_what, sketch) => {
    const { b, lost } = await quarrel();
    expect(await b.rounds(sketch(lost.id))).toBe(2);
  });
  test("the rows that a policy names", async () => {
    const allow = { read: "everyone", create: "everyone" } as const;
    const world = await ServerWorld.open({ sales: { scope: "tenant", allow, ...customers.sales } } as never);
    const till = world.till();
    await till.push();
    expect(await till.rounds(sale("s-1"))).toBe(2);
  });
  test("and the references of an update", async () => {
    const { b } = await quarrel();
    const update = { action: "update", collection: "sales", entityId: "s-1", baseVersion: 0 };
    expect(await b.rounds({ ...update, patch: { productId: "p-1" } })).toBe(2);
  });
});

describe("copies of a large row in one push (L12)", () => {
  const LARGE = 240_000;
  const carrying = (results: readonly OperationResult[], member: "data" | "server") =>
    results.map((result) => member in result && result[member as never] !== undefined);

  async function largeRow() {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(product("p-1", { name: "x", note: "x".repeat(LARGE) }));
    return { world, till, base: await world.version("products", "p-1") };
  }
  const fitting = Math.floor(LIMITS.pullBytes / LARGE);

  test("are in the last results, as many as an answer holds; those before go without, and say so", async () => {
    const { till, base } = await largeRow();
    const edits = Array.from({ length: fitting + 4 }, (_, priceCents) => edit("p-1", base, { priceCents }));
    const results = await till.push(...edits);
    expect(results.every(({ status }) => status === "applied")).toBe(true);
    const copies = carrying(results, "data");
    // The first edit is on the version that the till has: its answer never carries the row.
    expect(copies).toEqual([false, false, false, ...Array(fitting + 1).fill(true)]);
    expect(results.map((result) => "omitted" in result)).toEqual([
      false,
      true,
      true,
      ...Array(fitting + 1).fill(false),
    ]);
  });
  test("are kept only in proportion to what was sent: later the row is as it is then, or left out", async () => {
    const { world, till, base } = await largeRow();
    till.copyBytes = copyBytesOf(1_000);
    const edits = Array.from({ length: 3 }, (_, priceCents) => till.mint(edit("p-1", base, { priceCents })));
    const sent = await till.push(...edits);
    expect(carrying(sent, "data")).toEqual([false, true, true]);
    const stored = await Promise.all(edits.map(async ({ id }) => (await world.operation(id))?.result));
    expect(stored).toMatchObject([{ status: "applied" }, { omitted: true }, { omitted: true }]);
    expect(JSON.stringify(stored).length).toBeLessThan(1_000);
    const again = await till.push(...edits);
    expect(again).toMatchObject([{ replayed: true }, { omitted: true }, { data: { priceCents: 2 } }]);
    expect(again[2]).not.toHaveProperty("omitted");
  });
  test("so is the row of a conflict, which is answered as it is then, on the desk too", async () => {
    const { world, till, base } = await largeRow();
    await till.send(edit("p-1", base, { note: "y".repeat(LARGE) }));
    const version = await world.version("products", "p-1");
    const other = world.till("b");
    other.copyBytes = copyBytesOf(1_000);
    const late = other.mint(edit("p-1", base - 1, { note: "z" }));
    expect(await other.push(late)).toMatchObject([{ status: "conflict", server: { version, data: {} } }]);
    const omitted = { version, omitted: true };
    expect((await world.operation(late.id))?.result).toMatchObject({ server: omitted });
    expect(await world.conflicts()).toMatchObject([{ server: omitted }]);
    await till.send(edit("p-1", version, { priceCents: 3 }));
    const [again] = await other.push(late);
    const now = await world.version("products", "p-1");
    expect(again).toMatchObject({ status: "conflict", server: { version: now, data: { priceCents: 3 } } });
    // A desk that names no version may not have seen what the row is now.
    expect(await world.resolve(late.id, "merged", { note: "yz" })).toMatchObject({ kind: "conflict_moved" });
  });
  test("so is the row that a policy's resolver makes of a small create and a large row", async () => {
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow, conflict: clientWins() } });
    await world.till("a").send(product("p-1", { name: "x", note: "x".repeat(LARGE), priceCents: 1 }));
    const till = world.till("b");
    till.copyBytes = copyBytesOf(1_000);
    const made = till.mint(product("p-1", { name: "y", priceCents: 2 }));
    expect(await till.push(made)).toMatchObject([{ status: "applied", data: { name: "y", note: expect.any(String) } }]);
    expect((await world.operation(made.id))?.result).toMatchObject({ omitted: true });
    expect(JSON.stringify(await world.conflicts(true)).length).toBeLessThan(2_000);
  });
  test("go in the same way with edits that are refused", async () => {
    const { world, till, base } = await largeRow();
    const edits = Array.from({ length: fitting + 4 }, () => edit("p-1", base, { name: "" }));
    const results = await till.push(...edits);
    expect(carrying(results, "server")).toEqual([false, false, false, ...Array(fitting + 1).fill(true)]);
    expect(results[0]).toMatchObject({ status: "rejected", error: { code: "validation_failed" } });
    expect(await world.operation(results[0]?.id ?? "")).toMatchObject({
      status: "rejected",
      sequence: 2,
      result: { error: { code: "validation_failed" } },
    });
  });
  test("of conflicts end the push when they fill a page: a person looks at each, so the rest is put off", async () => {
    const { world, till, base } = await largeRow();
    const other = world.till("b");
    const edits = Array.from({ length: fitting + 4 }, (_, n) => other.mint(edit("p-1", base - 1, { note: `${n}` })));
    await till.send(edit("p-1", base, { note: "y".repeat(LARGE) }));
    const results = await other.push(...edits);
    const isWhole = (result: OperationResult) => result.status === "conflict" && "data" in result.server;
    expect(results.map(isWhole)).toEqual([...Array(fitting + 1).fill(true), false, false, false]);
    expect(results.at(-1)).toMatchObject({ status: "retry", afterMs: 0, error: { code: "push_budget" } });
    const rest = await other.push(...edits.slice(fitting + 1));
    expect(rest.slice(0, 3).map(isWhole)).toEqual([true, true, true]);
  });
  test("that were answered before are spared in the same way", async () => {
    const { till, base } = await largeRow();
    const edits = Array.from({ length: fitting + 4 }, () => till.mint(edit("p-1", base, { name: "" })));
    for (const operation of edits) await till.send(operation);
    const again = await till.push(...edits);
    expect(carrying(again, "server")).toEqual([false, false, false, ...Array(fitting + 1).fill(true)]);
  });
});
