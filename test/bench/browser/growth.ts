/** What one operation costs as a till fills up: in time, and in rows that are read for it. */
import { barcodeOf, categoryOf, mixed, productId, saleOf } from "../bench-shop.ts";
import { countingRows } from "./counted.ts";
import { changeOf, memoryServer } from "./memory-server.ts";
import { checkout, forget, openTill, type Till } from "./till.ts";
import { settled, timed } from "./timing.ts";

export interface Cost {
  readonly operation: string;
  /** The median of its times. */
  readonly ms: number;
  /** The most that any of them read. */
  readonly rows: number;
}

export interface Level {
  readonly size: number;
  readonly costs: readonly Cost[];
}

async function costOf(operation: string, times: number, work: (at: number) => Promise<unknown>): Promise<Cost> {
  const all: { ms: number; rows: number }[] = [];
  // The first one warms up.
  for (let at = 0; at <= times; at++) {
    const { value, rows } = await countingRows(() => timed(() => work(at)));
    if (at > 0) all.push({ ms: value, rows });
  }
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
  return { operation, ms: sorted[sorted.length >> 1] as number, rows: Math.max(...all.map(({ rows }) => rows)) };
}

/** With more and more products, pulled in one till. */
export async function growingRows(levels: readonly number[], times: number): Promise<readonly Level[]> {
  const server = memoryServer(0);
  const till = openTill(`growing-${crypto.randomUUID()}`, server);
  const found: Level[] = [];
  for (const size of levels) {
    server.changed = [];
    server.products = size;
    await till.sync();
    await settled();
    const any = (at: number) => mixed(at + 1) % size;
    const costs = [
      await costOf("a get", times, (at) => till.collections.products.get(productId(any(at)))),
      await costOf("a barcode", times, (at) =>
        till.collections.products.first({ index: "barcode", equals: barcodeOf(any(at)) }),
      ),
      await costOf("a page of a category", times, (at) =>
        till.collections.products.find({ index: "category", equals: [categoryOf(any(at))], limit: 20 }),
      ),
      await costOf("a checkout", times, (at) => checkout(till, saleOf(at, size))),
    ];
    await till.sync();
    costs.push(await costOf("a pull of 20 changes", times, (at) => pullSome(till, server, size, at)));
    found.push({ size, costs });
  }
  await forget(till);
  return found;
}

async function pullSome(till: Till, server: ReturnType<typeof memoryServer>, size: number, at: number): Promise<void> {
  const more = Array.from({ length: 20 }, (_, index) => changeOf(mixed(at * 20 + index) % size, at + 1));
  server.changed = [...server.changed, ...more];
  await till.sync();
}

/** With a longer and longer queue, as of a till that has been offline for weeks. */
export async function growingQueue(levels: readonly number[], times: number): Promise<readonly Level[]> {
  const products = 1_000;
  const server = memoryServer(products);
  const name = `queue-${crypto.randomUUID()}`;
  let till = openTill(name, server);
  await till.sync();
  const found: Level[] = [];
  for (const size of levels) {
    const missing = size - till.status.pending.count;
    await till.collections.sales.createMany(Array.from({ length: missing }, (_, at) => saleOf(at, products)));
    await settled();
    const costs = [
      await costOf("a sale", times, (at) => till.collections.sales.create(saleOf(at, products))),
      await costOf("a checkout", times, (at) => checkout(till, saleOf(at, products))),
      await costOf("a start and the first read", times, async () => {
        await till.close();
        till = openTill(name, server);
        await till.collections.products.get(productId(1));
      }),
    ];
    server.pushes = 0;
    const all = till.status.pending.count;
    costs.push(
      await costOf("a push of a batch", Math.min(times, 3), () => {
        // One batch is answered, then the server is out of reach again.
        server.pushes = 1;
        return till.sync();
      }),
    );
    expectFewer(till.status.pending.count, all);
    found.push({ size, costs });
  }
  await forget(till);
  return found;
}

function expectFewer(left: number, before: number): void {
  if (left >= before) throw new Error(`Expected pushes to shorten a queue of ${before}, got ${left}`);
}
