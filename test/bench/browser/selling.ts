/** Selling: one at a time as at a counter, and in a burst as after an import. */
import { saleOf } from "../bench-shop.ts";
import { openByHand } from "./by-hand.ts";
import { memoryServer } from "./memory-server.ts";
import { checkout, expectEqual, forget, openTill } from "./till.ts";
import { inTurns, rounds, timedBoth } from "./timing.ts";

export interface SellingSizes {
  readonly products: number;
  readonly rounds: number;
  readonly salesPerRound: number;
  readonly burst: number;
  readonly burstRounds: number;
}

async function bothTills(products: number) {
  const server = memoryServer(products);
  const till = openTill(`ours-${crypto.randomUUID()}`, server);
  const byHand = await openByHand(`hand-${crypto.randomUUID()}`);
  await till.sync();
  await byHand.pull(server);
  const close = async () => {
    await forget(till);
    await byHand.destroy();
  };
  return { till, byHand, server, close };
}

/** Each sale is awaited, and flushed to disk, before the next. */
export async function selling({ products, rounds: count, salesPerRound }: SellingSizes) {
  const { till, byHand, close } = await bothTills(products);
  let sold = 0;
  const sale = await rounds(count, () =>
    inTurns(
      salesPerRound,
      () => till.collections.sales.create(saleOf(sold++, products)),
      () => byHand.sell(saleOf(sold, products)),
    ),
  );
  const whole = await rounds(count, () =>
    inTurns(
      salesPerRound,
      () => checkout(till, saleOf(sold++, products)),
      () => byHand.checkout(saleOf(sold, products)),
    ),
  );
  const recorded = 2 * (count + 1) * salesPerRound;
  expectEqual("the sales on the till", await till.collections.sales.count(), recorded);
  expectEqual("the sales by hand", await byHand.db.count("sales"), recorded);
  expectEqual("the queue by hand", await byHand.db.count("outbox"), (recorded / 2) * 6);
  expectEqual("the queue of the till", till.status.pending.count, (recorded / 2) * 6);
  await close();
  return { sale, checkout: whole };
}

export async function burst({ products, burst: size, burstRounds }: SellingSizes) {
  const { till, byHand, close } = await bothTills(products);
  const sales = Array.from({ length: size }, (_, index) => saleOf(index, products));
  const each = await rounds(burstRounds, (round) =>
    timedBoth(
      round,
      () => Promise.all(sales.map((sale) => till.collections.sales.create(sale))),
      () => Promise.all(sales.map(byHand.sell)),
    ),
  );
  const many = await rounds(burstRounds, (round) =>
    timedBoth(
      round,
      () => till.collections.sales.createMany(sales),
      () => byHand.importSales(sales),
    ),
  );
  expectEqual("the sales on the till", await till.collections.sales.count(), 2 * (burstRounds + 1) * size);
  expectEqual("the sales by hand", await byHand.db.count("sales"), 2 * (burstRounds + 1) * size);
  await close();
  return { each, many };
}

export async function drain({ products, burst: size, burstRounds }: SellingSizes) {
  const all = await rounds(burstRounds, async (round) => {
    const { till, byHand, server, close } = await bothTills(products);
    const sales = Array.from({ length: size }, (_, index) => saleOf(index, products));
    await till.collections.sales.createMany(sales);
    await byHand.importSales(sales);
    const one = await timedBoth(
      round,
      () => till.sync(),
      () => byHand.drain(server),
    );
    expectEqual("what the server has of both", server.pushed.size, 2 * size);
    expectEqual("what is left on the till", till.status.pending.count, 0);
    expectEqual("what is left by hand", await byHand.db.count("outbox"), 0);
    await close();
    return one;
  });
  return { drain: all };
}
