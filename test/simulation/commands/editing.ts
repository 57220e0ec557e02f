/** Edits of what all tills share: they overlap, delete under each other, and create what another has created. */

import type { Tab } from "../machines/tab.ts";
import { CUSTOMERS, PRODUCTS, REFUSED_NAME } from "../sim-shop.ts";
import type { Command } from "./command.ts";

/** Ids that several tills create, edit and delete. No sale is of them. */
export const CONTESTED = ["x-1", "x-2", "x-3"] as const;
/** Everybody edits these. */
const HOT = PRODUCTS.slice(0, 2);
const REFUSED = 0.1;

const price: Command = {
  kind: "price",
  weight: 4,
  async run({ tab, draw }) {
    const id = draw.pick(PRODUCTS);
    const priceCents = draw.int(1, 9_999);
    const { priceCents: seen } = await tab.client.collections.products.update(id, { priceCents });
    if (tab.isAlive && draw.chance(0.3)) tab.watched?.awaits("products", id);
    return `${id} ${seen}`;
  },
};

const rename: Command = {
  kind: "rename",
  weight: 3,
  async run({ tab, draw }) {
    const id = draw.pick([...PRODUCTS, ...CONTESTED]);
    const name = draw.chance(REFUSED) ? REFUSED_NAME : `Name ${draw.int(0, 99)}`;
    await tab.client.collections.products.update(id, {
      name,
      shelf: draw.chance(0.3) ? undefined : `S${draw.int(1, 3)}`,
    });
    return `${id} ${name}`;
  },
};

const picture: Command = {
  kind: "picture",
  weight: 2,
  async run({ tab, draw }) {
    const id = draw.pick([...PRODUCTS, ...CONTESTED]);
    const characters = draw.int(500, 6_000);
    await tab.client.collections.products.update(id, { picture: draw.pick(["a", "b"]).repeat(characters) });
    return `${id} ${characters} characters`;
  },
};

/** Whoever has a telephone number is found by it, whatever version of the app has stored it [H7]. */
async function isFound({ name, client, machine }: Tab): Promise<void> {
  const { customers } = client.collections;
  const byPhone = async () => (await customers.find({ index: "phone" })).map(({ id }) => id).sort();
  const before = await byPhone();
  const all = await customers.find();
  const wanted = all.flatMap(({ id, phone: known }) => (typeof known === "string" ? [id] : [])).sort();
  // Whatever is written meanwhile is in one of them and not in the other.
  if (`${before}` === `${await byPhone()}` && `${before}` !== `${wanted}`)
    machine.world.violation("S16", `${name} finds ${before} by telephone, and ${wanted} have one`);
}

const phone: Command = {
  kind: "phone",
  weight: 4,
  async run({ tab, draw, world }) {
    const id = draw.pick(CUSTOMERS);
    if (world.plan.options.versions) await isFound(tab);
    await tab.client.collections.customers.update(id, { phone: `${draw.int(100, 999)}` });
    return id;
  },
};

const create: Command = {
  kind: "create",
  weight: 4,
  async run({ machine, tab, draw, world }) {
    const id = draw.pick(CONTESTED);
    const name = draw.chance(REFUSED) ? REFUSED_NAME : `Made by ${machine.name}`;
    const { client } = tab;
    if (draw.chance(0.5)) await client.collections.products.create({ id, name, priceCents: draw.int(1, 99) });
    else await client.collections.customers.create({ id, name, phone: null });
    world.model.acknowledge(machine, "products", []);
    return `${id} ${name}`;
  },
};

const remove: Command = {
  kind: "delete",
  weight: 4,
  async run({ tab, draw }) {
    const id = draw.pick(CONTESTED);
    if (draw.chance(0.5)) await tab.client.collections.products.delete(id);
    else await tab.client.collections.customers.delete(id);
    return id;
  },
};

/** Two edits of one row, one after the other: the second waits for what becomes of the first. */
const twice: Command = {
  kind: "edit_twice",
  weight: 3,
  async run({ tab, draw }) {
    const id = draw.pick(HOT);
    const { products } = tab.client.collections;
    await products.update(id, { priceCents: draw.int(1, 9_999) });
    await products.update(id, { name: `Twice ${draw.int(0, 99)}` });
    return id;
  },
};

/** Deleted, and made again under the same id: it has counters from its life before. */
const renew: Command = {
  kind: "renew",
  weight: 3,
  async run({ tab, draw }) {
    const id = draw.pick(CONTESTED);
    const { customers } = tab.client.collections;
    if ((await customers.get(id)) === undefined) return `no ${id}`;
    await customers.delete(id);
    await customers.create({ id, name: `Again ${draw.int(0, 9)}`, phone: null });
    return id;
  },
};

/** Edits that are bound together: all or nothing. */
const both: Command = {
  kind: "edit_both",
  weight: 2,
  async run({ tab, draw }) {
    const [one, other] = [draw.pick(PRODUCTS), draw.pick(CUSTOMERS)];
    const mark = `${draw.int(100, 999)}`;
    await tab.client.transaction(async (tx) => {
      const seen = await tx.products.get(one);
      tx.products.update(one, { shelf: `S${mark}`, priceCents: (seen?.priceCents ?? 0) + 1 });
      tx.customers.update(other, { phone: mark });
    });
    return `${one} and ${other}`;
  },
};

/** A field that may be missing, and may be null: people tell the two apart. */
const note: Command = {
  kind: "note",
  weight: 8,
  async run({ tab, draw, world }) {
    const id = draw.pick([...CUSTOMERS, ...CUSTOMERS, ...CONTESTED]);
    const wanted = draw.pick([undefined, undefined, null, `Note ${draw.int(0, 9)}`]);
    const isRefused = draw.chance(3 * REFUSED);
    const made = await tab.client.collections.customers.update(id, {
      note: wanted,
      ...(isRefused && { name: REFUSED_NAME }),
    });
    if (made.note !== wanted)
      world.violation("S6", `${tab.name} set the note of ${id} to ${wanted}, and was given ${made.note}`);
    return `${id} ${wanted}`;
  },
};

export const editing: readonly Command[] = [price, rename, picture, phone, note, create, remove, twice, renew, both];
