/** [H1] [H2] What waits for something waits for what became of it, and is never forgotten. */
import { expect, test } from "vitest";
import { ann } from "../support/in-conflict.ts";
import { RuleShop } from "../support/rule-shop.ts";
import { collections, saleOf, tea } from "../support/shop.ts";

test.each([1, 200])(
  "an edit behind one that failed is not applied, also in the same batch (%i to a batch)",
  async (maxOperations) => {
    await using shop = new RuleShop();
    await shop.seed("customers", ann);
    const a = await shop.openTill({ sync: { batch: { maxOperations } } });
    const b = await shop.openTill();
    await b.data.customers.update("c-1", { phone: "2" });
    await b.sync();
    a.line.up = false;
    await a.data.customers.update("c-1", { phone: "3" });
    await a.data.customers.update("c-1", { name: "Anna" });
    a.line.up = true;
    await a.sync();
    expect(a.operationOn("c-1").state).toBe("conflict");
    expect(shop.shown("customers", "c-1")).toMatchObject({ name: "Ann", phone: "2" });
    const [conflict] = await a.client.conflicts.list();
    await a.client.conflicts.resolve(conflict as never, "server");
    await shop.converge(a, b);
    expect(shop.shown("customers", "c-1")).toMatchObject({ name: "Anna", phone: "2" });
  },
);

test("a blocked edit is sent again at the latest a minute later, though nothing woke it", async () => {
  await using shop = new RuleShop();
  const a = shop.till({ sync: { auto: true } });
  const b = await shop.openTill();
  await a.client.start();
  await shop.pass(1_000);
  const restore = shop.backup();
  await b.data.products.create({ ...tea, id: "p-2" });
  await b.sync();
  await shop.pass(60_000);
  a.line.up = false;
  await a.data.products.update("p-2", { priceCents: 1 });
  await shop.pass(10_000);
  await restore("announced");
  a.line.up = true;
  await shop.pass(70_000);
  expect(a.operationOn("p-2").state).toBe("blocked");
  // The other till brings the row. Nobody tells the first one, and it has nothing else to send.
  const sent = () => a.line.of("push").length;
  const times: number[] = [];
  for (let known = sent(), at = 0; at < 200_000; at += 2_000) {
    await shop.pass(2_000);
    if (sent() > known) times.push(at);
    known = sent();
  }
  const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(waits.length).toBeGreaterThan(1);
  expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
  expect(Math.min(...waits)).toBeGreaterThan(20_000); // and not all the time
  await b.sync();
  await shop.pass(61_000);
  expect(a.operationOn("p-2").state).toBe("applied");
  await shop.converge(b);
});

test("what was held up in the very answer that brought something final is sent again at once", async () => {
  let fails = true;
  await using shop = new RuleShop({
    collections,
    policies: {
      customers: {
        scope: "tenant",
        allow: { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" },
        decide: () => {
          if (!fails) return { outcome: "applied" };
          fails = false;
          throw new Error("a deployment is under way");
        },
      },
    },
  });
  await shop.seed("products", { ...tea, stock: 10 });
  await shop.seed("customers", ann);
  const a = await shop.openTill();
  // The sale is final, the edit is to be tried again: both in one answer, the final one first.
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.data.customers.update("c-1", { phone: "2" });
  await a.sync();
  expect(a.line.of("push")).toHaveLength(2);
  expect(a.operations.map(({ state }) => state)).toEqual(["applied", "applied"]);
  await shop.converge(a);
});

test("hundreds of blocked edits do not stand in a sale's way", async () => {
  await using shop = new RuleShop();
  const a = await shop.openTill();
  const b = await shop.openTill();
  const restore = shop.backup();
  const ids = Array.from({ length: 240 }, (_, n) => `p-${n}`);
  await b.data.products.createMany(ids.map((id) => ({ ...tea, id })));
  await shop.converge(b, a);
  a.line.up = false;
  for (const id of ids) await a.data.products.update(id, { priceCents: 1 });
  await restore("announced");
  a.line.up = true;
  await a.sync();
  expect(a.operations.filter(({ state }) => state === "blocked")).toHaveLength(240);
  const before = a.line.of("push").length;
  await a.data.sales.create({ id: "s-1", ...saleOf(1, 0) });
  await a.sync();
  const [next = []] = a.line.pushed.slice(before);
  expect(next.map(({ entityId }) => entityId)).toContain("s-1");
  expect(a.operationOn("s-1").state).toBe("applied");
  // And none of them has used anything up by waiting.
  await b.sync();
  await shop.clock.advance(61_000);
  await shop.converge(a, b);
});
