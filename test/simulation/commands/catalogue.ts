/** What is done to a large shop: rows of its catalogue come and go, and a day's work is set aside at once. */
import { catalogueId } from "../sim-shop.ts";
import type { Command } from "./command.ts";

const needs: Command["needs"] = ({ catalogue = 0 }) => catalogue > 0;
/** More than a page of a desk. */
const SET_ASIDE = 130;

const stocktaking: Command = {
  kind: "stocktaking",
  weight: 6,
  needs,
  async run({ world, tab, draw }) {
    const { products } = tab.client.collections;
    const count = world.plan.options.catalogue ?? 1;
    const ids = Array.from({ length: draw.int(1, 4) }, () => catalogueId(draw.int(0, count + 20)));
    for (const id of ids) {
      if ((await products.get(id)) === undefined) await products.create({ id, name: "New article", priceCents: 1 });
      else if (draw.chance(0.5)) await products.delete(id);
      else await products.update(id, { shelf: `S${draw.int(1, 9)}` });
    }
    return ids.join(", ");
  },
};

const doubtfulDay: Command = {
  kind: "doubtful_day",
  weight: 1,
  needs,
  async run({ world, machine, tab, draw }) {
    // Once is enough, and takes its time.
    if (world.plan.commands.find(({ kind }) => kind === "doubtful_day")?.draw !== draw.of) return "not again";
    const made = await tab.client.collections.sales.createMany(
      Array.from({ length: SET_ASIDE }, () => ({
        productId: "p-1",
        quantity: 0,
        totalCents: 0,
        till: machine.name,
        doubtful: true,
      })),
    );
    world.model.acknowledge(
      machine,
      "sales",
      made.map(({ id }) => id),
    );
    return `${made.length} sales that are doubted`;
  },
};

export const catalogue: readonly Command[] = [stocktaking, doubtfulDay];
