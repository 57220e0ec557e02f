/** [H4] [C1] Steps for which their counter has no room: the sale counts, and the step alone waits for people. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { UnknownOperation } from "../../../../src/protocol/types.ts";
import { defineCollection } from "../../../../src/schema/define-collection.ts";
import {
  discardedVerdict,
  flagFacts,
  isLeftOut,
  standsAlone,
} from "../../../../src/server/decide/operation/out-of-range.ts";
import type { Catalog } from "../../../../src/server/decide/rows/catalog.ts";
import type { WorkingSet } from "../../../../src/server/decide/rows/working-set.ts";
import { operationRow, quarantinedRow } from "../../../../src/server/testing/rows.ts";
import { collections, type Shop } from "../../support/shop.ts";
import { count, payment, ServerWorld, type Sketch, sale } from "../../support/world.ts";

const bounded = {
  ...collections,
  products: defineCollection({
    schema: z.object({ name: z.string(), stock: z.int().default(0), reserved: z.int().default(0) }),
    counters: ["stock", "reserved"],
    counterBounds: { stock: { maxStep: 100, min: -10, max: 10 }, reserved: { max: 5 } },
  }),
} as unknown as Shop;
const open = (more: Parameters<typeof ServerWorld.open>[0] = {}) => ServerWorld.open(more, bounded);
const tx = { transaction: "t-1" };
const full = count("p-1", 10);
const LEFT_OUT = { status: "quarantined", error: { code: "counter_out_of_range" } };
const flag = (id: string, counter = "stock") => ({
  code: "counter_out_of_range",
  message: `products/${id}/${counter}`,
});
const stock = async (world: ServerWorld, id = "p-1") => (await world.row("products", id))?.counters.stock ?? 0;
const doubting = (code = "check") => ({
  sales: {
    scope: "tenant" as const,
    allow: { read: "everyone" as const, create: "everyone" as const },
    decide: ({ operation }: { operation: unknown }) =>
      (operation as { data: { totalCents: number } }).data.totalCents < 0
        ? ({ outcome: "quarantined", code, message: "below zero" } as const)
        : ({ outcome: "applied" } as const),
  },
});

describe("a step for which there is no room", () => {
  test.each<[string, number, string]>([
    ["above the largest sum", 1, "out of its range"],
    ["larger than any step may be", 101, "at most 100"],
    ["larger than any step may be, downwards", -101, "at most 100"],
  ])("is set aside alone: %s", async (_what, by, says) => {
    const world = await open();
    const till = world.till();
    await till.send(full);
    const result = await till.send(count("p-1", by));
    expect(result).toMatchObject({
      ...LEFT_OUT,
      error: { issues: [{ path: "by.stock", message: expect.stringContaining(says) }] },
    });
    expect(await stock(world)).toBe(10);
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([result.id]);
  });

  test("does not take the sale along, nor the other steps: they are applied, and each fact names the counter", async () => {
    const world = await open();
    const till = world.till();
    await till.send(full);
    const results = await till.push(
      sale("s-1", { totalCents: 5 }, tx),
      payment("y-1", "s-1", tx),
      count("p-1", 1, tx),
      count("p-2", 2, tx),
    );
    expect(results).toMatchObject([
      { status: "applied", flags: [flag("p-1")] },
      { status: "applied", flags: [flag("p-1")] },
      LEFT_OUT,
      { status: "applied" },
    ]);
    expect([await stock(world), await stock(world, "p-2")]).toEqual([10, 2]);
    // What is stored is what was answered, also to those who ask again [H9].
    for (const { id, ...result } of results) expect((await world.operation(id))?.result).toMatchObject(result);
  });

  test("is all of one operation: a step of two counters is left out as a whole", async () => {
    const world = await open();
    const till = world.till();
    const both = { action: "increment", collection: "products", entityId: "p-1", by: { stock: 1, reserved: 6 } };
    expect(await till.push(sale("s-1", { totalCents: 5 }, tx), { ...both, ...tx })).toMatchObject([
      { flags: [flag("p-1", "reserved")] },
      LEFT_OUT,
    ]);
    expect(await stock(world)).toBe(0);
  });

  test("of many on one sale, five are named", async () => {
    const world = await open();
    const steps = Array.from({ length: 9 }, (_, at) => count(`p-${at}`, 11, tx));
    const [sold] = await world.till().push(sale("s-1", { totalCents: 5 }, tx), ...steps);
    expect(sold).toMatchObject({ status: "applied", flags: [0, 1, 2, 3, 4].map((at) => flag(`p-${at}`)) });
  });

  test("a value that is out of its bounds may come nearer", async () => {
    const world = await open();
    const till = world.till();
    const loose = await ServerWorld.open();
    await loose.till().send(count("p-1", 50));
    const [row] = await loose.read({ kind: "records", keys: [{ collection: "products", id: "p-1" }] });
    await world.decided({
      decide: (ws) => ws.putRecord({ ...(row as never as object), version: ws.take("import") } as never),
    });
    expect(await till.send(count("p-1", 1))).toMatchObject(LEFT_OUT);
    expect(await till.send(count("p-1", -1))).toMatchObject({ status: "applied", flags: [{ code: "unknown_row" }] });
    expect(await stock(world)).toBe(49);
  });
});

describe("what people do with it", () => {
  async function leftOut() {
    const world = await open();
    const till = world.till();
    await till.send(full);
    const [sold, , one, other] = await till.push(
      sale("s-1", { totalCents: 5 }, tx),
      payment("y-1", "s-1", tx),
      count("p-1", 2, tx),
      count("p-1", 3, tx),
    );
    return { world, till, sold: sold?.id ?? "", one: one?.id ?? "", other: other?.id ?? "" };
  }

  test("while there is no room, it can't be released, and nothing changes", async () => {
    const { world, one } = await leftOut();
    expect(await world.release(one)).toMatchObject({ kind: "refused", issues: [{ path: "by.stock" }] });
    expect(await world.operation(one)).toMatchObject({ revision: 0, result: LEFT_OUT });
  });

  test("once there is room, it is added once, and the other one waits on", async () => {
    const { world, till, one, other } = await leftOut();
    await till.send(count("p-1", -3));
    expect(await world.release(one)).toMatchObject({ kind: "revised", results: [{ id: one, status: "applied" }] });
    expect(await stock(world)).toBe(9);
    expect(await world.release(one)).toEqual({ kind: "not_quarantined" });
    expect(await world.release(other)).toMatchObject({ kind: "refused" });
    expect(await stock(world)).toBe(9);
  });

  test("it is discarded alone, also when another one of its sale was discarded before", async () => {
    const { world, till, sold, one, other } = await leftOut();
    expect(await world.discard(one)).toMatchObject({ kind: "revised", results: [{ id: one }] });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([other]);
    await world.discard(other);
    await till.send(count("p-1", -10));
    // Whoever takes the one up again does not take up the other one.
    expect(await till.send(count("p-1", 2, { supersedes: [one] }))).toMatchObject({ status: "applied" });
    expect(await stock(world)).toBe(2);
    expect(await world.operation(other)).toMatchObject({ status: "quarantined", revision: 1 });
    expect(await world.operation(sold)).toMatchObject({ status: "applied", revision: 0 });
  });

  test("a till sends it again: it is added once, and the old one never", async () => {
    const { world, till, one } = await leftOut();
    expect(await till.send(count("p-1", 2, { supersedes: [one] }))).toMatchObject(LEFT_OUT);
    await till.send(count("p-1", -5));
    const again = (await world.quarantined()).at(-1)?.id ?? "";
    expect(await till.send(count("p-1", 2, { supersedes: [one, again] }))).toMatchObject({ status: "applied" });
    expect(await world.release(one)).toEqual({ kind: "not_quarantined" });
    expect(await stock(world)).toBe(7);
  });

  test("a void closes it, and nothing else", async () => {
    const { world, till, one, other } = await leftOut();
    const closed = { action: "void", collection: "products", entityId: "p-1", supersedes: [one] };
    expect(await till.send(closed)).toMatchObject({ status: "applied" });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([other]);
  });
});

describe("a sale that is set aside for a reason of its own", () => {
  const doubtful = (...steps: Sketch[]) => [
    sale("s-1", { totalCents: -1 }, tx),
    payment("y-1", "s-1", tx),
    ...steps.map((step) => ({ ...step, ...tx })),
  ];

  test("keeps its step with it, and is released without it: the step waits on alone", async () => {
    const world = await open(doubting());
    const till = world.till();
    await till.send(full);
    const [sold, paid, step] = await till.push(...doubtful(count("p-1", 4)));
    expect(step).toMatchObject({ status: "quarantined", error: { code: "transaction_quarantined" } });
    expect(await world.release(step?.id ?? "")).toMatchObject({
      kind: "revised",
      results: [
        { id: sold?.id, status: "applied", flags: [{ code: "check" }, flag("p-1")] },
        { id: paid?.id, status: "applied", flags: [flag("p-1")] },
        { id: step?.id, ...LEFT_OUT },
      ],
    });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([step?.id]);
    await till.send(count("p-1", -4));
    expect(await world.release(step?.id ?? "")).toMatchObject({ kind: "revised" });
    expect(await stock(world)).toBe(10);
  });

  test("is corrected without it, and the correction says so", async () => {
    const world = await open(doubting());
    const till = world.till();
    await till.send(full);
    const [sold, paid, step] = await till.push(...doubtful(count("p-1", 4)));
    const corrected = await till.send(sale("s-1", { totalCents: 5 }, { supersedes: [sold?.id] }));
    expect(corrected).toMatchObject({ status: "applied", flags: [flag("p-1")] });
    expect(await world.operation(paid?.id ?? "")).toMatchObject({ result: { flags: [flag("p-1")] } });
    expect(await world.operation(step?.id ?? "")).toMatchObject({ result: LEFT_OUT });
  });

  test("a correction of its step alone waits with it, though there is no room for it", async () => {
    const world = await open(doubting());
    const till = world.till();
    await till.send(full);
    const [sold, , step] = await till.push(...doubtful(count("p-1", 4)));
    const corrected = await till.send(count("p-1", 5, { supersedes: [step?.id] }));
    expect(corrected).toMatchObject({ status: "quarantined", error: { code: "transaction_quarantined" } });
    expect(await world.release(corrected.id)).toMatchObject({
      kind: "revised",
      results: [{ id: sold?.id, status: "applied" }, { status: "applied" }, { id: corrected.id, ...LEFT_OUT }],
    });
  });

  test("may be set aside by its policy with the code of a step: it is not torn from its payment", async () => {
    const world = await open(doubting("counter_out_of_range"));
    const [sold, paid] = await world.till().push(...doubtful());
    expect(paid).toMatchObject({ error: { code: "transaction_quarantined" } });
    expect(await world.discard(sold?.id ?? "")).toMatchObject({ results: [{ id: sold?.id }, { id: paid?.id }] });
  });
});

describe("an effect for which there is no room", () => {
  const adding = (increment: object) => ({
    sales: {
      scope: "tenant" as const,
      allow: { read: "everyone" as const, create: "everyone" as const },
      decide: () => ({ outcome: "applied", effects: [{ collection: "products", id: "p-1", increment }] }) as never,
    },
  });
  test.each<[string, object, readonly string[]]>([
    ["of one counter", { stock: 11 }, ["products/p-1/stock"]],
    ["of a step that is too large", { stock: 101 }, ["products/p-1/stock"]],
    ["of two", { stock: 11, reserved: 6 }, ["products/p-1/stock, products/p-1/reserved"]],
  ])("is a flag on the sale: %s", async (_what, increment, names) => {
    const world = await open(adding(increment));
    expect(await world.till().send(sale("s-1", { totalCents: 5 }))).toMatchObject({
      status: "applied",
      flags: names.map((message) => ({ code: "counter_out_of_range", message })),
    });
    expect(await world.row("products", "p-1")).toBeUndefined();
    expect(await world.quarantined()).toEqual([]);
  });
  test.each<[string, object]>([
    ["no counter", { name: 1 }],
    ["no integer", { stock: "0.5" }],
  ])("that no data could make valid is a fault of the policy: %s", async (_what, increment) => {
    const world = await open(adding(increment));
    expect(await world.till().send(sale("s-1", { totalCents: 5 }))).toMatchObject({
      status: "quarantined",
      error: { code: "policy_failed" },
    });
  });
});

describe("a stored operation", () => {
  const step = { action: "increment", by: { stock: 1 } } as unknown as UnknownOperation;
  const sold = { action: "create" } as unknown as UnknownOperation;
  const issues = [{ path: "by.stock", message: "too much" }];
  const row = (
    operation: UnknownOperation | undefined,
    code: string,
    more: { readonly issues?: typeof issues; readonly status?: string } = {},
  ) => {
    const { status = "quarantined", ...rest } = more;
    const result = { id: "o-1", status, error: { code, message: "", ...rest } };
    return quarantinedRow("o-1", 1, { operation, result, status } as never);
  };
  const leftOut = row(step, "counter_out_of_range", { issues });

  test.each([
    ["a step with its code", leftOut, true],
    ["a sale that a policy gave the code", row(sold, "counter_out_of_range"), false],
    ["a step that waits for another reason", row(step, "branch_mismatch"), false],
    ["a step that was rejected", row(step, "counter_out_of_range", { status: "rejected" }), false],
    ["what was never seen", row(undefined, "counter_out_of_range"), false],
    ["a step that was applied", operationRow("o-1", 1, { operation: step as never }), false],
  ])("was left out of a sum, or not: %s", (_what, stored, expected) => {
    expect(isLeftOut(stored.operation, stored.result as never)).toBe(expected);
    expect(standsAlone(stored)).toBe(expected);
  });

  test.each([
    ["a step that was left out before", row(step, "discarded", { issues: [] }), true],
    ["a step that was discarded with its sale", row(step, "discarded"), false],
    ["a sale", row(sold, "discarded", { issues }), false],
    ["a step that names its faults for another reason", row(step, "validation_failed", { issues }), false],
    ["what was never seen", row(undefined, "discarded", { issues }), false],
  ])("stands alone once it is discarded, or not: %s", (_what, stored, expected) => {
    expect(standsAlone(stored)).toBe(expected);
  });

  test("that stands alone still says so when it is discarded, and no other one does", () => {
    const discarded = (stored: typeof leftOut) => discardedVerdict(stored, "why").error;
    expect(discarded(leftOut)).toEqual({ code: "discarded", message: "why", issues });
    expect(discarded(row(step, "counter_out_of_range"))).toEqual({ code: "discarded", message: "why", issues: [] });
    expect(discarded(row(sold, "validation_failed", { issues }))).toEqual({ code: "discarded", message: "why" });
  });

  test("is flagged if it is a fact that was made and applied, and nothing else is", () => {
    const flag = { code: "counter_out_of_range", message: "products/p-1/stock" };
    const applied = (id: string, more: object) => operationRow(id, 1, { operation: sold as never, ...more });
    const rows = new Map(
      [
        applied("fact", {}),
        applied("flagged before", { result: { id: "f", status: "applied", version: 1, flags: [{ code: "x" }] } }),
        applied("record", { collection: "products" }),
        applied("given up", { operation: { action: "void" } }),
        applied("never seen", { operation: undefined }),
        { ...row(sold, "branch_mismatch"), id: "set aside" },
        // Its policy gave it the code of a step: it names no counter.
        { ...row(sold, "counter_out_of_range", { issues }), id: "set aside by a policy" },
        { ...leftOut, id: "step", collection: "products", entityId: "p-1" },
        { ...row(step, "counter_out_of_range"), id: "step without issues" },
      ].map((stored) => [stored.id, stored] as const),
    );
    const put = new Map<string, unknown>();
    const ws = {
      operation: (id: string) => rows.get(id),
      putOperation: ({ id, result }: { id: string; result: { flags?: unknown } }) => put.set(id, result.flags),
    } as unknown as WorkingSet;
    const kinds = { sales: "fact", products: "record" };
    const catalog = {
      collections: new Map(Object.entries(kinds).map(([name, kind]) => [name, { resolved: { kind } }])),
    } as unknown as Catalog;
    flagFacts(ws, catalog, [...rows.keys(), "unknown"]);
    expect([...put]).toEqual([
      ["fact", [flag]],
      ["flagged before", [{ code: "x" }, flag]],
    ]);
  });
});
