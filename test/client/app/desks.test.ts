/** The desks: what waits, what was refused, what is in conflict, and what people do about it. */
import type { Operation } from "tillsync";
import { describe, expect, test } from "vitest";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { memory } from "../../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../../support/shop.ts";
import { bothCounts, ClientWorld, conflictsIn, listen, operationsIn, type Shop, type Till } from "../support/world.ts";

type Storage = ReturnType<typeof memory>;
async function shop(run: (till: Till, world: ClientWorld, storage: Storage) => Promise<void>): Promise<void> {
  await using world = new ClientWorld();
  await world.seed("products", { ...tea, stock: 10 }, { ...tea, id: "p-2" });
  await world.seed("customers", { id: "c-1", name: "Ann", phone: "1" });
  const storage = memory();
  const till = await world.open({ storage, actor: () => "u-7" });
  await run(till, world, storage);
  expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
}
const failure = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return isTillSyncError(error) ? { code: error.code, details: error.details } : error;
};
/** One of each state: rejected, quarantined, conflict (open), applied, superseded, pending. */
async function fill(till: Till, world: ClientWorld): Promise<void> {
  world.rejectNext("products");
  await till.collections.products.update("p-1", { name: "A" });
  world.quarantineNext("sales");
  await till.collections.sales.create(saleOf(1, 1));
  await world.clock.advance(1_000);
  await till.collections.sales.create(saleOf(1, 2));
  await world.clock.advance(1_000);
  world.network.offline();
  await till.collections.customers.update("c-1", { phone: "2" });
  await till.collections.products.update("p-2", { priceCents: 2 });
  await world.clock.advance(3_000);
  await world.seed("customers", { id: "c-1", name: "Ann", phone: "9" });
  await world.seed("products", { ...tea, id: "p-2", priceCents: 9 });
  world.network.online();
  await world.clock.advance(120_000);
  world.network.offline();
  await till.collections.sales.create(saleOf(1, 3));
  await world.clock.settle();
}
const shown = (operations: readonly Operation<Shop>[]) =>
  operations.map(({ collection, status, change }) => `${collection} ${change.action} ${status.state}`);

describe("operations.list", () => {
  test("gives everything in the order of the till, with its state", () =>
    shop(async (till, world) => {
      await fill(till, world);
      expect(shown(await till.operations.list())).toEqual([
        "products update rejected",
        "sales create quarantined",
        "sales create applied",
        "customers update conflict",
        "products update superseded",
        "products void applied",
        "sales create pending",
      ]);
    }));

  const filters: readonly (readonly [string, Parameters<Till["operations"]["list"]>[0], readonly string[]])[] = [
    ["one state", { state: "rejected" }, ["products update rejected"]],
    ["several states", { state: ["rejected", "pending"] }, ["products update rejected", "sales create pending"]],
    ["a collection", { collection: "customers" }, ["customers update conflict"]],
    ["a record", { collection: "products", entityId: "p-1" }, ["products update rejected"]],
    [
      "a state of a record",
      { collection: "products", entityId: "p-2", state: "superseded" },
      ["products update superseded"],
    ],
    ["a limit", { limit: 2 }, ["products update rejected", "sales create quarantined"]],
    ["a limit of a state", { state: "applied", limit: 1 }, ["sales create applied"]],
    ["nothing", { state: "blocked" }, []],
  ];
  for (const [name, filter, expected] of filters)
    test(`by ${name}`, () =>
      shop(async (till, world) => {
        await fill(till, world);
        expect(shown(await till.operations.list(filter))).toEqual(expected);
      }));

  test("by transaction: what was done together", () =>
    shop(async (till, world) => {
      world.network.offline();
      const id = await till.transaction((tx, context) => {
        tx.products.increment("p-1", { stock: -1 });
        tx.sales.create(saleOf(1, 1));
        return context.id;
      });
      await till.collections.sales.create(saleOf(1, 2));
      await world.clock.settle();
      expect(shown(await till.operations.list({ transaction: id }))).toEqual([
        "products increment pending",
        "sales create pending",
      ]);
    }));

  test("in pages covers everything once", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const all = (await till.operations.list()).map(({ id }) => id);
      const seen: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await till.operations.list({ limit: 2, ...(after !== undefined && { after }) });
        seen.push(...page.map(({ id }) => id));
        after = page.at(-1)?.id;
        if (page.length < 2) break;
      }
      expect(seen).toEqual(all);
    }));

  test("goes on behind an operation that has left the list meanwhile", () =>
    shop(async (till, world) => {
      for (const name of ["A", "B", "C"]) {
        world.rejectNext("products");
        await till.collections.products.update("p-1", { name });
        await world.clock.advance(1_000);
      }
      const [first, second, third] = await till.operations.list({ state: "rejected" });
      world.network.offline();
      await till.operations.discard(first as never, { reason: "no" });
      const page = await till.operations.list({ state: "rejected", after: first?.id, limit: 5 });
      expect(page.map(({ id }) => id)).toEqual([second?.id, third?.id]);
    }));

  test("knows what is on its way, however little is asked for", async () => {
    await using world = new ClientWorld();
    const seen: string[][] = [];
    const transport = world.transport();
    const till: Till = await world.open({
      sync: { batch: { maxOperations: 1 } },
      transport: {
        ...transport,
        async push(request, call) {
          const list = (state: "in_flight" | "pending") => till.operations.list({ state, limit: 1 });
          seen.push(shown([...(await list("in_flight")), ...(await list("pending"))]) as string[]);
          return transport.push(request, call);
        },
      },
    });
    till.pause("x");
    await till.collections.customers.create({ name: "Ann" });
    await till.collections.sales.create(saleOf(1, 1));
    till.resume("x");
    await world.clock.advance(1_000);
    expect(seen).toEqual([["sales create in_flight", "customers create pending"], ["customers create in_flight"]]);
  });
});

describe("operations.get", () => {
  test("gives one, with who and when and what", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.update("p-1", { name: "A", note: undefined, category: "hot" });
      await world.clock.settle();
      const [operation] = await till.operations.list();
      expect(operation && (await till.operations.get(operation.id))).toEqual({
        id: operation?.id,
        sequence: 1,
        transaction: expect.any(String),
        collection: "products",
        kind: "record",
        entityId: "p-1",
        change: { action: "update", patch: { name: "A", category: "hot" }, baseVersion: expect.any(Number) },
        status: { state: "pending" },
        actor: "u-7",
        occurredAt: till.now(),
        attempts: 0,
      });
    }));

  test("gives undefined for what is not there", () =>
    shop(async (till) => {
      expect(await till.operations.get("nope")).toBeUndefined();
    }));
});

test.each(["operations", "conflicts"] as const)(
  "%s.live tells that it could not be read, and keeps what it shows",
  async (desk) => {
    await using world = new ClientWorld();
    let isBroken = false;
    const before = (step: { readonly kind: string }) => {
      if (isBroken && step.kind === "scan") throw new Error("the disk");
    };
    const till = await world.open({ storage: memory({ faults: { before } }) });
    const live = desk === "operations" ? till.operations.live({ limit: 5 }) : till.conflicts.live();
    live.subscribe(() => {});
    await world.clock.settle();
    const shown = live.getSnapshot();
    const told = listen(till, "error");
    isBroken = true;
    await till.collections.products.create({ name: "Milk", priceCents: 1 });
    await world.clock.settle();
    isBroken = false;
    expect(told.of<Error>("error").map(({ cause }) => (cause as Error).message)).toContain("the disk");
    expect(live.getSnapshot()).toBe(shown);
  },
);

describe("operations.live", () => {
  test("shows what waits, and the same object until something changes", () =>
    shop(async (till, world) => {
      const calls: number[] = [];
      const live = till.operations.live({ state: "rejected", limit: 5 });
      live.subscribe((rejected) => calls.push(rejected.length));
      await world.clock.settle();
      const before = live.getSnapshot();
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(60_000);
      expect(live.getSnapshot()).toBe(before);
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(60_000);
      expect(calls).toEqual([0, 1]);
    }));
});

describe("operations.retry", () => {
  test("sends a rejected edit again, as it is, under a new id that names the old one", () =>
    shop(async (till, world, storage) => {
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      const [rejected] = await till.operations.list({ state: "rejected" });
      await till.operations.retry(rejected?.id ?? "");
      expect((await till.collections.products.get("p-1"))?.name).toBe("A");
      await world.clock.advance(1_000);
      expect(operationsIn(storage).map((o) => [o.state, o.patch, o.supersedes])).toEqual([
        ["superseded", { name: "A" }, undefined],
        ["applied", { name: "A" }, [rejected?.id]],
      ]);
      expect((await world.rows("products")).find(({ id }) => id === "p-1")).toMatchObject({ name: "A" });
    }));

  test("sends a quarantined sale again, and it stays in the view all the while", () =>
    shop(async (till, world) => {
      world.quarantineNext("sales");
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      const [kept] = await till.operations.list({ state: "quarantined" });
      await till.operations.retry([kept?.id ?? ""]);
      expect(await till.collections.sales.get(id)).toBeDefined();
      await world.clock.advance(1_000);
      expect([(await till.collections.sales.meta(id))?.sync, await world.rows("sales")]).toEqual([
        "synced",
        [expect.objectContaining({ id })],
      ]);
    }));

  test("does not wait for the backoff", () =>
    shop(async (till, world) => {
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      const [rejected] = await till.operations.list({ state: "rejected" });
      world.network.offline();
      await world.clock.advance(300_000);
      world.network.online();
      await till.operations.retry(rejected?.id ?? "");
      await world.clock.settle();
      expect(await till.operations.list({ state: "pending" })).toEqual([]);
    }));

  test("of several takes each once", () =>
    shop(async (till, world, storage) => {
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      const [rejected] = await till.operations.list({ state: "rejected" });
      await till.operations.retry([rejected?.id ?? "", rejected?.id ?? ""]);
      expect(operationsIn(storage)).toHaveLength(2);
    }));

  test("of one that is settled, or unknown, is refused, and nothing of the others is sent", () =>
    shop(async (till, world, storage) => {
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      const [rejected] = await till.operations.list({ state: "rejected" });
      const [sold] = await till.operations.list({ state: "applied" });
      expect(await failure(till.operations.retry([rejected?.id ?? "", sold?.id ?? ""]))).toEqual({
        code: "operation_not_rejected",
        details: { operationId: sold?.id, state: "applied" },
      });
      expect(await failure(till.operations.retry("nope"))).toEqual({
        code: "operation_not_rejected",
        details: { operationId: "nope", state: "unknown" },
      });
      expect(operationsIn(storage)).toHaveLength(2);
    }));
});

describe("a commercial transaction in quarantine goes again whole, or not at all [C1]", () => {
  const kept = async (till: Till, world: ClientWorld) => {
    world.quarantineNext("sales");
    await till.transaction((tx) => {
      const sale = tx.sales.create(saleOf(1, 1));
      tx.payments.create({ saleId: sale.id, amountCents: 5_000 });
      tx.products.increment("p-1", { stock: -1 });
    });
    await world.clock.advance(1_000);
    const operations = await till.operations.list({ state: "quarantined" });
    expect(operations).toHaveLength(3);
    return operations;
  };
  const sentLast = (world: ClientWorld) => {
    const push = world.network.requests.filter(({ path }) => path.endsWith("/push")).at(-1);
    return (push?.body as { operations: { transaction?: string }[] } | undefined)?.operations ?? [];
  };
  const there = async (world: ClientWorld) => [
    (await world.rows("sales")).map(({ totalCents }) => totalCents),
    (await world.rows("payments")).length,
    (await world.rows("products")).find(({ id }) => id === "p-1")?.stock,
  ];

  test("where all of it is retried: bound as it was", () =>
    shop(async (till, world) => {
      const operations = await kept(till, world);
      await till.operations.retry(operations.map(({ id }) => id));
      await world.clock.advance(1_000);
      expect(sentLast(world).map(({ transaction }) => transaction)).toEqual(operations.map((o) => o.transaction));
      expect(await there(world)).toEqual([[5_000], 1, 9]);
    }));

  test("where one of it is retried: with the others", () =>
    shop(async (till, world) => {
      const [first] = await kept(till, world);
      await till.operations.retry(first?.id ?? "");
      await world.clock.advance(1_000);
      expect(await there(world)).toEqual([[5_000], 1, 9]);
    }));

  test("where one of it is corrected: with the others, as they were", () =>
    shop(async (till, world) => {
      const sale = (await kept(till, world)).find(({ collection }) => collection === "sales");
      if (sale?.collection !== "sales") throw new Error("no sale is kept");
      await till.operations.amend(sale, { totalCents: 4_000 });
      await world.clock.advance(1_000);
      expect(await there(world)).toEqual([[4_000], 1, 9]);
    }));

  test("and shows and counts all the while what it did at first", () =>
    shop(async (till, world) => {
      const [first] = await kept(till, world);
      world.network.offline();
      await till.operations.retry(first?.id ?? "");
      expect([await till.collections.sales.count(), (await till.collections.products.get("p-1"))?.stock]).toEqual([
        1, 9,
      ]);
    }));
});

describe("operations.amend", () => {
  const rejectedEdit = async (till: Till, world: ClientWorld) => {
    world.rejectNext("products", "price_locked");
    await till.collections.products.update("p-1", { priceCents: 1, name: "A" });
    await world.clock.advance(1_000);
    const [rejected] = await till.operations.list({ state: "rejected", collection: "products" });
    if (rejected?.collection !== "products") throw new Error("nothing was rejected");
    return rejected;
  };

  test("replaces a rejected edit by a corrected one, and keeps the old one with its verdict", () =>
    shop(async (till, world, storage) => {
      const rejected = await rejectedEdit(till, world);
      await till.operations.amend(rejected, { priceCents: 2 });
      await world.clock.advance(1_000);
      expect(operationsIn(storage).map((o) => [o.state, o.patch, o.error?.code])).toEqual([
        ["superseded", { priceCents: 1, name: "A" }, "price_locked"],
        ["applied", { priceCents: 2, name: "A" }, undefined],
      ]);
    }));

  test("keeps the removal of a field, if the correction does not name that field", () =>
    shop(async (till, world) => {
      const productAtServer = async () => (await world.rows("products")).find(({ id }) => id === "p-1");
      await world.seed("products", { ...tea, note: "old" });
      await world.clock.advance(60_000);
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A", note: undefined });
      await world.clock.advance(1_000);
      expect(await productAtServer()).toMatchObject({ name: "Tea", note: "old" });
      const [rejected] = await till.operations.list({ state: "rejected" });
      if (rejected?.collection !== "products") throw new Error("nothing was rejected");
      await till.operations.amend(rejected, { name: "B" });
      await world.clock.advance(1_000);
      expect(await productAtServer()).toMatchObject({ name: "B" });
      expect(await productAtServer()).not.toHaveProperty("note");
    }));

  test("carries what it was given: the caller may change it at once", () =>
    shop(async (till, world, storage) => {
      const form = { name: "B", barcodes: ["7"] };
      const amending = till.operations.amend(await rejectedEdit(till, world), form);
      form.barcodes.push("8");
      await amending;
      expect(operationsIn(storage).at(-1)?.patch).toMatchObject({ barcodes: ["7"] });
    }));

  test("carries what the schema puts out", () =>
    shop(async (till, world, storage) => {
      await till.operations.amend(await rejectedEdit(till, world), { name: "  B " });
      expect(operationsIn(storage).at(-1)?.patch).toEqual({ priceCents: 1, name: "B" });
    }));

  test("refuses what the schema refuses, and changes nothing", () =>
    shop(async (till, world, storage) => {
      const rejected = await rejectedEdit(till, world);
      const before = operationsIn(storage);
      expect(await failure(till.operations.amend(rejected, { priceCents: -1 }))).toMatchObject({
        code: "validation_failed",
      });
      expect(operationsIn(storage)).toEqual(before);
    }));

  for (const [what, patch] of Object.entries({
    "a counter": { stock: 5 },
    "the id": { id: "p-9" },
    "what is not JSON": { name: new Date(0) },
  }))
    test(`refuses ${what}`, () =>
      shop(async (till, world, storage) => {
        const rejected = await rejectedEdit(till, world);
        const before = operationsIn(storage);
        expect(await failure(till.operations.amend(rejected, patch as never))).toMatchObject({
          code: expect.stringMatching(/validation_failed|not_json/),
        });
        expect(operationsIn(storage)).toEqual(before);
      }));

  test("corrects a quarantined sale, which never leaves the view", () =>
    shop(async (till, world) => {
      world.quarantineNext("sales");
      const { id } = await till.collections.sales.create(saleOf(1, 1));
      await world.clock.advance(1_000);
      const [kept] = await till.operations.list({ state: "quarantined" });
      if (kept?.collection !== "sales") throw new Error("nothing is kept");
      await till.operations.amend(kept, { totalCents: 4_000 });
      expect((await till.collections.sales.get(id))?.totalCents).toBe(4_000);
      await world.clock.advance(1_000);
      expect(await world.rows("sales")).toEqual([expect.objectContaining({ id, totalCents: 4_000 })]);
    }));

  test("of one that is not rejected is refused", () =>
    shop(async (till, world) => {
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      const [applied] = await till.operations.list();
      expect(await failure(till.operations.amend(applied as never, { name: "B" } as never))).toEqual({
        code: "operation_not_rejected",
        details: { operationId: applied?.id, state: "applied" },
      });
    }));

  test("of a delete is refused: there is nothing to correct", () =>
    shop(async (till, world) => {
      world.rejectNext("products");
      await till.collections.products.delete("p-1");
      await world.clock.advance(1_000);
      const [rejected] = await till.operations.list({ state: "rejected" });
      expect(await failure(till.operations.amend(rejected as never, { name: "B" } as never))).toMatchObject({
        code: "operation_not_rejected",
      });
    }));
});

describe("operations.discard", () => {
  test("gives a rejected edit up, with the reason, and tells the server", () =>
    shop(async (till, world, storage) => {
      world.rejectNext("products");
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      const [rejected] = await till.operations.list({ state: "rejected" });
      if (rejected?.kind !== "record") throw new Error("nothing was rejected");
      await till.operations.discard(rejected, { reason: "mistyped", actor: "u-9" });
      expect(till.status.attention.rejected).toBe(0);
      await world.clock.advance(1_000);
      expect(operationsIn(storage).map((o) => [o.action, o.state, o.note, o.actor])).toEqual([
        ["update", "superseded", "mistyped", "u-7"],
        ["void", "applied", undefined, "u-9"],
      ]);
      expect((await till.collections.products.meta("p-1"))?.sync).toBe("synced");
    }));

  test("is itself listed as an operation: a void, and nothing else", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.update("p-1", { name: "A" });
      const [pending] = await till.operations.list();
      await till.operations.discard(pending as never, { reason: "no" });
      const changes = (await till.operations.list({ state: "pending" })).map(({ change }) => change);
      expect(changes).toStrictEqual([{ action: "void" }]);
    }));

  test("gives an edit up that waits, at once in the view", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.settle();
      const [pending] = await till.operations.list();
      await till.operations.discard(pending as never, { reason: "no" });
      expect((await till.collections.products.get("p-1"))?.name).toBe("Tea");
      world.network.online();
      await world.clock.advance(120_000);
      expect((await world.rows("products")).find(({ id }) => id === "p-1")).toMatchObject({ name: "Tea" });
    }));

  test("of an edit that the server had taken, unheard: the edit stands, here and there", () =>
    shop(async (till, world) => {
      world.network.loseNextAnswer();
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.settle();
      world.network.offline();
      const [pending] = await till.operations.list();
      await till.operations.discard(pending as never, { reason: "no" });
      world.network.online();
      await world.clock.advance(300_000);
      const there = (await world.rows("products")).find(({ id }) => id === "p-1")?.name;
      expect([there, (await till.collections.products.get("p-1"))?.name, till.status.pending.count]).toEqual([
        "A",
        "A",
        0,
      ]);
    }));

  test("of an edit in conflict closes the conflict", () =>
    shop(async (till, world, storage) => {
      await fill(till, world);
      const [open] = await till.operations.list({ state: "conflict" });
      await till.operations.discard(open as never, { reason: "no" });
      expect([await till.conflicts.list(), till.status.attention.conflicts]).toEqual([[], 0]);
      expect(conflictsIn(storage).filter((c) => !c.settled)).toEqual([]);
    }));

  test("of a fact is refused: a sale is never given up (L11)", () =>
    shop(async (till, world) => {
      world.network.offline();
      await till.collections.sales.create(saleOf(1, 1));
      const [sold] = await till.operations.list();
      expect(await failure(till.operations.discard(sold as never, { reason: "no" }))).toMatchObject({
        code: "operation_not_rejected",
        details: { state: "a fact, which is never given up" },
      });
    }));

  test("of one that is settled is refused", () =>
    shop(async (till, world) => {
      await till.collections.products.update("p-1", { name: "A" });
      await world.clock.advance(1_000);
      const [applied] = await till.operations.list();
      expect(await failure(till.operations.discard(applied as never, { reason: "no" }))).toMatchObject({
        code: "operation_not_rejected",
        details: { state: "applied" },
      });
    }));
});

describe("conflicts", () => {
  const open = async (till: Till) => {
    const [conflict] = await till.conflicts.list();
    if (conflict?.collection !== "customers") throw new Error("no conflict");
    return conflict;
  };

  test("list: those that wait for people, or those that were settled", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const show = async (filter: Parameters<Till["conflicts"]["list"]>[0]) =>
        (await till.conflicts.list(filter)).map(({ collection, settled }) => [collection, settled?.by, settled?.kept]);
      expect(await show({})).toEqual([["customers", undefined, undefined]]);
      expect(await show({ state: "settled" })).toEqual([["products", "resolver", "server"]]);
      expect(await show({ collection: "products" })).toEqual([]);
      expect(await show({ limit: 0 })).toEqual([]);
    }));

  test("get: one, or undefined", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const one = await open(till);
      expect([await till.conflicts.get(one.id), await till.conflicts.get("nope")]).toEqual([one, undefined]);
    }));

  test("live: shows what is open, and the same object until something changes", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const live = till.conflicts.live();
      const calls: number[] = [];
      live.subscribe((conflicts) => calls.push(conflicts.length));
      await world.clock.settle();
      const before = live.getSnapshot();
      await till.collections.products.increment("p-1", { stock: 1 });
      await world.clock.settle();
      expect(live.getSnapshot()).toBe(before);
      await till.conflicts.resolve(await open(till), "server");
      await world.clock.settle();
      expect(calls).toEqual([0, 1, 0]);
    }));

  const ends: readonly (readonly [string, "client" | "server" | { merged: { phone: string } }, string])[] = [
    ["the client's side", "client", "2"],
    ["the server's side", "server", "9"],
    ["a merge", { merged: { phone: "2/9" } }, "2/9"],
  ];
  for (const [name, choice, phone] of ends)
    test(`resolve: ${name} is what both have in the end, and nothing is left open`, () =>
      shop(async (till, world, storage) => {
        await fill(till, world);
        await till.conflicts.resolve(await open(till), choice, { note: "asked her", actor: "u-9" });
        expect((await till.collections.customers.get("c-1"))?.phone).toBe(phone);
        world.network.online();
        await world.clock.advance(120_000);
        expect([
          (await world.rows("customers"))[0]?.phone,
          (await till.collections.customers.get("c-1"))?.phone,
          (await till.collections.customers.meta("c-1"))?.sync,
        ]).toEqual([phone, phone, "synced"]);
        expect(((await world.office("conflicts")) as { conflicts: unknown[] }).conflicts).toEqual([]);
        expect(conflictsIn(storage).find((c) => c.collection === "customers")?.settled).toMatchObject({
          by: "person",
          note: "asked her",
        });
      }));

  test("resolve: a merge is what it was when it was given", () =>
    shop(async (till, world, storage) => {
      await fill(till, world);
      const merged = { phone: "5" };
      const resolving = till.conflicts.resolve(await open(till), { merged });
      merged.phone = "6";
      await resolving;
      expect(operationsIn(storage).at(-1)?.patch).toEqual({ phone: "5" });
    }));

  test("resolve: a second time is refused", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const one = await open(till);
      await till.conflicts.resolve(one, "client");
      expect(await failure(till.conflicts.resolve(one, "server"))).toEqual({
        code: "conflict_settled",
        details: { conflictId: one.id },
      });
    }));

  test("resolve: what the office has settled meanwhile stands", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const one = await open(till);
      await world.office(`conflicts/${one.id}/resolve`, { choice: "merged", data: { phone: "5" } });
      await till.conflicts.resolve(one, "client");
      world.network.online();
      await world.clock.advance(120_000);
      expect([(await world.rows("customers"))[0]?.phone, (await till.collections.customers.get("c-1"))?.phone]).toEqual(
        ["5", "5"],
      );
      expect([till.status.pending.count, till.status.attention.conflicts]).toEqual([0, 0]);
    }));

  test("resolve: a merge that the schema refuses is refused, and the conflict stays open", () =>
    shop(async (till, world) => {
      await fill(till, world);
      const one = await open(till);
      expect(await failure(till.conflicts.resolve(one, { merged: { phone: 7 } } as never))).toMatchObject({
        code: "validation_failed",
      });
      expect((await open(till)).id).toBe(one.id);
    }));

  test("resolve: of an unknown one is refused", () =>
    shop(async (till) => {
      expect(await failure(till.conflicts.resolve({ id: "nope" } as never, "server"))).toMatchObject({
        code: "conflict_settled",
      });
    }));
});
