import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../src/protocol/constants.ts";
import { count, edit, product, ServerWorld, type Sketch, sale } from "../../support/world.ts";

const open = { read: "everyone", create: "everyone" } as const;
const openRecord = { ...open, update: "everyone", delete: "everyone" } as const;
const customer = (id: string) => ({ action: "create", collection: "customers", entityId: id, data: { name: "Ann" } });

/** A shop whose sales, or products, are decided by the function. */
const withSales = (decide: unknown, reads?: unknown) =>
  ServerWorld.open({ sales: { scope: "tenant", allow: open, decide, reads } as never });
const withProducts = (decide: unknown, reads?: unknown) =>
  ServerWorld.open({ products: { scope: "tenant", allow: openRecord, decide, reads } as never });

describe("what a policy may not answer", () => {
  test.each<[string, unknown]>([
    ["a text", "applied"],
    ["a list", [{ outcome: "applied" }]],
    ["a refusal without a code", { outcome: "quarantined", message: "No" }],
    ["a refusal without a message", { outcome: "rejected", code: "no" }],
    ["assigned values that are a text", { outcome: "applied", assigned: "7" }],
    ["an assigned function", { outcome: "applied", assigned: { orderNumber: () => "7" } }],
    ["a flag that is a text", { outcome: "applied", flags: ["big"] }],
    ["a flag without a code", { outcome: "applied", flags: [{ message: "Big" }] }],
    ["a discrepancy that is nothing", { outcome: "applied", discrepancies: [null] }],
    ["a discrepancy of no product", { outcome: "applied", discrepancies: [{ expected: 1, available: 0 }] }],
    ["a discrepancy that expects no number", { outcome: "applied", discrepancies: [{ product: "p", available: 0 }] }],
    ["a discrepancy without a number", { outcome: "applied", discrepancies: [{ product: "p", expected: 1 }] }],
    ["an effect that is nothing", { outcome: "applied", effects: [null] }],
    ["an effect without an id", { outcome: "applied", effects: [{ collection: "customers", create: { name: "x" } }] }],
    ["an effect of no collection", { outcome: "applied", effects: [{ id: "c-1", create: { name: "x" } }] }],
    ["a field to leave out that is no name", { outcome: "applied", without: [5] }],
    ["to leave out what the schema requires", { outcome: "applied", without: ["totalCents"] }],
  ])("%s: the sale is set aside, and the operator reads whose policy it was", async (_what, answer) => {
    const world = await withSales(() => answer);
    const sent = await world.till().send(sale("s-1"));
    expect(sent).toMatchObject({ status: "quarantined", error: { code: "policy_failed" } });
    expect(await world.row("sales", "s-1")).toBeUndefined();
    expect(world.logged).toContainEqual({
      level: "error",
      message: expect.stringContaining("`sales`"),
      fields: { collection: "sales", member: "decide", operation: sent.id },
    });
  });
  test("a promise that fails later fails nowhere else", async () => {
    const world = await withSales(() => Promise.reject(new Error("later")));
    expect(await world.till().send(sale("s-1"))).toMatchObject({ error: { code: "policy_failed" } });
  });
  test("to leave fields out of an edit: it comes again once the policy is repaired", async () => {
    const world = await withProducts(() => ({ outcome: "applied", without: ["note"] }));
    const sent = await world.till().send(product("p-1", { name: "Cola", note: "x" }));
    expect(sent).toMatchObject({ status: "retry", error: { code: "policy_failed" } });
    expect(world.logged).toMatchObject([{ level: "info" }, { level: "error", fields: { collection: "products" } }]);
  });
});

describe("what a policy may answer", () => {
  test("nothing but the outcome, also for an edit with empty lists", async () => {
    const lists = { without: [], flags: [], discrepancies: [], effects: [] };
    const world = await withProducts(() => ({ outcome: "applied", ...lists }));
    const sent = await world.till().send(product("p-1"));
    expect(sent).toMatchObject({ status: "applied" });
    expect(sent).not.toHaveProperty("flags");
    expect(sent).not.toHaveProperty("assigned");
  });
  test("what is no list counts as none, and an assigned value that is undefined as not assigned", async () => {
    const world = await withSales(() => ({ outcome: "applied", flags: "big", assigned: { orderNumber: undefined } }));
    const sent = await world.till().send(sale("s-1"));
    expect(sent).toMatchObject({ status: "applied" });
    expect(sent).not.toHaveProperty("flags");
    expect(sent).not.toHaveProperty("assigned");
    expect(sent).not.toHaveProperty("data");
  });
  test("flags with and without a message, and nothing else in them", async () => {
    const flags = [
      { code: "big", message: "Over 100", more: 1 },
      { code: "late", message: 5 },
    ];
    const world = await withSales(() => ({ outcome: "applied", flags }));
    expect(await world.till().send(sale("s-1"))).toMatchObject({
      flags: [{ code: "big", message: "Over 100" }, { code: "late" }],
    });
    const stored = (await world.operation((await world.till().send(sale("s-2"))).id))?.result;
    expect(stored).toMatchObject({ status: "applied" });
    expect(stored !== undefined && "flags" in stored && stored.flags).toEqual([
      { code: "big", message: "Over 100" },
      { code: "late" },
    ]);
  });
  test("assigned values of the size that the protocol allows", async () => {
    const orderNumber = "x".repeat(LIMITS.assignedBytes - JSON.stringify({ orderNumber: "" }).length);
    const world = await withSales(() => ({ outcome: "applied", assigned: { orderNumber } }));
    expect(await world.till().send(sale("s-1"))).toMatchObject({ status: "applied", assigned: { orderNumber } });
  });
  test("to set an edit aside, for people to decide", async () => {
    const world = await withProducts(() => ({ outcome: "quarantined", code: "check", message: "Check" }));
    expect(await world.till().send(product("p-1"))).toMatchObject({ status: "quarantined", error: { code: "check" } });
  });
  test("a refusal with what is wrong where, for the form of the till", async () => {
    const issues = [{ path: "priceCents", message: "Too low" }];
    const world = await withProducts(() => ({ outcome: "rejected", code: "price", message: "No", issues }));
    expect((await world.till().send(product("p-1"))) as object).toMatchObject({
      status: "rejected",
      error: { code: "price", message: "No", issues },
    });
  });
  test.each<[string, unknown]>([
    ["a text", "priceCents"],
    ["one without a path", [{ path: "a", message: "b" }, { message: "Too low" }]],
    ["one without a message", [{ path: "priceCents" }, { path: "a", message: "b" }]],
    ["one that is nothing", [null]],
  ])("its issues are dropped if they are %s; the refusal stands", async (_what, issues) => {
    const world = await withProducts(() => ({ outcome: "rejected", code: "price", message: "No", issues }));
    const sent = await world.till().send(product("p-1"));
    expect(sent).toMatchObject({ status: "rejected", error: { code: "price" } });
    expect("error" in sent && sent.error).not.toHaveProperty("issues");
  });
  test("to leave a field out of a fact: the till is told what is stored", async () => {
    const world = await withSales(() => ({ outcome: "applied", without: ["customerId"] }));
    const sent = await world.till().send(sale("s-1", { totalCents: 5, customerId: "c-1" }));
    expect(sent).toMatchObject({ status: "applied", data: { totalCents: 5 } });
    expect("data" in sent && sent.data).not.toHaveProperty("customerId");
    expect((await world.row("sales", "s-1"))?.data).toEqual({ totalCents: 5 });
  });
  test("a discrepancy without a flag gets one, each flag its own, and other flags none", async () => {
    const discrepancies = ["p-1", "p-2"].map((name) => ({ product: name, expected: 2, available: 1 }));
    const flags = [{ code: "big" }, { code: "stock_discrepancy" }];
    const world = await withSales(() => ({ outcome: "applied", flags, discrepancies }));
    const sent = await world.till().send(sale("s-1"));
    expect("flags" in sent && sent.flags).toEqual([
      { code: "big" },
      { code: "stock_discrepancy", discrepancyId: `${sent.id}-0` },
      { code: "stock_discrepancy", discrepancyId: `${sent.id}-1` },
    ]);
    expect(await world.read({ kind: "discrepancies", after: 0, limit: 10 })).toMatchObject([
      { id: `${sent.id}-0`, operationId: sent.id, product: "p-1" },
      { id: `${sent.id}-1`, operationId: sent.id, product: "p-2" },
    ]);
  });
  test("a flag of a discrepancy that is not recorded stays a flag", async () => {
    const world = await withSales(() => ({ outcome: "applied", flags: [{ code: "stock_discrepancy" }] }));
    const sent = await world.till().send(sale("s-1"));
    expect("flags" in sent && sent.flags).toStrictEqual([{ code: "stock_discrepancy" }]);
  });
});

describe("what a policy is asked with", () => {
  async function asked() {
    const inputs: Record<string, unknown>[] = [];
    const world = await withProducts((input: Record<string, unknown>) => {
      inputs.push(input);
      return { outcome: "applied" };
    });
    const till = world.till("till", { branch: "north", actor: "ann" });
    return { world, till, last: () => inputs.at(-1) };
  }

  test("a create: the record as it will be, who asks, and when", async () => {
    const { world, till, last } = await asked();
    const { now } = world;
    const sent = await till.send(product("p-1", { name: "  Cola  " }));
    expect(last()).toEqual({
      operation: {
        id: sent.id,
        entityId: "p-1",
        action: "create",
        actor: undefined,
        occurredAt: Date.UTC(2026, 10, 20, 8),
        data: { id: "p-1", name: "Cola", priceCents: 0, stock: 0 },
      },
      current: undefined,
      next: { id: "p-1", name: "Cola", priceCents: 0, stock: 0 },
      principal: expect.objectContaining({ branch: "north", actor: "ann" }),
      rows: {},
      receivedAt: now,
      epoch: 1,
    });
  });
  test("an update: what it sets and what it removes, with the record before and after", async () => {
    const { till, last } = await asked();
    await till.push(product("p-1", { name: "Cola", note: "cold" }));
    await till.send(edit("p-1", 0, { priceCents: 5 }, { unset: ["note"] }));
    expect(last()).toMatchObject({
      operation: { action: "update", patch: { priceCents: 5, note: undefined } },
      current: { id: "p-1", note: "cold", priceCents: 0 },
      next: { id: "p-1", priceCents: 5 },
    });
    const { operation } = last() as { operation: { patch: object } };
    expect(operation.patch).toHaveProperty("note");
    await till.send(edit("p-1", 0, { priceCents: 6 }));
    expect(Object.keys((last() as { operation: { patch: object } }).operation.patch)).toEqual(["priceCents"]);
  });
  test("an increment: its steps; a deletion: no record after it; a create over it: none before", async () => {
    const { till, last } = await asked();
    await till.push(product("p-1"));
    await till.send(count("p-1", 2));
    expect(last()).toMatchObject({ operation: { by: { stock: 2 } }, current: { stock: 0 }, next: { stock: 2 } });
    await till.send({ action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 });
    expect(last()).toMatchObject({ operation: { action: "delete" }, current: { stock: 2 }, next: undefined });
    await till.send(product("p-1"));
    expect(last()).toMatchObject({ current: undefined, next: { stock: 2 } });
  });
  test("nothing that it may write into", async () => {
    const { till, last } = await asked();
    await till.push(product("p-1"), edit("p-1", 0, { priceCents: 1 }));
    const { operation, current, next } = last() as Record<string, object>;
    expect([operation, current, next].map((part) => Object.isFrozen(part))).toEqual([true, true, true]);
  });
});

describe("the rows that a policy names", () => {
  const verdictOf = (rows: Record<string, ReadonlyMap<string, object>>) => ({
    outcome: "applied",
    flags: Object.keys(Object.getPrototypeOf(rows)).map((name) => ({
      code: name,
      message: JSON.stringify([...(rows[name] ?? [])]),
    })),
  });
  const decide = ({ rows }: { rows: never }) => verdictOf(rows);

  test("are those that live; every other collection is empty", async () => {
    const world = await withSales(decide, () => ({ customers: ["c-1", "c-2", "c-3", 5], products: undefined }));
    const till = world.till();
    await till.push(customer("c-1"), customer("c-2"));
    await till.send({ action: "delete", collection: "customers", entityId: "c-2", baseVersion: 2 ** 52 });
    const sent = await till.send(sale("s-1"));
    const none = ["products", "shifts", "sales", "payments"].map((code) => ({ code, message: "[]" }));
    expect("flags" in sent && sent.flags).toEqual(expect.arrayContaining(none));
    const found = "flags" in sent ? sent.flags?.find(({ code }) => code === "customers")?.message : undefined;
    expect(JSON.parse(found ?? "")).toMatchObject([["c-1", { id: "c-1", name: "Ann", points: 0 }]]);
  });
  test.each<[string, () => Sketch]>([
    ["create", () => product("p-2", { name: "c-1" })],
    ["update", () => edit("p-1", 2 ** 52, { note: "c-2" })],
    ["increment", () => count("p-1", 1)],
  ])("of a %s are read together with its own: one round is enough", async (_what, sketch) => {
    type Asked = { entityId: string; data?: { name: string; id: string }; patch?: { note: string }; by?: object };
    const reads = ({ operation: { data, patch, by } }: { operation: Asked }) => ({
      customers: [data?.name, data?.id, patch?.note, by === undefined ? undefined : "c-9"],
    });
    const world = await withProducts(() => ({ outcome: "applied" }), reads);
    const till = world.till();
    await till.send(product("p-1"));
    expect(await till.rounds(sketch())).toBe(2);
  });
  test("are known when it is asked, though they could not be guessed: it is asked once", async () => {
    const found: unknown[] = [];
    const world = await withProducts(
      ({ rows }: { rows: { customers: ReadonlyMap<string, object> } }) => {
        found.push([...rows.customers.keys()]);
        return { outcome: "applied" };
      },
      ({ operation }: { operation: { data: { stock?: number } } }) => ({ customers: [`c-${operation.data.stock}`] }),
    );
    await world.till().send(customer("c-0"));
    await world.till().send(product("p-1", { name: "Cola" }));
    expect(found).toEqual([["c-0"]]);
  });
  test("are guessed from what no schema has checked: a guess that fails refuses nothing", async () => {
    const world = await withSales(decide, ({ operation }: { operation: { data: { customerId: string } } }) => ({
      customers: [operation.data.customerId.trim()],
    }));
    const till = world.till();
    expect(await till.send(sale("s-1", { totalCents: 1, customerId: 5 }))).toMatchObject({
      status: "quarantined",
      error: { code: "validation_failed" },
    });
    expect(await till.send(sale("s-2", { totalCents: 1, customerId: " c-1 " }))).toMatchObject({ status: "applied" });
  });
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a list", ["customers"]],
    ["an unknown collection", { clients: ["c-1"] }],
    ["an id without a list", { customers: "c-1" }],
  ])("as %s: the policy has failed, and the log says where", async (_what, named) => {
    const world = await withSales(decide, () => named);
    expect(await world.till().send(sale("s-1"))).toMatchObject({
      status: "quarantined",
      error: { code: "policy_failed" },
    });
    expect(world.logged.filter(({ level }) => level === "error")).toMatchObject([{ fields: { member: "reads" } }]);
  });
  test("by a function that throws: the policy has failed", async () => {
    const world = await withSales(decide, () => {
      throw new Error("bug");
    });
    expect(await world.till().send(sale("s-1"))).toMatchObject({ error: { code: "policy_failed" } });
    expect(world.logged.filter(({ level }) => level === "error")).toMatchObject([
      { message: expect.stringContaining("bug"), fields: { member: "reads" } },
    ]);
  });
});
