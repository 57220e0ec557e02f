import { describe, expect, test } from "vitest";
import { count, edit, product, ServerWorld, type Sketch, sale } from "../../support/world.ts";

/** As a till sends its journal after a restore. */
const back = (sketch: Sketch, version: number): Sketch => ({ ...sketch, acknowledged: { epoch: "e1", version } });
const remove = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 };

async function restored() {
  const world = await ServerWorld.open();
  await world.mint("restored");
  return { world, till: world.till("a"), other: world.till("b") };
}

describe("a fact that comes back [C8.5]", () => {
  test("under an id that another one has by now is set aside, and overwrites nothing (L11)", async () => {
    const { world, till, other } = await restored();
    await other.send(sale("s-1", { totalCents: 1 }));
    expect(await till.send(back(sale("s-1", { totalCents: 2 }), 50))).toMatchObject({
      status: "quarantined",
      error: { code: "id_collision" },
    });
    expect((await world.row("sales", "s-1"))?.data).toEqual({ totalCents: 1 });
  });
});

describe("a create that comes back [C8.5]", () => {
  test("of what only counts by now is the row, with the sum", async () => {
    const { world, till, other } = await restored();
    await other.send(count("p-1", 3));
    const result = await till.send(back(product("p-1"), 50));
    expect(result).toMatchObject({ status: "applied", data: { name: "Cola", stock: 3 } });
    expect(result).not.toHaveProperty("flags");
    expect(await world.row("products", "p-1")).toMatchObject({
      state: "live",
      createdVersion: 50,
      fields: { id: [50, "inc-a"], name: [50, "inc-a"], priceCents: [50, "inc-a"] },
    });
  });
  test("after a deletion that was earlier begins anew: nothing of the deleted row is left in it", async () => {
    const { world, till } = await restored();
    await till.push(back(product("p-1", { name: "Cola", note: "cold" }), 50), back(remove, 60));
    const result = await till.send(back(product("p-1", { name: "Tea" }), 65));
    expect(result).toMatchObject({ status: "applied" });
    expect(result).not.toHaveProperty("flags");
    expect(await world.row("products", "p-1")).toMatchObject({ createdVersion: 65, state: "live" });
    expect((await world.row("products", "p-1"))?.data).toEqual({ name: "Tea", priceCents: 0 });
  });
  test("over the same row, written since: its later fields stand, and the row keeps its age", async () => {
    const { world, till, other } = await restored();
    await other.send(back(product("p-1", { name: "Cola", priceCents: 9 }), 50));
    await other.send(back(edit("p-1", 0, { priceCents: 10 }), 70));
    const result = await till.send(back(product("p-1", { name: "Tea", priceCents: 1 }), 60));
    expect(result).toMatchObject({ flags: [{ code: "overtaken" }], data: { name: "Tea", priceCents: 10 } });
    expect(await world.row("products", "p-1")).toMatchObject({
      createdVersion: 50,
      fields: { id: [50, "inc-b"], name: [60, "inc-a"], priceCents: [70, "inc-b"] },
    });
  });
});

describe("an update that comes back [C8.5]", () => {
  test("removes what it had removed, unless it was written later", async () => {
    const { world, till, other } = await restored();
    await till.send(back(product("p-1", { name: "Cola", note: "cold" }), 50));
    const removing = edit("p-1", 0, { priceCents: 3 }, { unset: ["note"] });
    const result = await till.send(back(removing, 60));
    expect(result).toMatchObject({ status: "applied" });
    expect(result).not.toHaveProperty("flags");
    expect((await world.row("products", "p-1"))?.data).toEqual({ name: "Cola", priceCents: 3 });
    await other.send(back(edit("p-1", 0, { note: "warm" }), 80));
    expect(await till.send(back(removing, 70))).toMatchObject({ flags: [{ code: "overtaken" }] });
    expect((await world.row("products", "p-1"))?.data).toEqual({ name: "Cola", priceCents: 3, note: "warm" });
  });
  test("of what only counts by now waits for the till that brings the row [C8.6]", async () => {
    const { till, other } = await restored();
    await other.send(count("p-1", 3));
    expect(await till.send(back(edit("p-1", 3, { name: "x" }), 60))).toMatchObject({
      status: "blocked",
      missing: true,
    });
  });
  test("is refused, if the schema does not take the row that it would make", async () => {
    const { world, till } = await restored();
    await till.send(back(product("p-1"), 50));
    expect(await till.send(back(edit("p-1", 0, { name: "" }), 60))).toMatchObject({
      status: "rejected",
      error: { code: "validation_failed", issues: [{ path: "name" }] },
    });
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ name: "Cola" });
  });
});

describe("a deletion that comes back [C8.5]", () => {
  test("of a row that is gone, or never was there, is done", async () => {
    const { world, till } = await restored();
    expect(await till.send(back(remove, 60))).toMatchObject({ status: "applied", version: 0, deleted: true });
    await till.push(back(product("p-1"), 50), back(remove, 60));
    const before = await world.row("products", "p-1");
    expect(await till.send(back(remove, 70))).toMatchObject({
      status: "applied",
      version: before?.version,
      deleted: true,
    });
    expect(await world.row("products", "p-1")).toEqual(before);
  });
  test("does not go over a field that was written later, though the others are older", async () => {
    const { world, till, other } = await restored();
    await till.send(back(product("p-1"), 50));
    await other.send(back(edit("p-1", 0, { priceCents: 7 }), 70));
    expect(await till.send(back(remove, 60))).toMatchObject({
      status: "applied",
      flags: [{ code: "overtaken" }],
      data: { name: "Cola", priceCents: 7 },
    });
    expect((await world.row("products", "p-1"))?.state).toBe("live");
  });
  test("otherwise is done at the version that it had, and the fields keep theirs", async () => {
    const { world, till } = await restored();
    await till.send(back(product("p-1"), 50));
    const result = await till.send(back(remove, 60));
    expect(result).toMatchObject({ status: "applied", deleted: true });
    expect(result).not.toHaveProperty("flags");
    expect(await world.row("products", "p-1")).toMatchObject({
      state: "deleted",
      fields: { id: [60, "inc-a"], name: [50, "inc-a"], priceCents: [50, "inc-a"] },
    });
    expect(Object.keys((await world.row("products", "p-1"))?.fields ?? {})).toHaveLength(3);
  });
});

test("a policy is asked with the record as it will be, of a create that comes back", async () => {
  const asked: unknown[] = [];
  const allow = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" } as const;
  const decide = ({ operation }: { operation: object }) => {
    asked.push(operation);
    return { outcome: "applied" };
  };
  const world = await ServerWorld.open({ products: { scope: "tenant", allow, decide } } as never);
  await world.mint("restored");
  await world.till().send(back(product("p-1", { name: " Cola " }), 50));
  await world.till().send(back(edit("p-1", 0, { priceCents: 5 }), 60));
  expect(asked).toMatchObject([
    { data: { id: "p-1", name: "Cola", priceCents: 0, stock: 0 } },
    { patch: { priceCents: 5 } },
  ]);
  expect(asked[1]).not.toHaveProperty("data");
});
