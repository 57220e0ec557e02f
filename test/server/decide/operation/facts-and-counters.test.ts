import { describe, expect, test } from "vitest";
import { count, payment, product, ServerWorld, sale } from "../../support/world.ts";

describe("a completed sale is a fact (L11)", () => {
  test("it is applied without its data, which the till has", async () => {
    const world = await ServerWorld.open();
    const result = await world.till().send(sale("s-1"));
    expect(result).toMatchObject({ status: "applied" });
    expect(result).not.toHaveProperty("data");
    const row = await world.row("sales", "s-1");
    expect(row).toMatchObject({ data: { totalCents: 500 }, createdVersion: row?.version });
    expect(row?.fields).toEqual({});
  });
  test("what the schema refuses is set aside with its payload", async () => {
    const world = await ServerWorld.open();
    const result = await world.till().send(sale("s-1", { totalCents: "5" }));
    expect(result).toMatchObject({
      status: "quarantined",
      error: { code: "validation_failed", issues: [{ path: "totalCents" }] },
    });
    expect(await world.quarantined()).toMatchObject([{ id: result.id, operation: { data: { totalCents: "5" } } }]);
  });
  test("an id that another fact has is a collision; the same content is the same fact [H5]", async () => {
    const world = await ServerWorld.open();
    await world.till("a").send(sale("s-1"));
    expect(await world.till("b").send(sale("s-1"))).toMatchObject({ status: "applied" });
    expect(await world.till("b").send(sale("s-1", { totalCents: 1 }))).toMatchObject({
      status: "quarantined",
      error: { code: "id_collision" },
    });
  });
  test("what only the server filled in makes it no other one [H5], and is told to whoever can't know it [C4]", async () => {
    const decide = () => ({ outcome: "applied", assigned: { orderNumber: "7" } }) as const;
    const allow = { read: "everyone", create: "everyone" } as const;
    const world = await ServerWorld.open({ sales: { scope: "tenant", allow, decide } });
    await world.till("a").send(sale("s-1"));
    expect(await world.till("b").send(sale("s-1"))).toMatchObject({
      status: "applied",
      data: { totalCents: 500, orderNumber: "7" },
    });
    expect(await world.quarantined()).toEqual([]);
  });
  test("a reference to what is not there is a flag", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send(sale("s-1", { totalCents: 5, productId: "p-9" }))).toMatchObject({
      status: "applied",
      flags: [{ code: "unresolved_reference", message: "products/p-9" }],
    });
  });
  test("of another branch it is booked all the same, flagged, and the till is told nothing of the row", async () => {
    const allow = { read: "everyone", create: "everyone" } as const;
    const scope = {
      branch: (row: { orderNumber?: string | undefined; productId?: string | undefined }) => row.productId,
    };
    const world = await ServerWorld.open({ sales: { scope, allow } } as never);
    const sent = await world.till("a", { branch: "north" }).send(sale("s-1", { totalCents: 5, productId: "south" }));
    expect(sent).toMatchObject({
      status: "applied",
      flags: [{ code: "unresolved_reference" }, { code: "out_of_scope" }],
    });
    expect(await world.row("sales", "s-1")).toMatchObject({ scope: "south", fields: {} });
    expect(await world.till("b", { branch: "south" }).send(sale("s-2", { totalCents: 5 }))).not.toHaveProperty("flags");
  });
  test("with the content of another one it is that one, and nothing is written", async () => {
    const world = await ServerWorld.open();
    await world.till("a").send(sale("s-1"));
    const before = await world.row("sales", "s-1");
    const again = await world.till("b").send(sale("s-1"));
    expect(again).toMatchObject({ status: "applied", version: before?.version });
    expect(again).not.toHaveProperty("data");
    expect(await world.row("sales", "s-1")).toEqual(before);
  });
  test("what only the server fills in is not the till's to send", async () => {
    const world = await ServerWorld.open();
    expect(await world.till().send(sale("s-1", { totalCents: 5, orderNumber: "1" }))).toMatchObject({
      status: "quarantined",
      error: { code: "malformed" },
    });
  });
  test("a token without the right sets it aside", async () => {
    const world = await ServerWorld.open({ sales: { scope: "tenant", allow: { read: "everyone", create: "sell" } } });
    expect(await world.till("a").send(sale("s-1"))).toMatchObject({
      status: "quarantined",
      error: { code: "not_permitted" },
    });
    expect(await world.till("b", { scopes: ["sell"] }).send(sale("s-1"))).toMatchObject({ status: "applied" });
  });
  test("an edit of a fact is set aside, and changes nothing", async () => {
    const world = await ServerWorld.open();
    await world.till().send(sale("s-1"));
    const update = { action: "update", collection: "sales", entityId: "s-1", baseVersion: 0, patch: { totalCents: 1 } };
    expect(await world.till("b").send(update)).toMatchObject({ status: "quarantined", error: { code: "malformed" } });
    const remove = { action: "delete", collection: "sales", entityId: "s-1", baseVersion: 0 };
    expect(await world.till("c").send(remove)).toMatchObject({ status: "quarantined", error: { code: "malformed" } });
    expect((await world.row("sales", "s-1"))?.data).toEqual({ totalCents: 500 });
  });
});

describe("increments [H4]", () => {
  test("two tills that sell one product are both told the sum [C4]", async () => {
    const world = await ServerWorld.open();
    await world.till("a").send(product("p-1"));
    expect(await world.till("a").send(count("p-1", -1))).toMatchObject({ data: { stock: -1 } });
    expect(await world.till("b").send(count("p-1", -2))).toMatchObject({ data: { stock: -3 } });
  });
  test("two in one batch see each other", async () => {
    const world = await ServerWorld.open();
    const results = await world.till().push(product("p-1"), count("p-1", -1), count("p-1", -2));
    expect(results[2]).toMatchObject({ data: { stock: -3 } });
    expect((await world.row("products", "p-1"))?.counters).toEqual({ stock: -3 });
  });
  test("on a row that is not there yet they make no row, and are in the sum when it appears", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    expect(await till.send(count("p-1", -2))).toMatchObject({ status: "applied", flags: [{ code: "unknown_row" }] });
    expect((await till.pulled()).pages.get("products")?.changes).toEqual([]);
    expect(await till.send(product("p-1"))).toMatchObject({ data: { stock: -2 } });
  });
  test("on a deleted row they count on, flagged", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.push(product("p-1"), { action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 });
    expect(await till.send(count("p-1", -2))).toMatchObject({
      status: "applied",
      deleted: true,
      flags: [{ code: "deleted_row" }],
    });
    expect(await till.send(product("p-1"))).toMatchObject({ data: { stock: -2 } });
  });
  test("the answer has no data where there is no row, or not any more", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    expect(await till.send(count("p-1", -2))).not.toHaveProperty("data");
    await till.push(product("p-2"), { action: "delete", collection: "products", entityId: "p-2", baseVersion: 0 });
    expect(await till.send(count("p-2", -2))).not.toHaveProperty("data");
  });
  test("each counter has a sum of its own", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const step = (by: object) => ({ action: "increment", collection: "customers", entityId: "c-1", by });
    await till.push(step({ points: 2 }), step({ litres: "0.5" }), step({ points: 1, litres: "1" }));
    expect((await world.row("customers", "c-1"))?.counters).toEqual({ points: 3, litres: "1.5" });
  });
  test("decimal strings are exact", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const litres = (by: string) => ({
      action: "increment",
      collection: "customers",
      entityId: "c-1",
      by: { litres: by },
    });
    await till.push(
      { action: "create", collection: "customers", entityId: "c-1", data: { name: "Ada" } },
      litres("0.1"),
      litres("0.2"),
    );
    expect((await world.row("customers", "c-1"))?.counters).toEqual({ litres: "0.3" });
  });
  test("what is no counter, or can't be exact, is set aside and never refused", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    expect(await till.send({ ...count("p-1", 1), by: { priceCents: 1 } })).toMatchObject({ status: "quarantined" });
    expect(await till.send({ ...count("p-1", 1), by: { stock: "1.5" } })).toMatchObject({ status: "quarantined" });
    const faults = [{ path: "by.stock", message: expect.stringContaining("integer") }];
    expect(await till.send({ ...count("p-1", 1), by: { stock: "1" } })).toMatchObject({
      status: "quarantined",
      error: { code: "malformed", issues: faults },
    });
  });
  test("what is wrong with each step is said, and of the good ones nothing", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const customer = { action: "increment", collection: "customers", entityId: "c-1" };
    const steps = { litres: "0.5", points: 1_000_000_001, name: 1 };
    const sent = await till.send({ ...customer, by: steps });
    expect("error" in sent && sent.error).toMatchObject({
      code: "malformed",
      issues: [
        { path: "by.name", message: expect.stringContaining("no such counter") },
        { path: "by.points", message: expect.stringContaining("at most 1000000000") },
      ],
    });
    expect(await till.send({ ...customer, by: { points: "0.5", litres: 1 } })).toMatchObject({
      error: { issues: [{ path: "by.points", message: expect.stringContaining("integer") }] },
    });
    expect(await world.row("customers", "c-1")).toBeUndefined();
  });
  test("what only counts so far is flagged with each step, and a row that is there is not", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await till.send(count("p-1", 1));
    expect(await till.send(count("p-1", 1))).toMatchObject({ flags: [{ code: "unknown_row" }] });
    await till.send(product("p-1"));
    expect(await till.send(count("p-1", 1))).not.toHaveProperty("flags");
  });
  test("they have a right of their own, which is that of `update` if the policy names none", async () => {
    const allow = { read: "everyone", create: "nobody", update: "edit", delete: "nobody" } as const;
    const editing = await ServerWorld.open({ products: { scope: "tenant", allow } });
    const refused = { status: "quarantined", error: { code: "not_permitted" } };
    expect(await editing.till().send(count("p-1", 1))).toMatchObject(refused);
    expect(await editing.till("b", { scopes: ["edit"] }).send(count("p-1", 1))).toMatchObject({ status: "applied" });
    const selling = { scope: "tenant", allow: { ...allow, update: "nobody", increment: "sell" } } as const;
    const world = await ServerWorld.open({ products: selling });
    expect(await world.till("a", { scopes: ["edit"] }).send(count("p-1", 1))).toMatchObject(refused);
    expect(await world.till("b", { scopes: ["sell"] }).send(count("p-1", 1))).toMatchObject({ status: "applied" });
  });
});

describe("commercial transactions [C1]", () => {
  test("all members are applied", async () => {
    const world = await ServerWorld.open();
    const tx = { transaction: "t-1" };
    const results = await world
      .till()
      .push(sale("s-1", { totalCents: 5 }, tx), payment("y-1", "s-1", tx), count("p-1", -1, tx));
    expect(results.map(({ status }) => status)).toEqual(["applied", "applied", "applied"]);
  });
  test("one that is set aside sets all aside, and nothing of them is written", async () => {
    const world = await ServerWorld.open();
    const tx = { transaction: "t-1" };
    const results = await world
      .till()
      .push(
        sale("s-1", { totalCents: 5 }, tx),
        payment("y-1", "s-1", { ...tx, data: { saleId: 5 } }),
        count("p-1", -1, tx),
      );
    expect(results).toMatchObject([
      { status: "quarantined", error: { code: "transaction_quarantined" } },
      { status: "quarantined", error: { code: "validation_failed" } },
      { status: "quarantined", error: { code: "transaction_quarantined" } },
    ]);
    expect(await world.row("sales", "s-1")).toBeUndefined();
    expect(await world.row("products", "p-1")).toBeUndefined();
    expect(await world.quarantined()).toHaveLength(3);
  });
  test("an edit that was sent with them goes alone: its conflict never touches the sale", async () => {
    const world = await ServerWorld.open();
    const tx = { transaction: "t-1" };
    const bad = {
      action: "update",
      collection: "products",
      entityId: "nope",
      baseVersion: 0,
      patch: { name: "x" },
      ...tx,
    };
    const results = await world.till().push(sale("s-1", { totalCents: 5 }, tx), bad, payment("y-1", "s-1", tx));
    const byId = new Map(results.map((result) => [result.status, result]));
    expect(byId.get("rejected")).toMatchObject({ error: { code: "not_found" } });
    expect(results.filter(({ status }) => status === "applied")).toHaveLength(2);
  });
  test("one that must wait lets all wait, and stores none", async () => {
    const world = await ServerWorld.open();
    const tx = { transaction: "t-1" };
    const results = await world
      .till()
      .push(
        sale("s-1", { totalCents: 5 }, { ...tx, after: ["00000000-0000-7000-8000-0000000000ff"] }),
        payment("y-1", "s-1", tx),
      );
    expect(results).toMatchObject([
      { status: "blocked", by: ["00000000-0000-7000-8000-0000000000ff"] },
      { status: "blocked", by: [results[0]?.id] },
    ]);
    expect(await world.operation(results[1]!.id)).toBeUndefined();
  });
});
