import { describe, expect, test } from "vitest";
import { withBadges } from "../../support/shop.ts";
import { edit, product, ServerWorld, sale } from "../../support/world.ts";

const open = { read: "everyone", create: "everyone" } as const;
const customer = (id: string, data: object = { name: "Ann" }) => ({
  action: "create",
  collection: "customers",
  entityId: id,
  data,
});
const remove = (collection: string, entityId: string) => ({
  action: "delete",
  collection,
  entityId,
  baseVersion: 2 ** 52,
});

/** A shop in which every sale has the effects. */
const withEffects = (effects: readonly object[], used?: object) =>
  ServerWorld.open(
    { sales: { scope: "tenant", allow: open, decide: () => ({ outcome: "applied", effects }) } } as never,
    ...(used === undefined ? [] : [used as never]),
  );
const onCustomer = (effect: object, id = "c-1") => ({ collection: "customers", id, ...effect });

describe("an effect that creates a row", () => {
  test("writes it once, as the server: a till that edits the row has not seen it, and is in conflict [C5]", async () => {
    const world = await withEffects([onCustomer({ create: { id: "c-1", name: "Ann" } })]);
    const till = world.till();
    const sent = await till.send(sale("s-1"));
    expect(sent).toMatchObject({ status: "applied", data: { totalCents: 500 } });
    expect(sent).not.toHaveProperty("flags");
    expect(await world.row("customers", "c-1")).toMatchObject({
      state: "live",
      data: { name: "Ann", phone: null },
      createdVersion: await world.version("customers", "c-1"),
    });
    const change = { action: "update", collection: "customers", entityId: "c-1", baseVersion: 0 };
    expect(await till.send({ ...change, patch: { name: "Eve" } })).toMatchObject({
      status: "conflict",
      fields: ["name"],
    });
  });
  test("of a row that is there already with that content does nothing", async () => {
    const world = await withEffects([onCustomer({ create: { name: "Ann" } })]);
    const till = world.till();
    await till.send(customer("c-1"));
    const before = await world.row("customers", "c-1");
    const sent = await till.send(sale("s-1"));
    expect(sent).toMatchObject({ status: "applied" });
    expect(sent).not.toHaveProperty("flags");
    expect(await world.row("customers", "c-1")).toEqual(before);
  });
  test("does so too where the server had filled in a value since", async () => {
    const decide = () => ({ outcome: "applied", assigned: { badge: "gold" } }) as const;
    const allow = { ...open, update: "everyone", delete: "everyone" } as const;
    const sales = {
      scope: "tenant",
      allow: open,
      decide: () => ({ outcome: "applied", effects: [onCustomer({ create: { name: "Ann" } })] }),
    };
    const world = await ServerWorld.open(
      { sales, customers: { scope: "tenant", allow, decide } } as never,
      withBadges as never,
    );
    await world.till().send(customer("c-1"));
    expect(await world.till().send(sale("s-1"))).not.toHaveProperty("flags");
  });
  test("of a row with other content is a flag, and overwrites nothing", async () => {
    const world = await withEffects([onCustomer({ create: { name: "Eve" } })]);
    const till = world.till();
    await till.send(customer("c-1"));
    expect(await till.send(sale("s-1"))).toMatchObject({
      status: "applied",
      flags: [{ code: "id_collision", message: "customers/c-1" }],
    });
    expect((await world.row("customers", "c-1"))?.data).toMatchObject({ name: "Ann" });
  });
  test("of a deleted row begins its life again, and keeps its counters", async () => {
    const world = await withEffects([onCustomer({ create: { name: "Eve" } })]);
    const till = world.till();
    await till.push(customer("c-1"), {
      action: "increment",
      collection: "customers",
      entityId: "c-1",
      by: { points: 3 },
    });
    await till.send(remove("customers", "c-1"));
    await till.send(sale("s-1"));
    expect(await world.row("customers", "c-1")).toMatchObject({
      state: "live",
      data: { name: "Eve" },
      counters: { points: 3 },
      createdVersion: await world.version("customers", "c-1"),
    });
  });
});

describe("an effect that changes a row", () => {
  test("sets what it names, removes what is undefined, and stamps only those", async () => {
    const world = await withEffects([{ collection: "products", id: "p-1", patch: { name: "Tea", note: undefined } }]);
    const till = world.till();
    await till.send(product("p-1", { name: "Cola", priceCents: 5, note: "cold" }));
    const base = await world.version("products", "p-1");
    await till.send(sale("s-1"));
    expect((await world.row("products", "p-1"))?.data).toEqual({ name: "Tea", priceCents: 5 });
    expect(await till.send(edit("p-1", base, { note: "warm" }))).toMatchObject({ status: "conflict" });
    expect(await till.send(edit("p-1", base, { priceCents: 6 }))).toMatchObject({ status: "applied" });
  });
  test("of a deleted row is a flag that says so", async () => {
    const world = await withEffects([onCustomer({ patch: { name: "Eve" } })]);
    const till = world.till();
    await till.push(customer("c-1"), remove("customers", "c-1"));
    expect(await till.send(sale("s-1"))).toMatchObject({
      status: "applied",
      flags: [{ code: "deleted_row", message: "customers/c-1" }],
    });
    expect((await world.row("customers", "c-1"))?.state).toBe("deleted");
  });
  test("moves counters, also of a row that is not there yet or is gone", async () => {
    const step = { increment: { points: 2, litres: undefined } };
    const world = await withEffects([onCustomer(step), onCustomer(step, "c-2"), onCustomer(step, "c-9")]);
    const till = world.till();
    await till.push(customer("c-1"), customer("c-2"), remove("customers", "c-2"));
    expect(await till.send(sale("s-1"))).not.toHaveProperty("flags");
    expect(await world.row("customers", "c-1")).toMatchObject({
      state: "live",
      data: { name: "Ann" },
      counters: { points: 2 },
    });
    expect(await world.row("customers", "c-2")).toMatchObject({ state: "deleted", counters: { points: 2 } });
    expect(await world.row("customers", "c-9")).toMatchObject({ state: "stub", data: {}, counters: { points: 2 } });
  });
  test("the others of the sale are carried out beside one that is a flag", async () => {
    const world = await withEffects([
      onCustomer({ patch: { name: "Eve" } }, "c-9"),
      onCustomer({ increment: { points: 1 } }),
    ]);
    expect(await world.till().send(sale("s-1"))).toMatchObject({ flags: [{ code: "unknown_row" }] });
    expect((await world.row("customers", "c-1"))?.counters).toEqual({ points: 1 });
  });
});

describe("an effect that no data could make valid: the policy has failed, and nothing is written", () => {
  test.each<[string, object]>([
    ["without a thing to do", onCustomer({})],
    ["on an id that is none", onCustomer({ create: { name: "Ann" } }, "no id")],
    ["with a value that is not JSON", onCustomer({ create: { name: "Ann", phone: () => "1" } })],
    ["that sets a counter", onCustomer({ patch: { points: 5 } })],
    ["that patches a row into what the schema refuses", onCustomer({ patch: { name: 5 } })],
    ["that edits a fact", { collection: "sales", id: "s-0", patch: { totalCents: 1 } }],
    ["that increments a field", onCustomer({ increment: { name: 1 } })],
    ["that increments by a text that is no number", onCustomer({ increment: { points: 1, litres: "much" } })],
    ["that increments by what no step can be", onCustomer({ increment: { points: Number.NaN } })],
  ])("%s", async (_what, effect) => {
    const world = await withEffects([effect]);
    const till = world.till();
    await till.send(customer("c-1"));
    const before = await world.row("customers", "c-1");
    const sent = await till.send(sale("s-1"));
    expect(sent).toMatchObject({ status: "quarantined", error: { code: "policy_failed" } });
    expect(await world.row("customers", "c-1")).toEqual(before);
    expect(await world.row("sales", "s-1")).toBeUndefined();
    // The policy of the sale is at fault, not that of the row.
    expect(world.logged).toContainEqual(
      expect.objectContaining({ fields: { collection: "sales", member: "decide", operation: sent.id } }),
    );
  });
});
