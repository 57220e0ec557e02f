/** Sales, refunds and deliveries: each fact comes with the goods that it moves, in one transaction, so that stock tells of both. */
import { CUSTOMERS, PRODUCTS } from "../sim-shop.ts";
import type { Command, CommandContext } from "./command.ts";
import { CONTESTED } from "./editing.ts";

/** One in so many is set aside by the server. */
const DOUBTFUL = 0.08;

async function sell(context: CommandContext, withCustomer: boolean, withEdit = false): Promise<string> {
  const { machine, tab, draw, world } = context;
  const productId = draw.pick(PRODUCTS);
  const quantity = draw.int(1, 5);
  const totalCents = quantity * 100;
  const doubtful = draw.chance(DOUBTFUL);
  // Also one that is being created somewhere, or deleted, or that nobody knows.
  const customerId = draw.pick(draw.chance(0.5) ? CONTESTED : CUSTOMERS);
  const phone = `${draw.int(100, 999)}`;
  const isKnown = withEdit && (await tab.client.collections.customers.get(customerId)) !== undefined;
  const { sale, payment } = await tab.client.transaction((tx) => {
    const made = tx.sales.create({
      productId,
      quantity,
      totalCents,
      till: machine.name,
      doubtful,
      ...(withCustomer && { customerId }),
    });
    const paid = tx.payments.create({ saleId: made.id, amountCents: totalCents, doubtful: false });
    tx.products.increment(productId, { stock: -quantity });
    if (withCustomer) tx.customers.increment(customerId, { points: 1 });
    if (isKnown) tx.customers.update(customerId, { phone });
    return { sale: made, payment: paid };
  });
  world.model.acknowledge(machine, "sales", [sale.id]);
  world.model.acknowledge(machine, "payments", [payment.id]);
  if (tab.isAlive && draw.chance(0.3)) tab.watched?.awaits("sales", sale.id);
  if (tab.isAlive && (await tab.client.collections.sales.get(sale.id)) === undefined && tab.isAlive)
    world.violation("S6", `${tab.name} does not see its own sale ${sale.id}`);
  return `${quantity} of ${productId} as ${sale.id.slice(-6)}`;
}

const sale: Command = { kind: "sale", weight: 10, run: (context) => sell(context, false) };
const saleToCustomer: Command = { kind: "sale_to_customer", weight: 4, run: (context) => sell(context, true) };
/** The customer tells a new number while he pays. */
const saleWithEdit: Command = { kind: "sale_with_edit", weight: 3, run: (context) => sell(context, true, true) };

/** Of a sale of this till, which may be anywhere on its way. */
const refund: Command = { kind: "refund", weight: 3, run: (context) => takeBack(context, 20) };

/** @param limit of how many of the last sales one */
async function takeBack({ machine, tab, draw, world }: CommandContext, limit: number): Promise<string> {
  const sales = await tab.client.collections.sales.find({
    index: "till",
    equals: machine.name,
    limit,
    reverse: true,
  });
  if (sales.length === 0) return "nothing to take back";
  const { id: saleId, productId, quantity } = draw.pick(sales);
  const made = await tab.client.transaction((tx) => {
    const back = tx.refunds.create({ saleId, productId, quantity, doubtful: draw.chance(DOUBTFUL) });
    // Two counters in one step, one of which may sum up to nothing with the sale.
    tx.products.increment(productId, { stock: quantity, returned: quantity });
    return back;
  });
  world.model.acknowledge(machine, "refunds", [made.id]);
  return `${quantity} of ${productId} back`;
}

/** Rung up, and taken back at once: the one has hardly left when the other comes, which has the right of way. */
const mistake: Command = {
  kind: "mistake",
  weight: 3,
  async run(context) {
    const said = await sell(context, false);
    return `${said}, ${await takeBack(context, 1)}`;
  },
};

/** A customer who is new to everybody, and buys at once: the sale must not come before the customer. */
const newCustomer: Command = {
  kind: "new_customer",
  weight: 2,
  async run({ machine, tab, draw, world }) {
    const { client } = tab;
    const { id: customerId } = await client.collections.customers.create({
      name: `Guest of ${machine.name}`,
      phone: null,
    });
    const productId = draw.pick(PRODUCTS);
    const made = await client.transaction((tx) => {
      const sale = tx.sales.create({
        productId,
        quantity: 1,
        totalCents: 100,
        till: machine.name,
        doubtful: draw.chance(DOUBTFUL),
        customerId,
      });
      tx.payments.create({ saleId: sale.id, amountCents: 100, doubtful: false });
      tx.products.increment(productId, { stock: -1 });
      tx.customers.increment(customerId, { points: 1 });
      return sale;
    });
    world.model.acknowledge(machine, "customers", [customerId]);
    world.model.acknowledge(machine, "sales", [made.id]);
    return `${customerId.slice(-6)} buys ${productId}`;
  },
};

/** Separate facts that are not bound to each other, as an import makes them. */
const importSales: Command = {
  kind: "import",
  weight: 1,
  async run({ machine, tab, draw, world }) {
    const amount = draw.int(2, 12);
    const signature = draw.chance(0.5) ? "s".repeat(draw.int(500, 3_000)) : undefined;
    const made = await tab.client.collections.sales.createMany(
      Array.from({ length: amount }, () => ({
        productId: draw.pick(PRODUCTS),
        quantity: 0,
        totalCents: 0,
        till: machine.name,
        doubtful: draw.chance(DOUBTFUL),
        ...(signature !== undefined && { signature }),
      })),
    );
    world.model.acknowledge(
      machine,
      "sales",
      made.map(({ id }) => id),
    );
    return `${amount} sales`;
  },
};

export const selling: readonly Command[] = [
  sale,
  saleToCustomer,
  newCustomer,
  saleWithEdit,
  refund,
  mistake,
  importSales,
];
