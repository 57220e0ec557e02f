/** [C8] A server that was put back from a backup gets back from its tills what it lost, announced or not. */
import fc from "fast-check";
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import type { StoredOperation } from "../../src/client/state/operation.ts";
import { announceRestore } from "../../src/server/admin/announce-restore.ts";
import { omit } from "../../src/shared/omit.ts";
import { ann } from "../support/in-conflict.ts";
import { times } from "../support/property.ts";
import { lostRequest } from "../support/rule-line.ts";
import { days, RuleShop } from "../support/rule-shop.ts";
import type { RuleTill } from "../support/rule-till.ts";
import { collections, saleOf, tea } from "../support/shop.ts";

async function shopWithTwo() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  await shop.seed("customers", ann);
  return { shop, a: await shop.openTill(), b: await shop.openTill() };
}
async function sell(till: RuleTill, id: string, quantity = 2) {
  await till.client.transaction((tx, { now }) => {
    tx.sales.create({ id, ...saleOf(quantity, now) });
    tx.products.increment("p-1", { stock: -quantity });
  });
}

test.each(["announced", "silent"] as const)(
  "what a restored server has lost comes back from the tills (%s) [C8.2]",
  async (said) => {
    const { shop, a, b } = await shopWithTwo();
    await using _ = shop;
    const restore = shop.backup();
    await sell(a, "s-1");
    await b.data.products.update("p-1", { priceCents: 9 });
    await shop.converge(a, b);
    const epoch = shop.epoch;
    const shown = [a.watch("products", "p-1", "stock"), b.watch("products", "p-1", "stock")];
    await restore(said);
    await shop.converge(a, b);
    await shop.clock.settle();
    expect(shop.epoch).not.toBe(epoch);
    expect(a.told("epoch_changed")).toHaveLength(1);
    expect(b.told("epoch_changed")).toHaveLength(1);
    expect(shop.row("sales", "s-1")?.state).toBe("live");
    expect(shop.shown("products", "p-1")).toMatchObject({ stock: 8, priceCents: 9 });
    // The till that sold never showed its own sale twice, or not at all.
    expect(new Set(shown[0])).toEqual(new Set([8]));
  },
);

test("a restore that nobody announced is found out though the server has moved past what it lost [C8.2]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await sell(a, "s-1");
  await a.sync();
  const lost = shop.position;
  await restore("silent");
  for (let n = 2; n < 8; n += 1) await sell(b, `s-${n}`, 1);
  // This till knows nothing of the lost tail: for it, nothing has happened.
  await b.sync();
  expect(shop.position).toBeGreaterThan(lost);
  expect(b.told("epoch_changed")).toEqual([]);
  await shop.converge(a, b);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
});

test("an answer of the lost history that comes after one of the new is found out by the next request [C8.2]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  await sell(a, "s-0", 1);
  await shop.converge(a, b);
  const restore = shop.backup();
  const push = a.line.hold("push", "answer");
  const pull = a.line.hold("pull", "request");
  await sell(a, "s-1");
  const syncing = a.sync();
  await Promise.all([push.arrived, pull.arrived]);
  await restore("silent");
  for (let n = 2; n < 8; n += 1) await sell(b, `s-${n}`, 1);
  await b.sync();
  // The pull is answered by the new history, whose positions are higher; then comes the answer of the lost one.
  pull.release();
  await shop.until(() => a.rows("sales").length > 2);
  push.release();
  await syncing;
  expect(a.operationOn("s-1").state).toBe("applied");
  await shop.converge(a, b);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
});

test("a push of an epoch that is over is refused whole, with the epoch that holds [C8.3]", async () => {
  const { shop } = await shopWithTwo();
  await using _ = shop;
  const peer = shop.peer();
  await peer.register();
  const restore = shop.backup();
  await restore("announced");
  const { status, body } = await peer.send([
    peer.make({ action: "create", collection: "sales", entityId: "s-1", data: saleOf(1, 0) }),
  ]);
  expect([status, body.code, body.epoch]).toEqual([409, "resync_required", shop.epoch]);
  expect(shop.row("sales", "s-1")).toBeUndefined();
  expect(shop.operations).toEqual([]);
});

test("a second restore that brings back an older epoch is a new epoch all the same [C8.2]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const first = shop.epoch;
  const restore = shop.backup();
  await restore("announced");
  await a.data.products.update("p-1", { priceCents: 1 });
  await shop.converge(a, b);
  const second = shop.epoch;
  await restore("silent");
  expect(shop.epoch).toBe(first);
  await shop.converge(a, b);
  expect([first, second]).not.toContain(shop.epoch);
  expect(shop.shown("products", "p-1").priceCents).toBe(1);
  expect(await a.client.conflicts.list({ state: "settled" })).toEqual([]);
});

test("a restore before the last one is made good takes nothing from the till, nor stops it [C8.4]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await sell(a, "s-1");
  await a.data.products.update("p-1", { priceCents: 9 });
  await shop.converge(a, b);
  const shown = a.watch("products", "p-1", "stock");
  await restore("announced");
  // The rows of the new history come, and what the till gives back never arrives.
  a.line.next("push", lostRequest);
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
  await restore("announced");
  // It hears of the second one, and of nothing after it.
  a.line.always = (deliver) => (a.told("epoch_changed").length < 2 ? deliver() : Promise.reject(new TypeError("lost")));
  await a.sync();
  expect(a.told("epoch_changed")).toHaveLength(2);
  await sell(a, "s-2", 1);
  a.line.always = undefined;
  await shop.converge(a, b);
  expect(shop.shown("products", "p-1")).toMatchObject({ stock: 7, priceCents: 9 });
  expect(new Set(shown)).toEqual(new Set([8, 7]));
});

test("what lies in quarantine, and what is open on the desk, comes back to both [C8.4]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  const restore = shop.backup();
  shop.nextVerdict("sales", "quarantined", "odd");
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.data.customers.update("c-1", { phone: "3" });
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["quarantined", "conflict"]);
  await restore("announced");
  expect(await shop.office.quarantined()).toEqual([]);
  expect(await shop.office.conflicts()).toEqual([]);
  shop.nextVerdict("sales", "quarantined", "odd");
  await a.sync();
  expect(await shop.office.quarantined()).toHaveLength(1);
  expect(await shop.office.conflicts()).toHaveLength(1);
  expect(a.operations.map(({ state }) => state)).toEqual(["quarantined", "conflict"]);
  expect(await a.client.conflicts.list()).toHaveLength(1);
  await shop.office.release(a.operationOn("s-1").id);
  await shop.office.resolve(a.operationOn("c-1").id, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
});

test.each(["the earlier", "the later"])(
  "edits that had been applied are not quarrelled over again (%s till comes first) [C8.5]",
  async (first) => {
    const { shop, a, b } = await shopWithTwo();
    await using _ = shop;
    const restore = shop.backup();
    await a.data.products.update("p-1", { priceCents: 1 });
    await shop.converge(a, b);
    await b.data.products.update("p-1", { priceCents: 2 });
    await shop.converge(a, b);
    await restore("announced");
    await shop.converge(...(first === "the earlier" ? [a, b] : [b, a]));
    expect(shop.shown("products", "p-1").priceCents).toBe(2);
    for (const till of [a, b]) {
      expect(till.operationOn("p-1").state).toBe("applied");
      expect(till.told("conflict")).toEqual([]);
    }
    const flags = a.operationOn("p-1").flags?.map(({ code }) => code) ?? [];
    expect(flags).toEqual(first === "the earlier" ? [] : ["overtaken"]);
  },
);

test("an acknowledged edit does not go over what was written since the restore [C8.5]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.sync();
  await restore("announced");
  await b.sync();
  await b.data.products.update("p-1", { priceCents: 7 });
  await b.sync();
  await shop.converge(a, b);
  expect(shop.shown("products", "p-1").priceCents).toBe(7);
  expect(a.operationOn("p-1")).toMatchObject({ state: "applied", flags: [{ code: "overtaken" }] });
});

test("nobody lets an edit in by saying that it had been acknowledged in this very epoch, or in one that never was [C8.5]", async () => {
  const { shop, b } = await shopWithTwo();
  await using _ = shop;
  const peer = shop.peer();
  await peer.register();
  await b.data.products.update("p-1", { priceCents: 7 });
  await b.sync();
  for (const epoch of [peer.epoch, "made-up"]) {
    const acknowledged = { epoch, version: Number.MAX_SAFE_INTEGER };
    const edit = {
      action: "update",
      collection: "products",
      entityId: "p-1",
      baseVersion: 0,
      patch: { priceCents: 1 },
      acknowledged,
    };
    const [result] = await peer.push(peer.make(edit));
    expect(result?.status).toBe("conflict");
  }
  expect(shop.shown("products", "p-1").priceCents).toBe(7);
});

/** A shop that gives each sale a number, and that takes no sale at all once it is closed. */
function numberedShop() {
  const till = { isClosed: false };
  const shop = new RuleShop({
    collections,
    policies: {
      sales: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone" },
        decide: ({ operation, epoch }) =>
          till.isClosed
            ? { outcome: "quarantined", code: "closed", message: "The shop is closed" }
            : { outcome: "applied", assigned: { orderNumber: `ORD-${epoch}-${operation.entityId}` } },
      },
    },
  });
  const close = () => {
    till.isClosed = true;
  };
  return { shop, close };
}
const judgedAsNew = { status: "quarantined", error: { code: "closed" } };

test("an acknowledgement is believed with its own receipt, and with nothing else about it changed [C8.5]", async () => {
  const { shop, close } = numberedShop();
  await using _ = shop;
  const [peer, stranger] = [shop.peer(), shop.peer("stranger", { tenant: "other" })];
  for (const one of [peer, stranger]) await one.register();
  const strangersOwn = stranger.epoch;
  const restore = shop.backup();
  const sold = Array.from({ length: 90 }, (_, n) =>
    peer.make({ action: "create", collection: "sales", entityId: `s-${n}`, data: saleOf(1 + n, n) }),
  );
  const results = await peer.push(...sold);
  const journal = sold.map((operation, n) => {
    const { version, assigned, receipt } = results[n] ?? {};
    return { ...operation, acknowledged: { epoch: peer.epoch, version, assigned, receipt } };
  });
  await restore("announced");
  await peer.register();
  const between = peer.epoch;
  for (const tenant of ["shop", "other"]) await announceRestore(shop.store, tenant, shop);
  for (const one of [peer, stranger]) {
    one.marks = {};
    await one.register();
  }
  close();

  const other = fc.nat(journal.length - 1);
  const about = (change: fc.Arbitrary<Record<string, unknown>>) =>
    change.map((told) => (sent: (typeof journal)[number]) => ({
      ...sent,
      acknowledged: { ...sent.acknowledged, ...told },
    }));
  const itself = (change: fc.Arbitrary<Record<string, unknown>>) =>
    change.map((told) => (sent: (typeof journal)[number]) => ({ ...sent, ...told }));
  const digit = fc.tuple(fc.nat(31), fc.constantFrom(..."0123456789abcdef"));
  const forgery = fc.oneof(
    itself(fc.uuid().map((id) => ({ id }))),
    itself(fc.uuid().map((entityId) => ({ entityId }))),
    itself(fc.nat(99).map((n) => ({ data: saleOf(200 + n, n) }))),
    itself(fc.uuid().map((actor) => ({ actor }))),
    itself(fc.uuid().map((transaction) => ({ transaction }))),
    itself(fc.constant({ occurredAt: "2026-11-20T08:00:00.001Z" })),
    about(fc.maxSafeNat().map((version) => ({ version }))),
    about(fc.constantFrom(peer.epoch, between, "made-up", strangersOwn).map((epoch) => ({ epoch }))),
    about(fc.uuid().map((orderNumber) => ({ assigned: { orderNumber } }))),
    about(fc.constantFrom(undefined, {}, { orderNumber: "ORD-1-s-1", note: 1 }).map((assigned) => ({ assigned }))),
    about(fc.integer({ min: 1, max: 9 }).map((schemaVersion) => ({ schemaVersion }))),
    about(other.map((n) => ({ receipt: journal[n]?.acknowledged.receipt }))),
    about(fc.constantFrom(undefined, "x", "0".repeat(32), "A".repeat(128)).map((receipt) => ({ receipt }))),
    digit.map(([at, to]) => (sent: (typeof journal)[number]) => {
      const receipt = `${sent.acknowledged.receipt}`;
      const changed = `${receipt.slice(0, at)}${to}${receipt.slice(at + 1)}`;
      return { ...sent, acknowledged: { ...sent.acknowledged, receipt: changed } };
    }),
  );
  let used = 0;
  const holds = fc.asyncProperty(forgery, fc.boolean(), async (forge, isElsewhere) => {
    const honest = journal[used++ % journal.length];
    if (honest === undefined) return;
    // By another tenant's till it is forged already.
    const forged = isElsewhere ? honest : forge(honest);
    fc.pre(isElsewhere || JSON.stringify(forged) !== JSON.stringify(honest));
    // A fork is no matter of receipts: each delivery has a number of its own.
    const [result] = await (isElsewhere ? stranger : peer).push({ ...forged, sequence: 1_000 + used });
    expect(result).toMatchObject(judgedAsNew);
  });
  // Each operation is forged once: its id is known from then on.
  await fc.assert(holds, { ...times(60), numRuns: 60 });
  expect(shop.records.filter(({ collection }) => collection === "sales")).toEqual([]);

  const rest = journal.slice(used);
  expect(rest.length).toBeGreaterThan(0);
  const believed = await peer.push(...rest);
  expect(believed.map(({ status, assigned }) => [status, assigned])).toEqual(
    rest.map(({ acknowledged }) => ["applied", acknowledged.assigned]),
  );
});

test("a sale is believed after every restore that follows, whether what was given back had arrived or not [C8.5]", async () => {
  const { shop, close } = numberedShop();
  await using _ = shop;
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const restore = shop.backup();
  await sell(a, "s-1");
  await shop.converge(a);
  close();
  const receipts = new Set<unknown>();
  const isBack = async () => {
    await shop.converge(a);
    receipts.add(a.operationOn("s-1").receipt);
    expect(shop.shown("sales", "s-1")?.orderNumber).toBe("ORD-1-s-1");
    expect(a.operationOn("s-1").state).toBe("applied");
  };
  await isBack();
  // It arrives, and the epoch in which it does has a receipt of its own.
  await restore("announced");
  await isBack();
  await restore("silent");
  await isBack();
  expect(receipts.size).toBe(3);
  // It does not arrive before the next restore: what it brings then is still of the epoch before.
  await restore("announced");
  a.line.next("push", lostRequest);
  await a.sync();
  const waiting = a.operationOn("s-1").acknowledged;
  await restore("announced");
  await shop.converge(a);
  expect(
    a.line.pushed
      .flat()
      .filter(({ entityId }) => entityId === "s-1")
      .at(-1)?.acknowledged,
  ).toEqual(waiting);
  await isBack();
});

test("a sale that people had let in is believed by its revised result [C8.5]", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  const restore = shop.backup();
  shop.nextVerdict("sales", "quarantined", "odd");
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  expect(a.operationOn("s-1")).not.toHaveProperty("receipt");
  await shop.office.release(a.operationOn("s-1").id);
  await a.sync();
  expect(a.operationOn("s-1")).toMatchObject({ state: "applied", revision: 1, receipt: expect.any(String) });
  await restore("announced");
  shop.nextVerdict("sales", "quarantined", "odd");
  await shop.converge(a);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
});

test("what a till kept without a receipt, in an older version, is judged as new and not lost [C8.5]", async () => {
  const { shop, close } = numberedShop();
  await using _ = shop;
  const a = await shop.openTill();
  const restore = shop.backup();
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await shop.converge(a);
  await a.client.close();
  a.rewrite("operations", (operation: StoredOperation) => {
    return { ...operation, status: omit(operation.status as { receipt?: string }, "receipt") };
  });
  const older = await shop.restart(a);
  close();
  await restore("announced");
  await older.sync();
  expect(older.operationOn("s-1")).toMatchObject({ state: "quarantined", error: { code: "closed" } });
  expect(await shop.office.quarantined()).toHaveLength(1);
});

test.each(["the till", "the server of the lost history"])(
  "what was made in an older schema is believed by a server that raises it (%s was the older one) [C8.5, H7]",
  async (older) => {
    const first = {
      tickets: defineCollection({
        kind: "fact",
        schema: z.object({ cents: z.int(), number: z.string().optional() }),
        assigned: ["number"],
      }),
    };
    const second = {
      tickets: defineCollection({
        kind: "fact",
        schemaVersion: 2,
        schema: z.object({ amount: z.int(), label: z.string().optional() }),
        assigned: ["label"],
        upcast: {
          1: ({ cents, number, ...rest }) => ({
            ...rest,
            ...(cents !== undefined && { amount: cents }),
            ...(number !== undefined && { label: number }),
          }),
        },
      }),
    };
    const open = { scope: "tenant", allow: { read: "everyone", create: "everyone" } } as const;
    const giving = (assigned: object) => ({ tickets: { ...open, decide: () => ({ outcome: "applied", assigned }) } });
    const closed = { tickets: { ...open, decide: () => ({ outcome: "quarantined", code: "closed", message: "" }) } };
    await using shop = new RuleShop({ collections: first, policies: giving({ number: "N-1" }) as never });
    const a = await shop.openTill();
    const restore = shop.backup();
    if (older === "the till") shop.upgrade(second, giving({ label: "N-1" }));
    await a.data.tickets.create({ id: "k-1", cents: 500 });
    await a.sync();
    expect(a.operationOn("k-1")).toMatchObject({ state: "applied", receipt: expect.any(String) });
    shop.upgrade(second, closed);
    await restore("announced");
    await a.sync();
    expect(a.operationOn("k-1").state).toBe("applied");
    expect(shop.shown("tickets", "k-1")).toEqual({ amount: 500, label: "N-1" });
  },
);

test("numbers of a lost history are never met again: an edit does not pass over one it has not seen [C8.1]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const c = await shop.openTill();
  const restore = shop.backup();
  // The first till sees 9, at a high version of the history that is about to be lost, with the only till that had written it.
  for (const priceCents of [2, 3, 4, 9]) {
    await b.data.products.update("p-1", { priceCents });
    await b.sync();
  }
  await a.sync();
  a.line.up = false;
  await a.data.products.update("p-1", { priceCents: 1 });
  await restore("announced");
  await c.data.products.update("p-1", { priceCents: 5 });
  await c.sync();
  a.line.up = true;
  await shop.converge(a, c);
  expect(shop.shown("products", "p-1").priceCents).toBe(5);
  const [lost] = await a.client.conflicts.list({ state: "settled" });
  expect(lost).toMatchObject({ client: { priceCents: 1 } });
});

test("an edit of a row that the restore has lost waits for the till that made the row [C8.6]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await b.data.products.create({ ...tea, id: "p-2" });
  await shop.converge(a, b);
  a.line.up = false;
  await a.data.products.update("p-2", { priceCents: 1 });
  await restore("announced");
  a.line.up = true;
  await a.sync();
  expect(a.operationOn("p-2")).toMatchObject({ state: "blocked", missing: true });
  await b.sync();
  await shop.clock.advance(61_000);
  await shop.converge(a, b);
  expect(shop.shown("products", "p-2").priceCents).toBe(1);
});

test("what the back office had settled in the lost tail is open again, and not lost [C8.8]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  const restore = shop.backup();
  await a.data.customers.update("c-1", { phone: "3" });
  await a.sync();
  await shop.office.resolve(a.operationOn("c-1").id, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
  await restore("announced");
  await a.sync();
  // The resolution was born on the server and is gone; the till's edit is not.
  expect(await shop.office.conflicts()).toHaveLength(1);
  await shop.office.resolve(a.operationOn("c-1").id, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
});

test("what a till has superseded is never sent again [C8.4]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  await a.data.customers.update("c-1", { phone: "3" });
  await a.sync();
  const old = a.operationOn("c-1").id;
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, { merged: { phone: "23" } });
  await shop.converge(a, b);
  const before = a.line.of("push").length;
  await restore("announced");
  await shop.converge(a, b);
  const again = a.line.pushed.slice(before).flat();
  expect(again.map(({ id }) => id)).not.toContain(old);
  expect(again.map(({ supersedes }) => supersedes)).toContainEqual([old]);
  expect(shop.shown("customers", "c-1").phone).toBe("23");
  expect(await shop.office.conflicts()).toEqual([]);
});

test("what was lost goes in first, in its order and whatever its lane, before anything new [C8.6]", async () => {
  const { shop, a } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.data.customers.update("c-1", { phone: "2" });
  await sell(a, "s-1");
  await a.sync();
  a.line.up = false;
  await sell(a, "s-2", 1);
  await restore("announced");
  a.line.up = true;
  const before = a.line.of("push").length;
  await shop.converge(a);
  const accepted = a.line
    .of("push")
    .slice(before)
    .filter(({ status }) => status === 200);
  expect(
    accepted.map(({ request }) => request.operations.map(({ sequence }: { sequence: number }) => sequence)),
  ).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
});

test("an order keeps the number that is printed on its receipt, and no other gets it [C8.9]", async () => {
  await using shop = new RuleShop({
    collections,
    policies: {
      sales: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone" },
        decide: ({ operation, epoch }) => ({
          outcome: "applied",
          assigned: { orderNumber: `ORD-${epoch}-${operation.entityId}` },
        }),
      },
    },
  });
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const b = await shop.openTill();
  const restore = shop.backup();
  await sell(a, "s-1");
  await shop.converge(a, b);
  expect((await a.data.sales.get("s-1"))?.orderNumber).toBe("ORD-1-s-1");
  await restore("announced");
  await sell(b, "s-2");
  await shop.converge(b, a);
  expect((await a.data.sales.get("s-1"))?.orderNumber).toBe("ORD-1-s-1");
  expect((await b.data.sales.get("s-1"))?.orderNumber).toBe("ORD-1-s-1");
  expect((await a.data.sales.get("s-2"))?.orderNumber).toBe("ORD-2-s-2");
});

test("a device number that the lost history had given out is not given out again [C8.9]", async () => {
  const { shop } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  const c = await shop.openTill();
  const printed = (await c.client.device()).number;
  await restore("announced");
  const d = await shop.openTill();
  expect((await d.client.device()).number).toBeGreaterThan(printed ?? 0);
});

test("a till whose clock is a year ahead keeps its journal [C8.7]", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill({ skewMs: days(365) });
  const restore = shop.backup();
  await sell(a, "s-1");
  await a.sync();
  for (let n = 0; n < 3; n += 1) await a.sync();
  await restore("announced");
  await shop.converge(a);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
});

test("a till that comes back after three weeks sends what was lost before it forgets it [C8.7]", async () => {
  const { shop, a } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await sell(a, "s-1");
  await a.sync();
  await restore("announced");
  await shop.clock.advance(days(21));
  await shop.converge(a);
  expect(shop.row("sales", "s-1")?.state).toBe("live");
});

test("the journal forgets whole transactions, once their time is over [C8.7]", async () => {
  const { shop, a } = await shopWithTwo();
  await using _ = shop;
  await a.client.transaction((tx, { now }) => {
    tx.sales.create({ id: "s-1", ...saleOf(1, now) });
    tx.payments.create({ id: "y-1", saleId: "s-1", amountCents: 1 });
    for (let n = 0; n < 5; n += 1) tx.products.increment("p-1", { stock: -1 });
  });
  await a.sync();
  await shop.clock.advance(days(13));
  await a.sync();
  expect(a.operations).toHaveLength(7);
  await shop.clock.advance(days(2));
  await a.sync();
  expect(a.operations).toHaveLength(0);
  await shop.converge(a);
});

test("the journal forgets nothing that still lies on a desk, however old, nor what was done with it [C8.7]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  // One transaction at the till: the sale is applied, the edit beside it is in conflict.
  await a.client.transaction((tx, { now }) => {
    tx.customers.update("c-1", { phone: "3" });
    tx.sales.create({ id: "s-1", ...saleOf(1, now) });
    for (let n = 0; n < 5; n += 1) tx.products.increment("p-1", { stock: -1 });
  });
  // And one the other way round: the sale is set aside, the edit beside it is applied.
  shop.nextVerdict("sales", "applied" as never);
  shop.nextVerdict("sales", "quarantined", "odd");
  await a.client.transaction((tx, { now }) => {
    tx.products.update("p-1", { priceCents: 1 });
    tx.sales.create({ id: "s-2", ...saleOf(1, now) });
  });
  await a.data.sales.create({ id: "s-3", ...saleOf(1, 0) });
  await a.sync();
  expect(a.operationOn("c-1").state).toBe("conflict");
  expect(a.operationOn("s-2").state).toBe("quarantined");
  await shop.clock.advance(days(20));
  for (let n = 0; n < 4; n += 1) await a.sync();
  const kept = a.operations.map(({ entityId }) => entityId);
  expect(kept).toContain("c-1");
  expect(kept).toContain("s-2");
  // What is whole and old goes all the same (L12).
  expect(kept).not.toContain("s-3");
  expect((await a.data.sales.get("s-2"))?.id).toBe("s-2");
  expect((await a.data.customers.get("c-1"))?.phone).toBe("3");
  await shop.office.release(a.operationOn("s-2").id);
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "client");
  await shop.converge(a, b);
  expect(shop.shown("customers", "c-1").phone).toBe("3");
});

test("what comes after something that the restore ate goes on behind it [C8.6]", async () => {
  const { shop, a } = await shopWithTwo();
  await using _ = shop;
  const restore = shop.backup();
  await a.data.customers.create({ id: "c-2", name: "Bob" });
  await a.sync();
  a.line.up = false;
  await a.data.customers.update("c-2", { phone: "5" });
  await a.data.sales.create({ id: "s-1", customerId: "c-2", ...saleOf(1, 0) });
  await restore("announced");
  a.line.up = true;
  await shop.converge(a);
  expect(shop.shown("customers", "c-2")).toMatchObject({ name: "Bob", phone: "5" });
  expect(shop.row("sales", "s-1")?.state).toBe("live");
});

test("a refused edit stays on the desk, however old, though its sibling was settled long ago [C8.7]", async () => {
  const { shop, a, b } = await shopWithTwo();
  await using _ = shop;
  await shop.seed("products", { ...tea, id: "p-2" });
  await a.sync();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  shop.nextVerdict("products", "rejected", "no");
  await a.client.transaction((tx) => {
    tx.customers.update("c-1", { phone: "3" });
    tx.products.update("p-2", { priceCents: 1 });
  });
  await a.sync();
  expect(a.operations.map(({ state }) => state)).toEqual(["conflict", "rejected"]);
  const [conflict] = await a.client.conflicts.list();
  await a.client.conflicts.resolve(conflict as never, "server");
  await a.sync();
  await shop.clock.advance(days(20));
  for (let n = 0; n < 4; n += 1) await a.sync();
  expect(await a.client.operations.list({ state: "rejected" })).toHaveLength(1);
  expect(a.client.status.attention.rejected).toBe(1);
  await shop.converge(a, b);
});
