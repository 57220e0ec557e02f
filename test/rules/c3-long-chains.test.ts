/** [C3] However often an operation was sent again, it can be sent once more or given up, and takes effect once. */
import { expect, test } from "vitest";
import { RuleShop } from "../support/rule-shop.ts";
import type { RuleTill } from "../support/rule-till.ts";
import { saleOf, tea } from "../support/shop.ts";

/** More than `supersedes` may name. */
const OFTEN = 260;

/** The operation of the record that was made last. */
function latest(till: RuleTill, entityId: string): string {
  const found = till.operations.filter((operation) => operation.entityId === entityId).at(-1);
  if (found === undefined) throw new Error(`no operation on ${entityId}`);
  return found.id;
}

async function retry(till: RuleTill, entityIds: readonly string[], times = OFTEN) {
  for (let n = 0; n < times; n += 1) {
    await till.client.operations.retry(entityIds.map((id) => latest(till, id)));
    await till.sync();
  }
}

/** A shop whose policies say no until the shift is open. */
async function closedShop() {
  const shift = { isOpen: false };
  const everyone = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone", force: "everyone" };
  const { read, create } = everyone;
  const refusing = (outcome: "rejected" | "quarantined") => () =>
    shift.isOpen ? { outcome: "applied" } : { outcome, code: "closed", message: "The shift is closed" };
  const decideProduct = ({ operation }: { operation: { action: string } }) =>
    refusing(operation.action === "increment" ? "quarantined" : "rejected")();
  const products = { scope: "tenant", allow: everyone, decide: decideProduct };
  const sales = { scope: "tenant", allow: { read, create }, decide: refusing("quarantined") };
  const shop = new RuleShop({ policies: { products, sales } as never });
  return { shop, till: await shop.openTill(), shift };
}

test("what was refused 260 times can be given up, and goes through once the cause is gone", async () => {
  const { shop, till, shift } = await closedShop();
  await using _ = shop;
  await till.data.products.create({ id: "p-1", name: "Tea", priceCents: 1, category: "drinks" });
  await till.data.products.create({ id: "p-2", name: "Milk", priceCents: 1, category: "drinks" });
  await till.data.sales.create({ id: "s-1", ...saleOf(1, 1) });
  await till.sync();
  await retry(till, ["p-1", "p-2", "s-1"]);
  expect(till.line.pushed.flat().at(-1)?.supersedes).toHaveLength(250);
  await till.client.operations.discard({ id: latest(till, "p-2") } as never, { reason: "given up" });
  await till.sync();
  expect(till.client.status.attention).toEqual({ conflicts: 0, rejected: 1, quarantined: 1 });
  shift.isOpen = true;
  await retry(till, ["p-1", "s-1"], 1);
  expect(till.client.status.attention).toEqual({ conflicts: 0, rejected: 0, quarantined: 0 });
  expect([shop.row("products", "p-1")?.state, shop.row("sales", "s-1")?.state]).toEqual(["live", "live"]);
  expect(await shop.office.quarantined()).toEqual([]);
});

test("of what a revoked till sent 260 times, one takes effect: nobody can release an older one beside it", async () => {
  await using shop = new RuleShop();
  await shop.seed("products", { ...tea, stock: 10 });
  const till = await shop.openTill();
  await till.sync();
  await shop.revoke(till.device);
  await till.data.products.increment("p-1", { stock: -1 });
  await till.sync();
  await retry(till, ["p-1"]);
  await shop.revoke(till.device, false);
  await retry(till, ["p-1"], 1);
  expect(shop.shown("products", "p-1").stock).toBe(9);
  // Nothing of it replaced anything while its sender might not send it. What the last one does not name is still there.
  const left = await shop.office.quarantined();
  expect(left.length).toBeGreaterThan(0);
  for (const { operation } of left)
    await expect(shop.office.release(operation.id as string)).rejects.toThrow(
      "Another operation already superseded the target",
    );
  expect(shop.shown("products", "p-1").stock).toBe(9);
});
