/** [C6] Every answer carries this till's own results, from the same snapshot as the rows: a view never counts twice. */
import { defineCollection } from "tillsync/schema";
import { expect, test } from "vitest";
import * as z from "zod";
import { lostAnswer, lostRequest } from "../support/rule-line.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { tea } from "../support/shop.ts";

test("a pull that overtakes a lost push answer counts no sale twice, at no moment", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const shown = a.watch("products", "p-1", "stock");
  const push = a.line.hold("push", "answer");
  const pull = a.line.hold("pull", "request");
  await a.data.products.increment("p-1", { stock: -2 });
  const syncing = a.sync();
  await Promise.all([push.arrived, pull.arrived]);
  // The server has it. The pull is read now, brings the row with the two in it, and by itself heals the lost answer.
  pull.release();
  await shop.until(() => a.operationOn("p-1").state === "applied");
  expect((await a.data.products.get("p-1"))?.stock).toBe(8);
  push.release();
  await syncing;
  await shop.converge(a);
  await shop.clock.settle();
  expect(shown.filter((stock) => stock !== 10 && stock !== 8)).toEqual([]);
});

test("a pull alone heals a lost push answer: nothing is sent again", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  const pull = a.line.hold("pull", "request");
  a.line.next("push", lostAnswer);
  await a.data.products.increment("p-1", { stock: -2 });
  const syncing = a.sync();
  await pull.arrived;
  await shop.until(() => shop.operations.length === 1);
  await shop.clock.settle();
  pull.release();
  await syncing;
  expect(a.operationOn("p-1").state).toBe("applied");
  await shop.converge(a);
  expect(a.line.of("push")).toHaveLength(1);
});

test("a row that comes with the answer to another push counts no earlier step twice", async () => {
  const collections = {
    products: defineCollection({
      schema: z.object({ name: z.string(), stock: z.int().default(0) }),
      counters: ["stock"],
      priority: "low",
    }),
    sales: defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int() }) }),
  };
  await using shop = new RuleShop({ collections });
  await shop.seed("products", { id: "p-1", name: "Tea", stock: 10 });
  // Small batches, so that the second push does not repeat the first.
  const a = await shop.openTill({ sync: { batch: { maxOperations: 2 } } });
  const shown = a.watch("products", "p-1", "stock");
  a.line.always = (deliver, _request, { endpoint }) =>
    endpoint === "pull" ? Promise.reject(new TypeError("down")) : deliver();
  a.line.next("push", lostAnswer);
  await a.data.products.increment("p-1", { stock: -2 });
  await a.sync();
  expect(a.operationOn("p-1").state).toBe("pending");
  // A sale goes first, with its own step on the same product. The row in its answer has both steps in it.
  await a.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", totalCents: 1 });
    tx.products.increment("p-1", { stock: -1 });
  });
  await a.sync();
  await shop.clock.settle();
  const second = a.line.pushed[1] ?? [];
  expect(second.map(({ by }) => by)).toEqual([undefined, { stock: -1 }]);
  a.line.always = undefined;
  await shop.converge(a);
  await shop.clock.settle();
  expect(shown.filter((stock) => ![10, 8, 7].includes(stock as number))).toEqual([]);
  expect(shown.at(-1)).toBe(7);
});

test("where one answer cannot hold all results, the rows stop where the results do", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 0 });
  const a = await shop.openTill();
  const steps = 1_150;
  for (let n = 0; n < steps; n += 50) {
    await a.client.transaction((tx) => {
      for (let k = 0; k < 50; k += 1) tx.products.increment("p-1", { stock: 1 });
    });
  }
  // Everything arrives, and the disk forgets that it did.
  const putBack = a.backup();
  await a.sync();
  putBack();
  const again = await shop.restart(a);
  again.line.always = (deliver, _request, { endpoint }) =>
    endpoint === "push" ? Promise.reject(new TypeError("down")) : deliver();
  const shown = again.watch("products", "p-1", "stock");
  for (let n = 0; n < 4; n += 1) await again.sync();
  await shop.clock.settle();
  const [first] = again.line.of("pull").map(({ answer }) => answer.results.length);
  expect(first).toBe(1_000);
  expect(new Set(shown)).toEqual(new Set([steps]));
  again.line.always = undefined;
  await shop.converge(again);
});

test("where the answer to a push cannot hold all results, its row counts no step twice", async () => {
  const collections = {
    products: defineCollection({
      schema: z.object({ name: z.string(), stock: z.int().default(0) }),
      counters: ["stock"],
    }),
    sales: defineCollection({ kind: "fact", schema: z.object({ totalCents: z.int() }), priority: "high" }),
  };
  await using shop = new RuleShop({ collections });
  await shop.seed("products", { id: "p-1", name: "Tea", stock: 0 });
  const a = await shop.openTill();
  const steps = 1_150;
  for (let n = 0; n < steps; n += 50) {
    await a.client.transaction((tx) => {
      for (let k = 0; k < 50; k += 1) tx.products.increment("p-1", { stock: 1 });
    });
  }
  const putBack = a.backup();
  await a.sync();
  putBack();
  // The sale goes first, alone. Its answer has the row with all steps in it, and the results of 1,000 of them.
  const again = await shop.restart(a, { sync: { batch: { maxOperations: 2 } } });
  again.line.always = (deliver, _request, { endpoint }) =>
    endpoint === "pull" ? Promise.reject(new TypeError("down")) : deliver();
  await again.client.transaction((tx) => {
    tx.sales.create({ id: "s-1", totalCents: 1 } as never);
    tx.products.increment("p-1", { stock: 1 });
  });
  const shown = again.watch("products", "p-1", "stock");
  await again.sync();
  await shop.clock.settle();
  expect(again.line.of("push")[0]?.answer).toMatchObject({ moreResults: true });
  expect(new Set(shown)).toEqual(new Set([steps + 1]));
  again.line.always = undefined;
  await shop.converge(again);
  expect((await again.data.products.get("p-1"))?.stock).toBe(steps + 1);
});

test("a mark that is older than its answer's rows asks for no result twice over", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const a = await shop.openTill();
  await a.data.products.increment("p-1", { stock: -2 });
  await a.sync();
  await a.sync();
  a.line.next("push", lostRequest);
  await a.sync();
  expect(a.line.of("pull").at(-1)?.answer.results).toEqual([]);
  await shop.converge(a);
});

/** A till that has queued a row and a step of it, and its clone, which has sent both. */
async function tillAndClone(shop: RuleShop) {
  await shop.seed("products", { ...tea, stock: 10 });
  const a = shop.till();
  a.line.up = false;
  await a.client.start();
  await a.data.products.create({ id: "p-2", name: "Milk", priceCents: 100 });
  await a.data.products.increment("p-2", { stock: -1 });
  const clone = shop.till({ disk: a.copyOfDisk(), device: a.device });
  await clone.sync();
  return { a, clone };
}

/** What the till shows of the step from now on: its own push is lost once, so that a pull comes first. */
async function shownAfterLostPush(a: ReturnType<RuleShop["till"]>) {
  const shown = a.watch("products", "p-2", "stock");
  a.line.up = true;
  a.line.next("push", lostRequest);
  await a.sync();
  await a.sync();
  return new Set(shown);
}

test("a store whose clone has registered and sold before it hears of that before it sees its rows", async () => {
  await using shop = new RuleShop();
  const { a } = await tillAndClone(shop);
  expect(await shownAfterLostPush(a)).toEqual(new Set([-1]));
});

test("so does one whose clone has gone on, which forks before it has ever registered", async () => {
  await using shop = new RuleShop();
  const { a, clone } = await tillAndClone(shop);
  await clone.data.products.update("p-1", { priceCents: 5 });
  await clone.sync();
  expect(await shownAfterLostPush(a)).toEqual(new Set([-1]));
});
