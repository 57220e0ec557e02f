/** S2, S11: each fact has had its effect exactly once. Goods move only with facts, so that stock and facts tell of each other. */
import type { RecordRow } from "../../../src/server/ports/rows.ts";
import { FIRST_STOCK, PRODUCTS } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import type { Invariant } from "./invariant.ts";

type Fact = Readonly<Record<string, unknown>> & { readonly id: string; readonly version: number };

function facts(rows: readonly RecordRow[], collection: string): readonly Fact[] {
  return rows
    .filter((row) => row.collection === collection && row.state === "live")
    .map(({ id, data, version }) => ({ id, ...data, version }));
}

export const effects: Invariant = {
  name: "S2",
  check(world) {
    const rows = world.server.rows().records ?? [];
    const sales = facts(rows, "sales");
    const refunds = facts(rows, "refunds");
    for (const product of PRODUCTS) {
      const sold = sum(sales, product, -1) + sum(refunds, product, 1);
      const row = rows.find(({ collection, id }) => collection === "products" && id === product);
      if (row?.counters.stock !== FIRST_STOCK + sold)
        world.violation(
          "S2",
          `the stock of ${product} is ${row?.counters.stock}, and its facts say ${FIRST_STOCK + sold}`,
        );
    }
    // Of those who are not there any more, too: counters outlive the row.
    for (const { collection, id, counters } of rows) {
      if (collection !== "customers") continue;
      const points = sales.filter(({ customerId }) => customerId === id).length;
      if ((counters.points ?? 0) !== points)
        world.violation("S2", `${id} has ${counters.points} points, and ${points} sales`);
    }
    halves(world, sales, facts(rows, "payments"));
    creations(world, rows);
  },
};

function sum(facts: readonly Fact[], product: string, sign: 1 | -1): number {
  return facts.reduce(
    (total, { productId, quantity }) => (productId === product ? total + sign * Number(quantity) : total),
    0,
  );
}

/** A sale and its payment are one transaction (an import has no payments, and moves nothing). */
function halves(world: SimWorld, sales: readonly Fact[], payments: readonly Fact[]): void {
  const paid = new Map(payments.map(({ saleId, amountCents }) => [saleId, amountCents]));
  const sold = new Map(sales.map(({ id, totalCents }) => [id, totalCents]));
  for (const { id, totalCents } of sales)
    if (totalCents !== 0 && paid.get(id) !== totalCents)
      world.violation("S11", `sale ${id} of ${totalCents} was paid ${paid.get(id)}`);
  for (const { saleId } of payments)
    if (!sold.has(saleId as string)) world.violation("S11", `a payment of sale ${saleId}, which is not there`);
  if (paid.size !== payments.length) world.violation("S2", "a sale was paid twice");
}

/** One applied operation for each fact, and one fact for each applied operation. */
function creations(world: SimWorld, rows: readonly RecordRow[]): void {
  const live = new Set(rows.filter(({ state }) => state === "live").map(({ collection, id }) => `${collection}/${id}`));
  const made = new Set<string>();
  for (const { collection, entityId, status, operation } of world.server.rows().operations ?? []) {
    if (
      !["sales", "payments", "refunds"].includes(collection) ||
      status !== "applied" ||
      operation?.action !== "create"
    )
      continue;
    const subject = `${collection}/${entityId}`;
    if (made.has(subject)) world.violation("S2", `${subject} was made twice`);
    made.add(subject);
    if (!live.has(subject)) world.violation("S1", `${subject} was applied, and is not there`);
  }
  for (const subject of live)
    if (/^(sales|payments|refunds)/.test(subject) && !made.has(subject))
      world.violation("S3", `${subject} is there, and no operation has made it`);
}
