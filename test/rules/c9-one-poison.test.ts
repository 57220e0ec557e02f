/** [C9] One operation that nobody can read stops nothing but itself. */
import type { MemoryStore } from "tillsync/server/memory";
import { expect, onTestFinished, test, vi } from "vitest";
import { PushQueue } from "../../src/server/service/push-queue.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { lostAnswer, lostRequest, refusing, type Way } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

/** Refuses each push that has an operation on this record in it. */
const refusingWith =
  (entityId: string, status: number, code: string): Way =>
  (deliver, request, exchange) => {
    const operations = (exchange.request.operations ?? []) as { readonly entityId: string }[];
    const isPoisoned = operations.some((operation) => operation.entityId === entityId);
    return isPoisoned ? refusing(status, code)(deliver, request, exchange) : deliver();
  };

test("one malformed operation among fifty is set aside, and the others are applied", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  for (let n = 0; n < 50; n += 1) {
    await a.data.sales.create({ id: `s-${n}`, ...saleOf(1, 0) });
  }
  // A cashier's name that is longer than the protocol has room for: an earlier version of the app did not refuse it.
  a.rewrite("operations", (o: { entityId: string }) => (o.entityId === "s-20" ? { ...o, actor: "x".repeat(200) } : o));
  await a.sync();
  expect(a.line.of("push").map(({ status }) => status)).toEqual([200]);
  expect(a.operations.filter(({ state }) => state === "applied")).toHaveLength(49);
  expect(a.operationOn("s-20")).toMatchObject({ state: "quarantined", error: { code: "malformed" } });
  expect(await shop.office.quarantined()).toHaveLength(1);
  shop.checkInvariants(a);
});

test("each operation is judged alone: 46 of 50 are applied, an edit is rejected, a sale set aside", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const peer = shop.peer();
  await peer.register();
  const sale = (n: number, more: object = {}) =>
    peer.make({ action: "create", collection: "sales", entityId: `s-${n}`, data: { ...saleOf(1, 0), ...more } });
  let deep: object = {};
  for (let level = 0; level < 34; level += 1) deep = { deep };
  const operations = Array.from({ length: 46 }, (_, n) => sale(n));
  const odd = [
    { ...sale(50), colour: "red" },
    sale(51, { note: deep }),
    sale(52, { note: "\0" }),
    {
      ...peer.make({ action: "update", collection: "products", entityId: "p-1", baseVersion: 0, patch: {} }),
      patch: 7,
    },
  ];
  const results = await peer.push(...operations.slice(0, 20), ...odd, ...operations.slice(20));
  expect(results.filter(({ status }) => status === "applied")).toHaveLength(46);
  expect(results.slice(20, 24).map(({ status }) => status)).toEqual([
    "quarantined",
    "quarantined",
    "quarantined",
    "rejected",
  ]);
  expect(results.slice(20, 24).map(({ error }) => error.code)).toEqual(Array(4).fill("malformed"));
  // Kept for people, whatever is the matter with it (L1).
  expect(await shop.office.quarantined()).toHaveLength(3);
});

test.each([
  [400, "malformed"],
  [413, "too_large"],
])("a batch that is answered %i is halved down to one transaction, which is put aside", async (status, code) => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 100 });
  const a = await shop.openTill();
  for (let n = 0; n < 12; n += 1) {
    await a.client.transaction((tx) => {
      tx.sales.create({ id: `s-${n}`, ...saleOf(1, 0) });
      tx.products.increment("p-1", { stock: -1 });
    });
  }
  a.line.always = refusingWith("s-5", status, code);
  await a.sync();
  const parked = a.operations.filter(({ state }) => state === "quarantined");
  expect(parked.map(({ entityId }) => entityId)).toEqual(["s-5", "p-1"]);
  expect(parked[0]?.error).toMatchObject({ code });
  expect(a.operations.filter(({ state }) => state === "applied")).toHaveLength(22);
  // Never split: whoever sent the sale sent its stock with it.
  for (const batch of a.line.pushed) {
    const sales = batch.filter(({ collection }) => collection === "sales").map(({ transaction }) => transaction);
    const steps = batch.filter(({ collection }) => collection === "products").map(({ transaction }) => transaction);
    expect(steps).toEqual(sales);
  }
  // A person sends it again, when the server can read it.
  a.line.always = undefined;
  await a.client.operations.retry(parked.map(({ id }) => id));
  await shop.converge(a);
  expect(shop.shown("products", "p-1").stock).toBe(88);
});

test("what was put aside though the server had taken it hears of that with the next answer", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const shown = a.watch("products", "p-1", "stock");
  await a.data.products.update("p-1", { priceCents: 9 });
  await a.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", ...saleOf(1, 0) });
    tx.products.increment("p-1", { stock: -1 });
  });
  a.line.next("push", lostAnswer, ...Array.from({ length: 3 }, () => refusing(413, "too_large")));
  a.line.next("pull", lostRequest, lostRequest);
  await a.sync();
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["rejected", "quarantined", "quarantined"]);
  await a.sync();
  expect(a.operations.map(({ state, error }) => [state, error])).toEqual(Array(3).fill(["applied", undefined]));
  expect(a.client.status.attention).toEqual({ conflicts: 0, rejected: 0, quarantined: 0 });
  await shop.converge(a);
  expect(shop.shown("products", "p-1")).toMatchObject({ stock: 9, priceCents: 9 });
  expect(shown.at(-1)).toBe(9);
});

test("a server that keeps failing on one sale gets the others, and that one later", async () => {
  await using shop = new RuleShop();
  const a = shop.till({ sync: { auto: true } });
  await a.client.start();
  await shop.pass(1_000);
  a.line.up = false;
  for (let n = 0; n < 8; n += 1) await a.data.sales.create({ id: `s-${n}`, ...saleOf(1, 0) });
  a.line.up = true;
  a.line.always = refusingWith("s-3", 500, "internal");
  await shop.pass(15 * 60_000);
  expect(a.operations.filter(({ state }) => state === "applied")).toHaveLength(7);
  expect(a.operationOn("s-3").state).toBe("pending");
  a.line.always = undefined;
  await shop.pass(3 * 60_000);
  expect(a.operationOn("s-3").state).toBe("applied");
  shop.checkInvariants(a);
});

test("one till's poison does not abort the sale of another that was joined with it", async () => {
  const gate = deferred<void>();
  let poisonous = true;
  let slow = true;
  // As a database would that can't store what a schema let through.
  const database = (store: MemoryStore) =>
    new Proxy(store, {
      get(target, name) {
        if (name !== "transact") {
          const member = Reflect.get(target, name, target);
          return typeof member === "function" ? member.bind(target) : member;
        }
        return async (tenant: string, script: () => Generator<never, { writes: object }, unknown>) => {
          if (slow) await gate.promise;
          return target.transact(tenant, function* () {
            const done = yield* script();
            if (poisonous && JSON.stringify(done.writes).includes("s-poison")) throw new Error("can't be stored");
            return done as never;
          });
        };
      },
    });
  slow = false;
  await using shop = new RuleShop({ database });
  const tills = [await shop.openTill(), await shop.openTill(), await shop.openTill()] as const;
  const [a, b, c] = tills;
  await a.data.sales.create({ id: "s-a", ...saleOf(1, 0) });
  await b.data.sales.create({ id: "s-b", ...saleOf(1, 0) });
  await b.data.sales.create({ id: "s-poison", ...saleOf(1, 0) });
  await c.data.sales.create({ id: "s-c", ...saleOf(1, 0) });
  // The first is being stored while the other two come: those are joined.
  const holds = tills.map((till) => till.line.hold("push", "request"));
  const syncing = tills.map((till) => till.sync());
  await Promise.all(holds.map(({ arrived }) => arrived));
  slow = true;
  const queued = vi.spyOn(PushQueue.prototype, "push");
  onTestFinished(() => queued.mockRestore());
  for (const { release } of holds) release();
  await expect.poll(() => queued.mock.calls.length).toBe(tills.length);
  slow = false;
  gate.resolve();
  await Promise.all(syncing);
  expect(shop.errors.join()).toContain("each is tried alone");
  for (const [till, id] of [
    [a, "s-a"],
    [b, "s-b"],
    [c, "s-c"],
  ] as const) {
    expect(till.operationOn(id).state).toBe("applied");
  }
  expect(b.operationOn("s-poison")).toMatchObject({ state: "blocked", error: { code: "internal" } });
  poisonous = false;
  await shop.clock.advance(61_000);
  await shop.converge(...tills);
  expect(b.operationOn("s-poison").state).toBe("applied");
});
