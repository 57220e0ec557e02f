import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/protocol/constants.ts";
import { count, edit, payment, product, quarrel, ServerWorld, sale, uuid } from "../support/world.ts";

const tx = { transaction: "t-1" };
const voiding = (supersedes: readonly string[], more: object = {}) => ({
  action: "void",
  collection: "products",
  entityId: "p-1",
  supersedes,
  ...more,
});

describe("the members of a transaction", () => {
  test("are answered once each, at the place of the first; what stood between them comes after", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const [sold, other, change, paid] = [
      till.mint(sale("s-1", { totalCents: 5 }, tx)),
      till.mint(sale("s-2")),
      till.mint({ ...product("p-1"), ...tx }),
      till.mint(payment("y-1", "s-1", tx)),
    ];
    const outcome = await till.outcome([sold, other, change, paid]);
    const results = outcome.kind === "answered" ? outcome.results : [];
    expect(results.map(({ id, status, replayed }) => [id, status, replayed])).toEqual(
      [sold, paid, other, change].map(({ id }) => [id, "applied", undefined]),
    );
  });
  test("that arrive later than the rest are judged alone: after a sale that was applied, and one that was not", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push(sale("s-1", { totalCents: 5 }, tx));
    expect(await till.send(payment("y-1", "s-1", tx))).toMatchObject({ status: "applied" });
    const bad = { transaction: "t-2" };
    const aside = till.mint(sale("s-2", { totalCents: "x" }, bad));
    await till.push(aside);
    expect(await till.push(aside, count("p-1", -1, bad))).toMatchObject([
      { status: "quarantined", replayed: true },
      { status: "applied" },
    ]);
    const edits = { transaction: "t-3" };
    await till.push({ ...product("p-1"), ...edits });
    expect(await till.send({ ...product("p-2"), ...edits })).toMatchObject({ status: "applied" });
  });
  test("may be as many as the protocol says, and no more", async () => {
    const world = await ServerWorld.open();
    const counts = (transaction: string, length: number) =>
      Array.from({ length }, (_, n) => count(`p-${n}`, 1, { transaction }));
    const all = await world.till("a").push(...counts("t-1", LIMITS.transactionOperations));
    expect(all.every(({ status }) => status === "applied")).toBe(true);
    const more = await world.till("b").push(...counts("t-2", LIMITS.transactionOperations + 1));
    expect(more.every(({ status }) => status === "quarantined")).toBe(true);
    expect(more[0]).toMatchObject({ error: { code: "too_large" } });
    expect((await world.row("products", "p-0"))?.counters).toEqual({ stock: 1 });
  });
  test("may have as many bytes as the protocol says together, and no more", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const sized = (transaction: string, bytes: number) => {
      const parts = [1, 2, 3, 4].map((n) =>
        till.mint({ ...product(`${transaction}-${n}`, { name: "x", note: "" }), transaction }),
      );
      let left = bytes - parts.reduce((sum, part) => sum + JSON.stringify(part).length, 0);
      return parts.map((part, index) => {
        const size = index === parts.length - 1 ? left : Math.floor(bytes / parts.length) - 500;
        left -= size;
        return { ...part, data: { name: "x", note: "x".repeat(size) } } as typeof part;
      });
    };
    const fitting = await till.push(...sized("t-1", LIMITS.transactionBytes));
    expect(fitting.map(({ status }) => status)).toEqual(Array(4).fill("applied"));
    const larger = await till.push(...sized("t-2", LIMITS.transactionBytes + 1));
    expect(larger).toMatchObject(Array(4).fill({ status: "rejected", error: { code: "too_large" } }));
  });
});

describe("voids in a transaction", () => {
  test("go with the sale beside them, whatever their collection: set aside with it, they replace nothing", async () => {
    const { world, b, lost } = await quarrel();
    const [undo, sold] = await b.push(voiding([lost.id], tx), sale("s-1", { totalCents: "x" }, tx));
    expect(undo).toMatchObject({ status: "quarantined", error: { code: "transaction_quarantined" } });
    expect(sold).toMatchObject({ status: "quarantined", error: { code: "validation_failed" } });
    expect(await world.operation(lost.id)).toMatchObject({ status: "conflict" });
  });
  test("alone are edits: if one comes too late, the others wait for it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const [first, second] = await till.push(sale("s-1", { totalCents: "x" }), sale("s-2", { totalCents: "x" }));
    const undo = (id: string, of: string | undefined) =>
      voiding([of ?? ""], { collection: "sales", entityId: id, ...tx });
    await till.send({ ...undo("s-1", first?.id), transaction: undefined });
    const [late, waiting] = await till.push(undo("s-1", first?.id), undo("s-2", second?.id));
    expect(late).toMatchObject({ status: "rejected", error: { code: "already_superseded" } });
    expect(waiting).toMatchObject({ status: "blocked", by: [late?.id] });
    expect((await world.operation(second?.id ?? ""))?.supersededBy).toBeUndefined();
  });
});

describe("if a member must wait, so do the others", () => {
  test("as long as the one that the server can't judge yet, and nothing is written", async () => {
    const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const decide = () => {
      throw new Error("bug");
    };
    const world = await ServerWorld.open({ products: { scope: "tenant", allow, decide } });
    const till = world.till();
    const customer = { action: "create", collection: "customers", entityId: "c-1", data: { name: "Ann" }, ...tx };
    const results = await till.push(customer, { ...product("p-1"), ...tx });
    const retry = { status: "retry", error: { code: "policy_failed" }, afterMs: 60_000 };
    expect(results).toMatchObject([retry, retry]);
    expect(results[0]?.id).not.toBe(results[1]?.id);
    expect(await world.row("customers", "c-1")).toBeUndefined();
  });
  test("and the operator reads of no refusal, because none is stored", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const waiting = payment("y-1", "s-1", { ...tx, after: [uuid(999_999)] });
    const results = await till.push(sale("s-1", { totalCents: "x" }, tx), waiting);
    expect(results.map(({ status }) => status)).toEqual(["blocked", "blocked"]);
    expect(world.logged.filter(({ message }) => message.startsWith("An operation was"))).toEqual([]);
  });
});

describe("if a member fails", () => {
  test("the operator reads of each refusal once", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const aside = await till.push(sale("s-1", { totalCents: "x" }, tx), payment("y-1", "s-1", tx));
    const edits = { transaction: "t-2" };
    const [, refused] = await till.push({ ...product("p-1"), ...edits }, { ...product("p-2", { name: "" }), ...edits });
    const told = world.logged.filter(({ message }) => message.startsWith("An operation was"));
    expect(told.map(({ fields }) => (fields as { operation: string }).operation)).toEqual([
      ...aside.map(({ id }) => id),
      refused?.id,
    ]);
  });
  test("of a sale, the one that is wrong keeps its reason, alone or with others", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    expect(await till.push(sale("s-1", { totalCents: "x" }, tx))).toMatchObject([
      { status: "quarantined", error: { code: "validation_failed" } },
    ]);
    const two = { transaction: "t-2" };
    const [good, bad, worse] = await till.push(
      sale("s-2", { totalCents: 5 }, two),
      payment("y-1", "s-2", { ...two, data: {} }),
      payment("y-2", "s-2", { ...two, data: { saleId: 5 } }),
    );
    expect(good).toMatchObject({
      error: { code: "transaction_quarantined", message: expect.stringContaining(bad?.id ?? "") },
    });
    expect([bad, worse]).toMatchObject(Array(2).fill({ error: { code: "validation_failed" } }));
  });
  test("of edits, its answer shows the row without what its siblings had done", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(product("p-1"));
    const version = await world.version("products", "p-1");
    const [, refused] = await till.push(
      edit("p-1", version, { name: "Tea" }, tx),
      edit("p-1", version, { note: 5 }, tx),
    );
    expect(refused).toMatchObject({ status: "rejected", server: { version, data: { name: "Cola" } } });
  });
  test("and shows no row, if a sibling had made it", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const [, refused] = await till.push({ ...product("p-1"), ...tx }, edit("p-1", 0, { note: 5 }, tx));
    expect(refused).toMatchObject({ status: "rejected", error: { code: "validation_failed" } });
    expect(refused).not.toHaveProperty("server");
    const two = { transaction: "t-2" };
    const [first, twice] = await till.push(
      { ...product("p-2"), ...two },
      { ...product("p-2", { name: "Tea" }), ...two },
    );
    expect(first).toMatchObject({ status: "blocked", by: [twice?.id] });
    expect(twice).toMatchObject({ status: "conflict", server: { version: 0, deleted: true } });
    expect("server" in twice! && twice.server).not.toHaveProperty("data");
  });
  test("its siblings go on with its replacement, though it is sent again itself", async () => {
    const { b, lost } = await quarrel();
    await b.send(product("p-2"));
    const failing = b.mint(edit("p-1", 0, { priceCents: 5 }, tx));
    const sibling = b.mint(edit("p-2", 2 ** 52, { name: "Fanta" }, tx));
    await b.push(failing, sibling);
    const better = b.mint(edit("p-1", 2 ** 52, { priceCents: 5 }, { ...tx, supersedes: [lost.id, failing.id] }));
    expect(await b.push(failing, better, sibling)).toMatchObject([
      { id: failing.id, replayed: true },
      { id: better.id, status: "applied" },
      { id: sibling.id, status: "applied" },
    ]);
  });
  test("what was applied holds nobody back, sent again beside a later member", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint({ ...product("p-1"), ...tx });
    await till.send(first);
    expect(await till.push(first, { ...product("p-2"), ...tx })).toMatchObject([
      { status: "applied", replayed: true },
      { status: "applied" },
    ]);
  });
  test("its siblings go on once it was called off", async () => {
    const { b, lost } = await quarrel();
    const failing = b.mint(edit("p-1", 0, { priceCents: 5 }, tx));
    const sibling = b.mint(edit("p-2", 0, { name: "Fanta" }, tx));
    await b.send(product("p-2"));
    expect(await b.push(failing, sibling)).toMatchObject([{ status: "conflict" }, { status: "blocked" }]);
    await b.send(voiding([failing.id, lost.id]));
    expect(await b.push(failing, sibling)).toMatchObject([
      { status: "rejected", replayed: true },
      { status: "applied" },
    ]);
  });
});
