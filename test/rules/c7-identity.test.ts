/** [C7] Copied and rolled-back disks are noticed, and lose nothing. Lanes send numbers out of order, and that is no fork. */

import { memory } from "tillsync/storage/memory";
import { expect, test } from "vitest";
import { lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { saleOf, tea } from "../support/shop.ts";

async function shopWithTea() {
  const shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  return shop;
}

test("a sale that overtakes an older edit by its lane is no fork", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill({ sync: { batch: { maxOperations: 1 } } });
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  expect(a.line.pushed.map((batch) => batch.map(({ sequence }) => sequence))).toEqual([[2], [1]]);
  expect(a.told("identity_forked")).toEqual([]);
  await shop.converge(a);
  expect(shop.operations.map(({ status }) => status)).toEqual(["applied", "applied"]);
});

test("two tills on copies of one disk: every sale arrives once, and only the incarnation changes", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  await a.data.sales.create({ id: "s-0", ...saleOf(1, 0) });
  await a.sync();
  const twin = shop.till({ disk: a.copyOfDisk(), device: a.device });
  for (const [till, name] of [
    [a, "a"],
    [twin, "b"],
  ] as const) {
    await till.client.transaction((tx) => {
      tx.sales.create({ id: `s-${name}`, ...saleOf(1, 0) });
      tx.products.increment("p-1", { stock: -1 });
    });
  }
  const minted = twin.operations.map(({ id, sequence }) => ({ id, sequence }));
  const before = await twin.client.device();
  await a.sync();
  await twin.sync();
  const after = await twin.client.device();
  expect(twin.told("identity_forked")).toEqual([
    { oldIncarnation: before.incarnation, newIncarnation: after.incarnation },
  ]);
  expect(after.incarnation).not.toBe(before.incarnation);
  expect(twin.operations.map(({ id, sequence }) => ({ id, sequence }))).toEqual(minted);
  // Receipts are numbered by it: two copies must not print the same ones.
  expect(after.number).not.toBe((await a.client.device()).number);
  // The counter goes on, and never restarts.
  await twin.data.sales.create({ id: "s-c", ...saleOf(1, 0) });
  expect(twin.operations.at(-1)?.sequence).toBe(minted.length + 1);
  await shop.converge(a, twin);
  expect(shop.shown("products", "p-1").stock).toBe(8);
});

test("after a fork both copies go on, and neither displaces the other", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  const twin = shop.till({ disk: a.copyOfDisk(), device: a.device });
  for (let n = 0; n < 3; n += 1) {
    for (const [till, name] of [
      [a, "a"],
      [twin, "b"],
    ] as const) {
      await till.data.sales.create({ id: `s-${name}-${n}`, ...saleOf(1, 0) });
      await till.sync();
    }
  }
  expect(a.told("identity_forked")).toHaveLength(0);
  expect(twin.told("identity_forked")).toHaveLength(1);
  await shop.converge(a, twin);
  expect(shop.records.filter(({ collection }) => collection === "sales")).toHaveLength(6);
});

test("a disk that was rolled back is noticed at the first contact, and sells on", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill();
  await a.data.sales.create({ id: "s-0", ...saleOf(1, 0) });
  await a.sync();
  const putBack = a.backup();
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.data.sales.create({ id: "s-2", ...saleOf(1, 0) });
  await a.sync();
  putBack();
  const again = await shop.restart(a);
  // A new sale gets a number that the server has seen already.
  await again.data.sales.create({ id: "s-3", ...saleOf(1, 0) });
  await again.sync();
  expect(again.told("storage_lost")).toEqual([{ lastKnownSequence: 3, missing: 1 }]);
  expect(again.told("identity_forked")).toHaveLength(1);
  await shop.converge(again);
  // What the server had is back on the till, and the new sale is on the server.
  expect((await again.data.sales.find()).map(({ id }) => id).sort()).toEqual(["s-0", "s-1", "s-2", "s-3"]);
});

test("the same sequence of one incarnation under two ids is refused, and nothing of the request is applied", async () => {
  await using shop = await shopWithTea();
  const peer = shop.peer();
  await peer.register();
  const sale = (id: string) => peer.make({ action: "create", collection: "sales", entityId: id, data: saleOf(1, 0) });
  await peer.push(sale("s-1"));
  const copied = { ...sale("s-2"), sequence: 1 };
  const { status, body } = await peer.send([sale("s-3"), copied]);
  expect([status, body.code]).toEqual([409, "identity_fork"]);
  expect(shop.row("sales", "s-3")).toBeUndefined();
  // Another incarnation has numbers of its own.
  peer.incarnation = "00000000-0000-4000-8000-000000000002";
  const [result] = await peer.push(copied);
  expect(result?.status).toBe("applied");
});

test("a disk that was wiped is an event, with what never arrived", async () => {
  await using shop = await shopWithTea();
  const a = await shop.openTill({ sync: { batch: { maxOperations: 1 } } });
  await a.data.sales.create({ id: "s-0", ...saleOf(1, 0) });
  await a.sync();
  await a.data.products.update("p-1", { priceCents: 1 });
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  // The sale goes first, and then the disk is lost.
  a.line.next("push", (deliver) => deliver(), lostRequest);
  await a.sync();
  expect(shop.operations).toHaveLength(2);
  const wiped = shop.till({ disk: memory(), device: a.device });
  await wiped.sync();
  expect(wiped.told("storage_lost")).toEqual([{ lastKnownSequence: 3, missing: 1 }]);
  expect((await wiped.client.device()).number).not.toBe((await a.client.device()).number);
});
