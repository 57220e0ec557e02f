/** S2, S11: each fact has had its effect exactly once. Goods move only with facts, so that stock and facts tell of each other. */
import type { RecordRow } from "../../../src/server/ports/rows.ts";
import { FIRST_STOCK, LIAR, labelOf, PRODUCTS, SHORT_QUANTITY, VISITS_BOUNDS } from "../sim-shop.ts";
import type { SimWorld } from "../world.ts";
import { leftOut } from "./bounded.ts";
import type { Invariant } from "./invariant.ts";
import { factsOfLiar, stepsOfLiar } from "./lies.ts";

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
    const ofLiar = factsOfLiar(world);
    const steps = stepsOfLiar(world);
    const honest = (collection: string) =>
      facts(rows, collection).filter(({ id }) => !ofLiar.has(`${collection}/${id}`));
    const allSales = facts(rows, "sales");
    const sales = honest("sales");
    const refunds = honest("refunds");
    for (const product of PRODUCTS) {
      const sold = sum(sales, product, -1) + sum(refunds, product, 1) - withoutRoom(world, product, "stock");
      const row = rows.find(({ collection, id }) => collection === "products" && id === product);
      if (row?.counters.stock !== FIRST_STOCK + sold)
        world.violation(
          "S2",
          `the stock of ${product} is ${row?.counters.stock}, and its facts say ${FIRST_STOCK + sold}`,
        );
      const returned = sum(refunds, product, 1) - withoutRoom(world, product, "returned");
      if ((row?.counters.returned ?? 0) !== returned)
        world.violation("S2", `${row?.counters.returned} of ${product} are returned, and its refunds say ${returned}`);
    }
    // Of those who are not there any more, too: counters outlive the row.
    for (const { collection, id, counters } of rows) {
      if (collection !== "customers") continue;
      const own = (counter: string) => steps.get(`customers/${id} ${counter}`) ?? 0;
      const points = sales.filter(({ customerId }) => customerId === id).length + own("points");
      if ((counters.points ?? 0) !== points)
        world.violation("S2", `${id} has ${counters.points} points, and ${points} sales`);
      // One that was set aside and released is applied without the effects of the policy that had doubted it.
      // Where a liar has moved the counter itself, what had room depends on the order.
      if (own("visits") !== 0) continue;
      const visits = allSales.filter(({ customerId, doubtful }) => customerId === id && doubtful !== true).length;
      if ((counters.visits ?? 0) !== Math.min(visits, VISITS_BOUNDS.max))
        world.violation("S2", `${id} has ${counters.visits} visits, and ${visits} sales that nobody doubts`);
    }
    halves(world, sales, honest("payments"));
    creations(world, rows);
    policies(world, rows, allSales);
  },
};

/** Goods that have moved, and for which the counters had no room (bounded.ts). */
function withoutRoom(world: SimWorld, product: string, counter: "stock" | "returned"): number {
  const steps = leftOut(world).filter(({ collection, entityId }) => collection === "products" && entityId === product);
  return steps.reduce((total, { operation }) => {
    return total + (operation?.action === "increment" ? Number(operation.by[counter] ?? 0) : 0);
  }, 0);
}

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
  const ofLiar = factsOfLiar(world);
  const live = new Set(rows.filter(({ state }) => state === "live").map(({ collection, id }) => `${collection}/${id}`));
  const made = new Set<string>();
  for (const { collection, entityId, status, operation, device } of world.server.rows().operations ?? []) {
    if (
      !["sales", "payments", "refunds"].includes(collection) ||
      status !== "applied" ||
      operation?.action !== "create"
    )
      continue;
    const subject = `${collection}/${entityId}`;
    // A liar may say the same once more, of another's fact or of its own: that changes nothing.
    const isRepeated = device === LIAR && (!ofLiar.has(subject) || made.has(subject));
    if (isRepeated) continue;
    if (made.has(subject)) world.violation("S2", `${subject} was made twice`);
    made.add(subject);
    if (!live.has(subject)) world.violation("S1", `${subject} was applied, and is not there`);
  }
  for (const subject of live)
    if (/^(sales|payments|refunds)/.test(subject) && !made.has(subject))
      world.violation("S3", `${subject} is there, and no operation has made it`);
}

/** What a policy does beside its verdict happens once for each operation that takes effect, and with it. */
function policies(world: SimWorld, rows: readonly RecordRow[], sales: readonly Fact[]): void {
  const { discrepancies = [], epochs, operations = [] } = world.server.rows();
  const saleOf = new Map(operations.map(({ id, entityId }) => [id, entityId]));
  const counts = new Map<string, number>();
  for (const { operationId } of discrepancies) {
    const id = saleOf.get(operationId) ?? operationId;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const { id, quantity, doubtful } of sales) {
    const wanted = quantity === SHORT_QUANTITY && doubtful !== true ? 1 : 0;
    const found = counts.get(id) ?? 0;
    if (found !== wanted) world.violation("S2", `sale ${id} has ${found} discrepancies, and ${wanted} is right`);
    counts.delete(id);
  }
  for (const id of counts.keys()) world.violation("S2", `a discrepancy of sale ${id}, which is not there`);
  // What comes back after a restore is judged under what was written since [C8.5].
  if (epochs?.length !== 1) return;
  for (const { collection, id, state, data, fields, createdVersion } of rows) {
    const [version = 0, writer = ""] = fields.priceCents ?? [];
    // The office asks no policy.
    if (collection !== "products" || state !== "live" || version <= createdVersion || writer === "office") continue;
    if (data.label !== labelOf(data.priceCents))
      world.violation("S2", `${id} costs ${data.priceCents}, and its label says ${data.label}`);
  }
}
