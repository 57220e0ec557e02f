/** The first read of a browser that has just been started, on a till with a full shop and a queue. */
import { productId, saleOf } from "../bench-shop.ts";
import { openByHand } from "./by-hand.ts";
import { countingRows } from "./counted.ts";
import { memoryServer } from "./memory-server.ts";
import { expectEqual, openTill } from "./till.ts";

export interface ColdSizes {
  readonly products: number;
  readonly pending: number;
}

const OURS = "cold-ours";
const BY_HAND = "cold-hand";

export async function fillForColdStart({ products, pending }: ColdSizes): Promise<void> {
  const server = memoryServer(products);
  const till = openTill(OURS, server);
  await till.sync();
  const sales = Array.from({ length: pending }, (_, index) => saleOf(index, products));
  await till.collections.sales.createMany(sales);
  expectEqual("the queue", till.status.pending.count, pending);
  await till.close();
  const byHand = await openByHand(BY_HAND);
  await byHand.pull(server);
  await byHand.importSales(sales);
  byHand.db.close();
}

export interface ColdStart {
  readonly ms: number;
  /** Rows and keys that the database handed out until then. */
  readonly rows: number;
}

/** From nothing open to the first record. */
export async function coldStart(who: "ours" | "by hand", { products, pending }: ColdSizes): Promise<ColdStart> {
  const id = productId(products >> 1);
  const server = memoryServer(products);
  let ms = 0;
  const { rows, value } = await countingRows(async () => {
    const start = performance.now();
    const till = who === "ours" ? openTill(OURS, server) : undefined;
    const found =
      till === undefined ? await (await openByHand(BY_HAND)).get(id) : await till.collections.products.get(id);
    ms = performance.now() - start;
    return { found, till };
  });
  expectEqual("the record", value.found?.id, id);
  if (value.till !== undefined) expectEqual("the queue", value.till.status.pending.count, pending);
  return { ms, rows };
}
