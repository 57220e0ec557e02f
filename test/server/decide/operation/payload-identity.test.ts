import { describe, expect, test } from "vitest";
import { payloadOf } from "../../../../src/protocol/payload.ts";
import type { WireOperation } from "../../../../src/protocol/types.ts";
import { uuidOf } from "../../../../src/server/decide/operation/record-result.ts";
import { register } from "../../../../src/server/decide/rows/devices.ts";
import { asScript } from "../../../../src/server/decide/rows/run.ts";
import { canonicalJson } from "../../../../src/shared/json.ts";
import { count, edit, payment, product, ServerWorld, type Sketch, sale, uuid } from "../../support/world.ts";

const payloadText = (operation: WireOperation) => canonicalJson(payloadOf(operation));

describe("one id, one effect (L2, L3)", () => {
  test("the same again answers what is stored, and changes nothing", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const operation = till.mint(count("p-1", -2));
    const first = await till.send(operation);
    const again = await till.send(operation);
    expect(again).toEqual({ ...first, replayed: true });
    expect((await world.row("products", "p-1"))?.counters).toEqual({ stock: -2 });
  });
  test("what differs between deliveries is not payload: sequence, after, acknowledged", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const operation = till.mint(product("p-1"));
    const same = { ...operation, sequence: 900, after: [], acknowledged: { epoch: "e0", version: 3 } };
    expect(payloadText(same)).toBe(payloadText(operation));
    expect(payloadText({ ...operation, supersedes: [] })).toBe(payloadText(operation));
    expect(payloadText({ ...operation, actor: "u-2" })).not.toBe(payloadText(operation));
  });
  test("the same id with another payload is loud, changes nothing, and both payloads are kept", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const operation = till.mint(sale("s-1"));
    await till.send(operation);
    const other = {
      ...operation,
      sequence: till.mint(sale("x")).sequence,
      data: { totalCents: 1 },
    } as typeof operation;
    const reused = await till.send(other);
    expect(reused).toEqual({
      id: operation.id,
      status: "rejected",
      error: { code: "operation_id_reused", message: expect.stringContaining("applied") },
      server: { version: expect.any(Number), data: { totalCents: 500 } },
      at: expect.any(Number),
    });
    expect((await world.operation(operation.id))?.result).toMatchObject({ status: "applied" });
    expect(await world.quarantined()).toMatchObject([
      { operation: { data: { totalCents: 1 } }, result: { error: { code: "operation_id_reused" } } },
    ]);
    world.now += 1_000;
    expect(await till.send(other)).toEqual(reused);
    expect(await world.quarantined()).toHaveLength(1);
  });
  test.each([
    ["an edit", (id: string) => ({ ...edit("p-1", 2 ** 52, { priceCents: 1 }), id })],
    ["a void", (id: string) => ({ action: "void", collection: "sales", entityId: "s-1", supersedes: [uuid(999)], id })],
  ])("%s that its sender might not make gets on no desk under a used id", async (_what, sketch) => {
    const allow = { read: "everyone", create: "everyone", update: "office", delete: "nobody" } as const;
    const world = await ServerWorld.open({
      products: { scope: "tenant", allow },
      sales: { scope: "tenant", allow: { read: "everyone", create: "office" } },
    });
    const till = world.till();
    const { id } = await till.send(product("p-1"));
    const reused = till.mint(sketch(id) as Sketch);
    expect(await till.send(reused)).toMatchObject({ status: "rejected", error: { code: "operation_id_reused" } });
    expect(await world.quarantined()).toEqual([]);
    const { results } = await till.pulled();
    expect(results).toMatchObject([{ id }, { status: "rejected", error: { code: "not_permitted" } }]);
  });
  test("the kept one has a UUID of its own", () => {
    expect(uuidOf("0123456789abcdef0123456789abcdef0123")).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

describe("forks [C7]", () => {
  test("the same incarnation and sequence with another id: the request is refused, nothing is applied", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint(product("p-1"));
    await till.send(first);
    const clone = { ...till.mint(product("p-2")), sequence: first.sequence };
    const other = till.mint(product("p-3"));
    expect(await till.outcome([other, clone])).toEqual({ kind: "fork", sequence: first.sequence });
    expect(await world.row("products", "p-3")).toBeUndefined();
  });
  test("two ids with one sequence in the same push are a fork too", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint(product("p-1"));
    const twin = { ...till.mint(product("p-2")), sequence: first.sequence };
    expect(await till.outcome([first, twin])).toEqual({ kind: "fork", sequence: first.sequence });
    expect(await world.row("products", "p-1")).toBeUndefined();
  });
  test("lanes send a low number after a high one: that is no fork", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const [low, high] = [till.mint(product("p-1")), till.mint(sale("s-1"))];
    await till.send(high);
    expect(await till.send(low)).toMatchObject({ status: "applied" });
  });
  test("after a fork only the incarnation is another: ids and numbers stay", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint(product("p-1"));
    await till.send(first);
    till.incarnation = "inc-new";
    expect(await till.push(first, edit("p-1", 0, { name: "x" }))).toMatchObject([
      { replayed: true },
      { status: "conflict" },
    ]);
  });
});

describe("sequence numbers", () => {
  test("an incarnation that never sent anything has nothing unsynced", async () => {
    const world = await ServerWorld.open();
    const enrol = async (incarnation: string) => {
      const principal = { tenant: "shop", scopes: [] };
      const session = { catalog: world.catalog, principal, device: "d", incarnation, receivedAt: world.now };
      const named = { name: undefined, os: undefined, appVersion: undefined };
      return (await world.store.transact("shop", asScript({ decide: (ws) => register(ws, session, { named }) }))).value;
    };
    await enrol("i-1");
    expect((await enrol("i-2")).unsynced).toEqual([]);
  });
  test("gaps are counted from the lowest of the first push [M6]", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    till.sequence = 10;
    const [, second, , fourth] = [
      till.mint(sale("1")),
      till.mint(sale("2")),
      till.mint(sale("3")),
      till.mint(sale("4")),
    ];
    await till.push(fourth, second);
    expect(await world.read({ kind: "incarnations", device: "till-1", limit: 10 })).toMatchObject([
      { firstSequence: 12, lastSequence: 14, received: 2 },
    ]);
  });
});

describe("an id that another till has taken before it arrived [H8]", () => {
  const transaction = "t-1";
  /** A sale with its payment and its goods, whose n-th operation has an id that another till has used. */
  async function taken(n: number) {
    const world = await ServerWorld.open();
    await world.till("a").send(product("p-1"));
    const [liar, till] = [world.till("liar"), world.till("till")];
    const sketches = [
      sale("s-1", { totalCents: 5 }, { transaction }),
      payment("y-1", "s-1", { transaction }),
      count("p-1", -1, { transaction }),
    ];
    const own = sketches.map((sketch) => till.mint(sketch));
    const id = own[n]!.id;
    expect(await liar.send(liar.mint({ ...sale("s-9", { totalCents: 1 }), id }))).toMatchObject({ status: "applied" });
    const send = async () => {
      const results = await till.push(...own);
      return own.map((operation) => results.find((result) => result.id === operation.id));
    };
    return { world, own, results: await send(), send };
  }
  const booked = async (world: ServerWorld) => [
    (await world.row("sales", "s-1"))?.state,
    (await world.row("payments", "y-1"))?.state,
    (await world.row("products", "p-1"))?.counters.stock ?? 0,
  ];

  test.each([0, 1, 2])("keeps all of a sale out of the books, and not a part of it (%i)", async (n) => {
    const { world, own, results } = await taken(n);
    expect(results[n]).toMatchObject({ status: "rejected", error: { code: "operation_id_reused" } });
    for (const [at, result] of results.entries())
      if (at !== n) expect(result).toMatchObject({ status: "quarantined", error: { code: "transaction_quarantined" } });
    expect(await booked(world)).toEqual([undefined, undefined, 0]);
    const waiting = (await world.quarantined()).map(({ operation }) => operation?.id);
    expect(waiting.sort()).toEqual(own.map(({ id }) => id).sort());
  });

  test.each([0, 1, 2])("is released with all that it was sent with, by any of it (%i)", async (n) => {
    const { world, results, send } = await taken(n);
    const [any] = await world.quarantined();
    expect(await world.release(any!.id)).toMatchObject({ kind: "revised", results: [{}, {}, {}] });
    expect(await booked(world)).toEqual(["live", "live", -1]);
    expect(await world.quarantined()).toEqual([]);
    // Sent again, it changes nothing.
    const again = await send();
    expect(again.map((result) => result?.status)).toEqual(
      results.map((result) => (result?.status === "rejected" ? "rejected" : "applied")),
    );
    expect(await booked(world)).toEqual(["live", "live", -1]);
  });

  test("is discarded with all that it was sent with", async () => {
    const { world } = await taken(0);
    const [any] = await world.quarantined();
    await world.discard(any!.id);
    expect(await world.quarantined()).toEqual([]);
    expect(await booked(world)).toEqual([undefined, undefined, 0]);
  });

  test("binds nothing to the till's own operation that came first under the id", async () => {
    const world = await ServerWorld.open();
    const till = world.till();
    const first = till.mint(sale("s-1", { totalCents: "x" }, { transaction }));
    expect(await till.send(first)).toMatchObject({ status: "quarantined" });
    await till.send({ ...first, data: { ...(first as { data?: object }).data, totalCents: 1 } } as never);
    const kept = (await world.quarantined()).find(({ id }) => id !== first.id);
    expect(await world.release(kept!.id)).toMatchObject({ kind: "revised", results: [{ status: "applied" }] });
    expect((await world.quarantined()).map(({ id }) => id)).toEqual([first.id]);
  });
});
