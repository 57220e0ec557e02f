/** The products: the first pull, changes on top of it, and reading them. */

import { barcodeOf, CATEGORIES, categoryOf, mixed, productId } from "../bench-shop.ts";
import type { Round } from "../figures.ts";
import { openByHand } from "./by-hand.ts";
import { changeOf, type MemoryServer, memoryServer } from "./memory-server.ts";
import { expectEqual, forget, openTill } from "./till.ts";
import { settled, timedBoth } from "./timing.ts";

export interface CatalogueSizes {
  readonly products: number;
  readonly changes: number;
  readonly gets: number;
  readonly lookups: number;
  readonly pages: number;
  readonly pageSize: number;
}

export type CatalogueRound = Readonly<
  Record<"shuffled" | "pull" | "changes" | "gets" | "together" | "barcodes" | "pages", Round>
>;

/** One round, in a page of its own: what it leaves in memory is gone with it. */
export async function catalogue(round: number, sizes: CatalogueSizes): Promise<CatalogueRound> {
  const { products } = sizes;
  const unordered = await pulled(round, memoryServer(products, true));
  await forget(unordered.till);
  await unordered.byHand.destroy();
  await settled();
  const server = memoryServer(products);
  const { till, byHand, pull } = await pulled(round, server);
  await settled();

  const first = mixed(round) % products;
  server.changed = Array.from({ length: sizes.changes }, (_, at) => changeOf((first + at * 97) % products, 1));
  const changes = await timedBoth(
    round,
    () => till.sync(),
    () => byHand.pull(server),
  );
  await settled();

  const any = (at: number) => mixed(at + round * 100_003) % products;
  const ids = Array.from({ length: sizes.gets }, (_, at) => productId(any(at)));
  const gets = await timedBoth(
    round,
    () => eachOf(ids, (id) => till.collections.products.get(id)),
    () => eachOf(ids, byHand.get),
  );
  const together = await timedBoth(
    round,
    () => Promise.all(ids.map((id) => till.collections.products.get(id))),
    () => Promise.all(ids.map(byHand.get)),
  );
  const codes = Array.from({ length: sizes.lookups }, (_, at) => barcodeOf(any(at)));
  const barcodes = await timedBoth(
    round,
    () => eachOf(codes, (equals) => till.collections.products.first({ index: "barcode", equals })),
    () => eachOf(codes, byHand.byBarcode),
  );
  const names = Array.from({ length: sizes.pages }, (_, at) => categoryOf(any(at) % (CATEGORIES * 50)));
  const limit = sizes.pageSize;
  const pages = await timedBoth(
    round,
    () => eachOf(names, (name) => till.collections.products.find({ index: "category", equals: [name], limit })),
    () => eachOf(names, (name) => byHand.pageOf(name, limit)),
  );
  await forget(till);
  await byHand.destroy();
  const per = ({ ours, byHand: other }: Round, count: number): Round => ({ ours: ours / count, byHand: other / count });
  return {
    shuffled: unordered.pull,
    pull,
    changes,
    gets: per(gets, ids.length),
    together: per(together, ids.length),
    barcodes: per(barcodes, codes.length),
    pages: per(pages, names.length),
  };
}

/** Both tills with everything that the server has. */
async function pulled(round: number, server: MemoryServer) {
  const till = openTill(`ours-${crypto.randomUUID()}`, server);
  const byHand = await openByHand(`hand-${crypto.randomUUID()}`);
  await till.device();
  const pull = await timedBoth(
    round,
    () => till.sync(),
    () => byHand.pull(server),
  );
  expectEqual("the products by hand", await byHand.db.count("products"), server.products);
  expectEqual("the products on the till", await till.collections.products.count(), server.products);
  return { till, byHand, pull };
}

async function eachOf<T>(list: readonly T[], look: (one: T) => Promise<unknown>): Promise<void> {
  for (const one of list) {
    const found = await look(one);
    if (found === undefined) throw new Error(`Expected to find ${String(one)}, got nothing`);
  }
}
