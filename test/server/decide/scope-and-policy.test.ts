import { describe, expect, test } from "vitest";
import { clientWins } from "../../../src/conflict/strategies.ts";
import { revokeDevice } from "../../../src/server/admin/revoke-device.ts";
import { count, edit, product, ServerWorld, sale } from "../support/world.ts";

const shift = (id: string, branch: string, cashier = "Ada") => ({
  action: "create",
  collection: "shifts",
  entityId: id,
  data: { branch, cashier },
});
const shiftEdit = (id: string, patch: object, baseVersion = 0) => ({
  action: "update",
  collection: "shifts",
  entityId: id,
  baseVersion,
  patch,
});

describe("scope [C10] (L9)", () => {
  test("another branch's row: the answer is the same as for none, and says nothing of it", async () => {
    const world = await ServerWorld.open();
    await world.till("north", { branch: "north" }).send(shift("h-1", "north"));
    const south = world.till("south", { branch: "south" });
    const there = await south.send(shiftEdit("h-1", { cashier: "Eve" }));
    const nowhere = await south.send(shiftEdit("h-2", { cashier: "Eve" }));
    expect({ ...there, id: "", at: 0 }).toEqual({ ...nowhere, id: "", at: 0 });
    expect(there).toMatchObject({ status: "rejected", error: { code: "out_of_scope" } });
    expect(await south.send(shift("h-1", "south"))).toMatchObject({ error: { code: "out_of_scope" } });
    expect(await south.send({ action: "delete", collection: "shifts", entityId: "h-1", baseVersion: 0 })).toMatchObject(
      { error: { code: "out_of_scope" } },
    );
  });
  test("no till writes into another branch", async () => {
    const world = await ServerWorld.open();
    const south = world.till("south", { branch: "south" });
    expect(await south.send(shift("h-1", "north"))).toMatchObject({ error: { code: "out_of_scope" } });
    await south.send(shift("h-2", "south"));
    expect(await south.send(shiftEdit("h-2", { branch: "north" }))).toMatchObject({ error: { code: "out_of_scope" } });
  });
  test("nor by way of a conflict, whatever the policy's resolver answers", async () => {
    const everyone = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
    for (const conflict of [clientWins(), () => ({ branch: "north", cashier: "merged" })]) {
      const world = await ServerWorld.open({
        shifts: { scope: { branch: (row) => row.branch }, allow: everyone, conflict: conflict as never },
      });
      const [a, b] = [world.till("a", { branch: "south" }), world.till("b", { branch: "south" })];
      const { version: base } = (await a.send(shift("h-1", "south"))) as { version: number };
      await a.send(shiftEdit("h-1", { cashier: "Bob" }, base));
      const both = await b.send(shiftEdit("h-1", { cashier: "Eve", branch: "north" }, base));
      expect(both).toMatchObject({ status: "conflict", fields: ["cashier"] });
      const created = await b.send(shift("h-1", "north", "Eve"));
      expect(created.status).not.toBe("applied");
      expect(await world.row("shifts", "h-1")).toMatchObject({ scope: "south", data: { cashier: "Bob" } });
    }
  });
  test("an increment counts all the same, flagged, without the row", async () => {
    const world = await ServerWorld.open();
    await world.till("north", { branch: "north" }).send(shift("h-1", "north"));
    const result = await world
      .till("south", { branch: "south" })
      .send({ action: "increment", collection: "shifts", entityId: "h-1", by: { drawer: 5 } });
    expect(result).toMatchObject({ status: "applied", flags: [{ code: "out_of_scope" }] });
    expect(result).not.toHaveProperty("data");
  });
  test("a branch's rows are pulled by its tills and by the head office; one that moves away is gone", async () => {
    const world = await ServerWorld.open();
    const [north, south, office] = [
      world.till("n", { branch: "north" }),
      world.till("s", { branch: "south" }),
      world.till("o"),
    ];
    await north.send(shift("h-1", "north"));
    const ids = async (till: typeof north) => (await till.pulled(["shifts"])).pages.get("shifts")?.changes;
    expect(await ids(north)).toMatchObject([{ id: "h-1", data: { branch: "north" } }]);
    expect(await ids(south)).toEqual([]);
    expect(await ids(office)).toMatchObject([{ id: "h-1" }]);
    await office.send(shiftEdit("h-1", { branch: "south" }, (await world.row("shifts", "h-1"))?.version));
    expect(await ids(north)).toMatchObject([{ id: "h-1", deleted: true, reason: "scope" }]);
    expect(await ids(south)).toMatchObject([{ id: "h-1", data: { branch: "south" } }]);
    await office.send(shiftEdit("h-1", { branch: "north" }, (await world.row("shifts", "h-1"))?.version));
    expect(await ids(north)).toMatchObject([{ id: "h-1", data: { branch: "north" } }]);
    expect(await ids(south)).toMatchObject([{ id: "h-1", deleted: true }]);
  });
  test("work of another branch is set aside and never re-homed", async () => {
    const world = await ServerWorld.open();
    const south = world.till("s", { branch: "south" });
    const result = await south.send({ ...sale("s-1"), branch: "north" });
    expect(result).toMatchObject({ status: "quarantined", error: { code: "branch_mismatch" } });
    expect(await south.send({ ...edit("p", 0, { name: "x" }), branch: "north" })).toMatchObject({
      error: { code: "branch_mismatch" },
    });
    expect(await world.release(result.id)).toMatchObject({ kind: "revised", results: [{ status: "applied" }] });
  });
  test("without the right to read, rows are in no answer", async () => {
    const allow = { read: "catalog:read", create: "everyone", update: "everyone", delete: "everyone" } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
    const till = world.till();
    expect(await till.send(product("p-1"))).not.toHaveProperty("data");
    expect((await till.pulled()).pages.get("products")).toMatchObject({ changes: [], more: false });
    expect(await world.till("b").send(edit("p-1", 0, { name: "x" }))).toMatchObject({
      status: "rejected",
      error: { code: "not_permitted" },
    });
  });
});

describe("policies", () => {
  const open = { read: "everyone", create: "everyone" } as const;
  test("assigned values, flags and effects are one transaction with the sale, once", async () => {
    const world = await ServerWorld.open({
      sales: {
        scope: "tenant",
        allow: open,
        reads: ({ operation }) => ({
          customers: operation.data.customerId === undefined ? [] : [operation.data.customerId],
        }),
        decide: ({ operation, rows, next, epoch }) => ({
          outcome: "applied",
          assigned: { orderNumber: `${epoch}-${next?.totalCents}` },
          flags: rows.customers.size === 1 ? [{ code: "regular" }] : [],
          effects:
            operation.data.customerId === undefined
              ? []
              : [{ collection: "customers", id: operation.data.customerId, increment: { points: 5 } }],
        }),
      },
    });
    const till = world.till();
    await till.send({ action: "create", collection: "customers", entityId: "c-1", data: { name: "Ada" } });
    const sent = till.mint(sale("s-1", { totalCents: 7, customerId: "c-1" }));
    expect(await till.send(sent)).toMatchObject({
      status: "applied",
      assigned: { orderNumber: "1-7" },
      data: { orderNumber: "1-7", totalCents: 7 },
      flags: [{ code: "regular" }],
    });
    await till.send(sent);
    expect((await world.row("customers", "c-1"))?.counters).toEqual({ points: 5 });
    // The row that a policy sees has what came before it in the batch.
    expect((await till.pulled(["customers"])).pages.get("customers")?.changes).toMatchObject([
      { id: "c-1", data: { points: 5 } },
    ]);
  });
  test("an effect on the operation's own row is in its result: the version and the data after the effect", async () => {
    const world = await ServerWorld.open({
      products: {
        scope: "tenant",
        allow: { ...open, update: "everyone", delete: "everyone" },
        decide: ({ operation }) => ({
          outcome: "applied",
          effects:
            operation.action === "update"
              ? [{ collection: "products", id: operation.entityId, patch: { note: "checked" } }]
              : [],
        }),
      },
    });
    const till = world.till();
    await till.send(product("p-1"));
    const before = await world.version("products", "p-1");
    const result = await till.send(edit("p-1", before, { name: "Tea" }));
    const after = await world.version("products", "p-1");
    expect(after).toBeGreaterThan(before + 1);
    expect(result).toMatchObject({ status: "applied", version: after, data: { name: "Tea", note: "checked" } });
  });
  test("rows that only the effects bring to light cost one more run of the decision, however many operations have some", async () => {
    let asked = 0;
    const world = await ServerWorld.open({
      sales: {
        scope: "tenant",
        allow: open,
        decide: ({ operation }) => {
          asked += 1;
          const increment = { points: 5 };
          return {
            outcome: "applied",
            effects: [
              { collection: "customers", id: `c-${operation.entityId}`, increment },
              { collection: "customers", id: `d-${operation.entityId}`, increment },
            ],
          };
        },
      },
    });
    const sales = Array.from({ length: 150 }, (_, n) => sale(`s-${n}`));
    expect((await world.till().push(...sales)).every(({ status }) => status === "applied")).toBe(true);
    expect(asked).toBe(2 * sales.length);
    expect((await world.row("customers", "d-s-149"))?.counters).toEqual({ points: 5 });
  });
  test("a policy that throws sets a fact aside, and lets an edit come again", async () => {
    const decide = () => {
      throw new Error("bug");
    };
    const world = await ServerWorld.open({
      sales: { scope: "tenant", allow: open, decide },
      products: { scope: "tenant", allow: { ...open, update: "everyone", delete: "everyone" }, decide },
    });
    expect(await world.till().send(sale("s-1"))).toMatchObject({
      status: "quarantined",
      error: { code: "policy_failed" },
    });
    const result = await world.till("b").send(product("p-1"));
    expect(result).toMatchObject({ status: "retry", error: { code: "policy_failed" } });
    expect(await world.operation(result.id)).toBeUndefined();
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
  test.each([
    ["a promise", () => Promise.resolve({ outcome: "applied" })],
    ["nothing", () => undefined],
    ["an outcome that there is not", () => ({ outcome: "maybe" })],
    ["what was not declared as assigned", () => ({ outcome: "applied", assigned: { totalCents: 1 } })],
    ["more than 2 KiB", () => ({ outcome: "applied", assigned: { orderNumber: "x".repeat(2_048) } })],
    [
      "an effect on no collection",
      () => ({ outcome: "applied", effects: [{ collection: "nope", id: "x", create: {} }] }),
    ],
    [
      "an effect that the schema refuses",
      () => ({ outcome: "applied", effects: [{ collection: "products", id: "x", create: { name: 5 } }] }),
    ],
    [
      "an effect that sets a counter",
      () => ({ outcome: "applied", effects: [{ collection: "products", id: "x", create: { name: "a", stock: 5 } }] }),
    ],
    [
      "a write into what it was given",
      (input: { next: { totalCents: number } }) => {
        input.next.totalCents = 1;
        return { outcome: "applied" };
      },
    ],
  ])("one that answers %s has failed, and nothing is written", async (_what, decide) => {
    const world = await ServerWorld.open({ sales: { scope: "tenant", allow: open, decide: decide as never } });
    expect(await world.till().send(sale("s-1"))).toMatchObject({
      status: "quarantined",
      error: { code: "policy_failed" },
    });
    expect(await world.row("sales", "s-1")).toBeUndefined();
    expect(await world.row("products", "x")).toBeUndefined();
  });
  test("an edit may be refused; an increment that is refused is set aside", async () => {
    const world = await ServerWorld.open({
      products: {
        scope: "tenant",
        allow: { ...open, update: "everyone", delete: "everyone" },
        decide: () => ({ outcome: "rejected", code: "no", message: "No" }),
      },
    });
    expect(await world.till().send(product("p-1"))).toMatchObject({ status: "rejected", error: { code: "no" } });
    expect(await world.till("b").send(count("p-1", 1))).toMatchObject({ status: "quarantined", error: { code: "no" } });
  });
  test("a discrepancy is on the desk, and its flag names it", async () => {
    const world = await ServerWorld.open({
      products: {
        scope: "tenant",
        allow: { ...open, update: "everyone", delete: "everyone" },
        decide: ({ operation, next, current }) =>
          operation.action === "increment" && next !== undefined && next.stock < 0
            ? {
                outcome: "applied",
                flags: [{ code: "stock_discrepancy" }],
                discrepancies: [{ product: next.id, expected: 2, available: current?.stock ?? 0 }],
              }
            : { outcome: "applied" },
      },
    });
    const till = world.till();
    await till.send(product("p-1"));
    const result = await till.send(count("p-1", -2));
    expect(result).toMatchObject({ flags: [{ code: "stock_discrepancy", discrepancyId: `${result.id}-0` }] });
    expect(await world.read({ kind: "discrepancies", after: 0, limit: 10 })).toMatchObject([
      { product: "p-1", expected: 2, available: 0 },
    ]);
  });
  test("an effect on a customer who is gone is a flag, and no reason to hold up a sale", async () => {
    const world = await ServerWorld.open({
      sales: {
        scope: "tenant",
        allow: open,
        decide: () => ({
          outcome: "applied",
          effects: [{ collection: "customers", id: "c-9", patch: { phone: "1" } }],
        }),
      },
    });
    expect(await world.till().send(sale("s-1"))).toMatchObject({
      status: "applied",
      flags: [{ code: "unknown_row", message: "customers/c-9" }],
    });
  });
});

describe("a revoked device [H6]", () => {
  test("what it still holds is set aside, and it pulls nothing", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const sold = await till.send(sale("s-0"));
    await revokeDevice({ store: world.store, tenant: "shop", device: "till-1" });
    expect(await till.push(sale("s-1"), edit("p", 0, { name: "x" }))).toMatchObject([
      { status: "quarantined", error: { code: "device_revoked" } },
      { status: "quarantined", error: { code: "device_revoked" } },
    ]);
    expect(await till.pull()).toEqual({ kind: "revoked", epoch: "e1" });
    expect(sold.status).toBe("applied");
  });
});
