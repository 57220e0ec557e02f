/** On a slow line batches and pages become smaller until they pass, and larger when the line is fast again (L6). */
import { expect, test } from "vitest";
import { saleOf, tea } from "../../support/shop.ts";
import { slowLine } from "../support/slow-line.ts";
import { ClientWorld } from "../support/world.ts";

const MINUTE = 60_000;

async function shopOnALine() {
  const world = new ClientWorld();
  return { world, line: slowLine(world.clock, world.transport()) };
}

/** A sale of some 10 KB: with a signature in it. */
const signed = (n: number) => ({
  ...saleOf(1, n),
  items: Array.from({ length: 130 }, () => ({ productId: "p-1", quantity: n, priceCents: 5_000 })),
});

test("sales that don't pass in one batch pass in smaller ones", async () => {
  const { world, line } = await shopOnALine();
  await using _ = world;
  const till = await world.open({ transport: line.transport });
  till.pause("offline");
  for (let n = 0; n < 60; n += 1) await till.collections.sales.create(signed(n));
  line.sent.length = 0;
  line.up = 10_000;
  till.resume("offline");
  await world.clock.advance(5 * MINUTE);
  expect(till.status.pending.count).toBe(0);
  const pushes = line.sent.filter(({ path }) => path === "push");
  expect(pushes.filter(({ arrived }) => !arrived)).toHaveLength(1);
  expect(new Set(pushes.map(({ up }) => up)).size).toBeGreaterThan(1);
});

test("results that don't pass with the answer to a batch pass in smaller answers", async () => {
  const { world, line } = await shopOnALine();
  await using _ = world;
  const till = await world.open({ transport: line.transport });
  till.pause("offline");
  for (let n = 0; n < 300; n += 1) await till.collections.sales.create(saleOf(1, n));
  line.down = 1_000;
  till.resume("offline");
  await world.clock.advance(20 * MINUTE);
  expect(till.status.pending.count).toBe(0);
  expect((await world.rows("sales")).length).toBe(300);
});

test("a first sync that doesn't pass in one page goes on page by page, from where it was", async () => {
  const { world, line } = await shopOnALine();
  await using _ = world;
  const note = "n".repeat(8_000);
  await world.seed("products", ...Array.from({ length: 200 }, (_, n) => ({ ...tea, id: `p-${n}`, note })));
  line.down = 40_000;
  const till = world.till({ transport: line.transport });
  await till.start();
  await world.clock.advance(MINUTE);
  const first = await till.collections.products.count();
  expect(first).toBeGreaterThan(0);
  expect(till.status.phase).not.toBe("offline");
  await world.clock.advance(2 * MINUTE);
  expect(await till.collections.products.count()).toBe(200);
  const pages = line.sent.filter(({ path }) => path === "pull");
  expect(pages.filter(({ arrived }) => !arrived)).toHaveLength(1);
  const received = pages.reduce((sum, { down = 0, arrived }) => sum + (arrived ? down : 0), 0);
  expect(received).toBeLessThan(200 * 8_500 * 1.1);
});

test("what a session has learnt is kept over its attempts, and grows when the line is fast again", async () => {
  const { world, line } = await shopOnALine();
  await using _ = world;
  const note = "n".repeat(8_000);
  const till = await world.open({ transport: line.transport });
  line.down = 2_000;
  await world.seed("products", ...Array.from({ length: 300 }, (_, n) => ({ ...tea, id: `p-${n}`, note })));
  await world.clock.advance(10 * MINUTE);
  const slow = line.sent.filter(({ path }) => path === "pull");
  expect(slow.filter(({ arrived }) => !arrived).length).toBeLessThan(8);
  expect(await till.collections.products.count()).toBeGreaterThan(20);
  line.down = 1_000_000;
  await world.clock.advance(MINUTE);
  expect(await till.collections.products.count()).toBe(300);
  const fast = line.sent.slice(slow.length).filter(({ path }) => path === "pull");
  expect(fast.every(({ arrived }) => arrived)).toBe(true);
  expect(Math.max(...fast.map(({ down = 0 }) => down))).toBeGreaterThan(100_000);
});
