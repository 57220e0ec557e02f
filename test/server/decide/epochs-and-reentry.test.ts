import { describe, expect, test } from "vitest";
import { withBadges } from "../support/shop.ts";
import { count, edit, product, ServerWorld, type Sketch, sale } from "../support/world.ts";

/** As a till sends its journal after a restore. */
const back = (sketch: Sketch, version: number, assigned?: object): Sketch => ({
  ...sketch,
  acknowledged: { epoch: "e1", version, ...(assigned !== undefined && { assigned }) },
});

describe("positions and epochs [C8]", () => {
  test("an epoch starts above every position, mark and second there was [C8.1]", async () => {
    const world = await ServerWorld.open();
    const first = await world.clock();
    expect(first?.epochStart).toBe(Math.floor(world.now / 1000) * 2 ** 20 + 2 ** 20);
    await world.till().send(product("p-1"));
    const seen = (first?.position ?? 0) + 2 ** 40;
    await world.mint("restored", seen);
    expect(await world.clock()).toMatchObject({
      epoch: "e2",
      epochOrdinal: 2,
      epochStart: seen + 2 ** 20,
      position: seen + 2 ** 20,
    });
    expect((await world.clock())?.deviceNumber).toBeGreaterThan(100);
  });
  test("every result takes a position, and the operation's is the last: the clock makes a mark", async () => {
    const world = await ServerWorld.open();
    const results = await world.till().push(product("p-1"), sale("s-1"), edit("nope", 0, { name: "x" }));
    const clock = await world.clock();
    expect(clock?.lastId).toBe(results[2]?.id);
    expect((await world.operation(results[2]!.id))?.position).toBe(clock?.position);
  });
  test("an operation or commit that is not there at a mark: this server was restored [C8.2]", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const backup = world.store.snapshot();
    await till.send(product("p-1"));
    expect(till.marks.push).toBeDefined();
    world.store.restore(backup);
    expect(await till.pull()).toEqual({ kind: "restored", observed: expect.any(String) });
    expect(await till.outcome([])).toEqual({ kind: "restored", observed: expect.any(String) });
  });
  test("the position given out again is another operation's: it is noticed [C8.2]", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const backup = world.store.snapshot();
    await till.send(product("p-1"));
    world.store.restore(backup);
    await world.till("other").send(product("p-2"));
    expect(await till.outcome([])).toEqual({ kind: "restored", observed: expect.any(String) });
  });
  test("an old epoch is stale; one that this server never had means a restore; a foreign one is neither [C8.3]", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await world.mint("restored");
    till.claim = { kind: "authentic", epoch: "e1", ordinal: 1 };
    expect(await till.outcome([product("p-1")])).toEqual({ kind: "stale", epoch: "e2" });
    till.claim = { kind: "authentic", epoch: "e7", ordinal: 7 };
    expect(await till.outcome([])).toEqual({ kind: "restored", observed: expect.any(String) });
    till.claim = { kind: "foreign" };
    expect(await till.outcome([])).toEqual({ kind: "stale", epoch: "e2" });
    till.claim = { kind: "other_tenant" };
    expect(await till.outcome([])).toEqual({ kind: "wrong_workspace" });
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
  test("an old epoch with a mark of this one mints nothing: a token must not be able to send all tills back to the start", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await world.mint("restored");
    await till.send(product("p-1"));
    till.claim = { kind: "authentic", epoch: "e1", ordinal: 1 };
    expect(await till.outcome([])).toEqual({ kind: "stale", epoch: "e2" });
  });
  test("a mark of a lost history above this epoch's start asks for a new epoch", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    await world.mint("restored");
    till.claim = { kind: "authentic", epoch: "e1", ordinal: 1 };
    const position = ((await world.clock())?.position ?? 0) + 5;
    till.marks = { push: { upTo: position, position, id: "x" }, pull: undefined };
    expect(await till.outcome([])).toEqual({ kind: "restored", observed: expect.any(String) });
  });
});

describe("acknowledged operations come back [C8.5]", () => {
  test("each field only if its own version is lower; a later write stands, and it says so", async () => {
    const world = await ServerWorld.open();
    const a = world.till("a");
    await a.send(product("p-1"));
    const lost = (await world.version("products", "p-1")) + 10;
    await world.mint("restored");
    const base = await world.version("products", "p-1");
    await world.till("b").send(edit("p-1", base, { priceCents: 999 }));
    const result = await a.send(back(edit("p-1", 0, { priceCents: 5, name: "Old" }), lost));
    expect(result).toMatchObject({
      status: "applied",
      flags: [{ code: "overtaken" }],
      data: { name: "Old", priceCents: 999 },
    });
    // It stands at the version that it had: an earlier one passes under it.
    expect(await world.till("c").send(back(edit("p-1", 0, { name: "Older" }), lost - 1))).toMatchObject({
      flags: [{ code: "overtaken" }],
      data: { name: "Old" },
    });
    expect(await world.till("d").send(back(edit("p-1", 0, { name: "Newer" }), lost + 1))).toMatchObject({
      data: { name: "Newer" },
    });
  });
  test("it is never a conflict, and counts and creates as usual", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const till = world.till();
    const results = await till.push(
      back(product("p-1"), 50),
      back(count("p-1", -3), 51),
      back(sale("s-1"), 52, { orderNumber: "ORD-7" }),
    );
    expect(results).toMatchObject([
      { status: "applied" },
      { status: "applied", data: { stock: -3 } },
      { status: "applied", assigned: { orderNumber: "ORD-7" } },
    ]);
    expect((await world.row("sales", "s-1"))?.data).toEqual({ totalCents: 500, orderNumber: "ORD-7" });
    expect((await world.row("products", "p-1"))?.fields.name).toEqual([50, "inc-till-1"]);
  });
  test("an update whose row the restore ate waits for the till that brings it [C8.6]", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    expect(await world.till().send(back(edit("p-1", 3, { name: "x" }), 60))).toMatchObject({
      status: "blocked",
      missing: true,
    });
  });
  test("an update without a base, whose create is refused now, waits for nobody [C8.6]", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const results = await world
      .till()
      .push(back(product("p-1", { name: 5 }), 50), back(edit("p-1", 0, { name: "x" }), 60));
    expect(results).toMatchObject([
      { status: "rejected", error: { code: "validation_failed" } },
      { status: "rejected", error: { code: "not_found" } },
    ]);
  });
  test("a deletion that was later than the creation stands", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const till = world.till();
    const remove = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 0 };
    await till.push(back(product("p-1"), 50), back(remove, 60));
    expect(await world.till("b").send(back(product("p-1", { name: "Before" }), 55))).toMatchObject({
      status: "applied",
      deleted: true,
      flags: [{ code: "overtaken" }],
    });
    expect(await world.till("b").send(back(product("p-1", { name: "After" }), 65))).toMatchObject({
      status: "applied",
      data: { name: "After" },
    });
    expect(await till.send(back(remove, 62))).toMatchObject({ status: "applied", flags: [{ code: "overtaken" }] });
    expect((await world.row("products", "p-1"))?.state).toBe("live");
  });
  test("a policy may not refuse it any more, and its assigned values are taken over", async () => {
    const seen: unknown[] = [];
    const world = await ServerWorld.open({
      sales: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone" },
        decide: ({ acknowledged }) => {
          seen.push(acknowledged);
          return { outcome: "quarantined", code: "no", message: "no" };
        },
      },
    });
    await world.mint("restored");
    expect(await world.till().send(back(sale("s-1"), 50, { orderNumber: "7" }))).toMatchObject({
      status: "applied",
      assigned: { orderNumber: "7" },
    });
    expect(seen.at(-1)).toEqual({ assigned: { orderNumber: "7" } });
  });
  test("it opens no door: not without the right", async () => {
    const allow = { read: "everyone", create: "everyone", update: "nobody", delete: "nobody" } as const;
    const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
    await world.till("a").send(product("p-1"));
    await world.mint("restored");
    expect(await world.till("b").send(back(edit("p-1", 0, { priceCents: 1 }), 2 ** 52))).toMatchObject({
      status: "rejected",
      error: { code: "not_permitted" },
    });
    expect((await world.row("products", "p-1"))?.data).toMatchObject({ priceCents: 250 });
  });
  test("it opens no door: not to another branch's row, and not into another branch (L9)", async () => {
    const world = await ServerWorld.open();
    const shift = { collection: "shifts", entityId: "h-1" };
    const create = { ...shift, action: "create", data: { branch: "north", cashier: "Ada" } };
    await world.till("north", { branch: "north" }).send(create);
    await world.mint("restored");
    const before = await world.row("shifts", "h-1");
    const south = world.till("south", { branch: "south" });
    const steal = { ...shift, action: "update", baseVersion: 0, patch: { branch: "south", cashier: "Eve" } };
    expect(await south.send(back(steal, 2 ** 52))).toMatchObject({ error: { code: "out_of_scope" } });
    expect(await world.row("shifts", "h-1")).toEqual(before);
    expect(await south.send(back({ ...create, entityId: "h-9" }, 5))).toMatchObject({
      error: { code: "out_of_scope" },
    });
    expect(await world.row("shifts", "h-9")).toBeUndefined();
  });
  test("it opens no door: what is not declared as assigned is not written as such", async () => {
    const world = await ServerWorld.open();
    await world.mint("restored");
    const result = await world.till().send(back(sale("s-1"), 50, { orderNumber: "7", totalCents: 1 }));
    expect(result).toMatchObject({ status: "applied", assigned: { orderNumber: "7" } });
    expect((await world.row("sales", "s-1"))?.data).toEqual({ totalCents: 500, orderNumber: "7" });
  });
  test("it opens no door: an edit sets neither counters nor what only the server fills in", async () => {
    const world = await ServerWorld.open({}, withBadges as never);
    const customer = { collection: "customers", entityId: "c-1" };
    await world.till("a").send({ ...customer, action: "create", data: { name: "Ann" } });
    await world.mint("restored");
    const patch = { name: "Anna", points: 99, badge: "gold" };
    const edited = await world.till("b").send(back({ ...customer, action: "update", baseVersion: 0, patch }, 2 ** 52));
    expect(edited.status).toBe("applied");
    const row = await world.row("customers", "c-1");
    expect([row?.data, row?.counters, Object.keys(row?.fields ?? {}).sort()]).toEqual([
      { name: "Anna" },
      {},
      ["id", "name"],
    ]);
  });
  test("it opens no door: not in its own epoch, and not above the start of this one", async () => {
    const world = await ServerWorld.open();
    const [a, b] = [world.till("a"), world.till("b")];
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
    expect(
      await b.send({ ...edit("p-1", 0, { priceCents: 1 }), acknowledged: { epoch: "e1", version: 2 ** 52 } }),
    ).toMatchObject({ status: "conflict" });
    await world.mint("restored");
    await a.send(edit("p-1", await world.version("products", "p-1"), { priceCents: 400 }));
    expect(
      await b.send({ ...edit("p-1", 0, { priceCents: 1 }), acknowledged: { epoch: "e1", version: 2 ** 52 } }),
    ).toMatchObject({
      flags: [{ code: "overtaken" }],
      data: { priceCents: 400 },
    });
  });
});
