/** Goods that come and go by the hundred, until no counter has room for them [H4]: the sale counts all the same, and its step waits. */
import { CUSTOMERS, STOCK_BOUNDS } from "../sim-shop.ts";
import type { Command, CommandContext } from "./command.ts";

/** Few products, so that their bounds are reached. */
const BULKY = ["p-1", "p-2"] as const;
const [REGULAR] = CUSTOMERS;

/** Two sales in one transaction, one of them in bulk. Of fewer than no pieces: a delivery. */
async function move({ machine, tab, draw, world }: CommandContext, sign: 1 | -1): Promise<string> {
  const [first, second = first] = draw.chance(0.5) ? BULKY : BULKY.toReversed();
  const quantity = sign * draw.int(100, STOCK_BOUNDS.maxStep);
  const doubtful = draw.chance(0.1);
  const made = await tab.client.transaction((tx) =>
    // For the second one there is room, more often than for the first one.
    (
      [
        [first, quantity],
        [second, sign],
      ] as const
    ).map(([productId, pieces]) => {
      const totalCents = pieces * 100;
      const sale = tx.sales.create({
        productId,
        quantity: pieces,
        totalCents,
        till: machine.name,
        doubtful,
        // Always the same one, so that the effect of the policy has no room for him soon.
        customerId: REGULAR,
      });
      tx.customers.increment(REGULAR, { points: 1 });
      const payment = tx.payments.create({ saleId: sale.id, amountCents: totalCents, doubtful: false });
      tx.products.increment(productId, { stock: -pieces });
      return { sale: sale.id, payment: payment.id };
    }),
  );
  for (const { sale, payment } of made) {
    world.model.acknowledge(machine, "sales", [sale]);
    world.model.acknowledge(machine, "payments", [payment]);
  }
  return `${quantity} of ${first}`;
}

/** What no step may be: the till says so at once, and stores nothing. */
async function tooMuch({ tab, draw, world }: CommandContext): Promise<string> {
  const stock = (STOCK_BOUNDS.maxStep + draw.int(1, 1_000_000)) * draw.pick([1, -1]);
  const refused = await tab.client
    .transaction((tx) => tx.products.increment(draw.pick(BULKY), { stock }))
    .then(
      () => undefined,
      (error: { readonly code?: string }) => error,
    );
  if (refused === undefined) world.violation("S17", `${tab.name} has stored a step of ${stock}`);
  else if (refused.code !== "validation_failed") throw refused;
  return `${stock}`;
}

const needs: Command["needs"] = ({ bulk = false }) => bulk;

export const bulk: readonly Command[] = [
  { kind: "delivery", weight: 15, needs, run: (context) => move(context, -1) },
  { kind: "bulk_sale", weight: 12, needs, run: (context) => move(context, 1) },
  { kind: "too_much", weight: 2, needs, run: tooMuch },
];
