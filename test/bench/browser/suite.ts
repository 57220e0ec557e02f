/** The figures of the till, in a real Chromium. */
import { compared, type Figure, type Round, spreadOf } from "../figures.ts";
import type { Bench, Context } from "../suite.ts";
import type { CatalogueRound } from "./catalogue.ts";
import type { ColdStart } from "./cold-start.ts";
import type { Cost, Level } from "./growth.ts";
import { type Host, openHost } from "./host.ts";

const AS_FAST = { of: "ratio", most: 1.3 } as const;
const PULL = { of: "ratio", most: 1.5 } as const;
/** Identity, counts, the sync point, a cursor of each collection, the record: and whatever there is to learn of none. */
const COLD_ROWS = { of: "value", most: 50 } as const;

export function browserBenches(): readonly Bench[] {
  return [
    { id: "browser/sale", run: (context) => withHost(context, sales) },
    { id: "browser/burst", run: (context) => withHost(context, bursts) },
    { id: "browser/catalogue", run: (context) => withHost(context, products) },
    { id: "browser/cold-start", run: (context) => withHost(context, coldStarts) },
    { id: "browser/drain", run: (context) => withHost(context, drains) },
    { id: "growth/rows", run: (context) => withHost(context, rows) },
    { id: "growth/queue", run: (context) => withHost(context, queue) },
  ];
}

/** A profile of its own for each: what one leaves behind must not slow down the next. */
async function withHost(
  context: Context,
  run: (host: Host, context: Context) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  const host = await openHost();
  try {
    context.versions.chromium = host.version();
    return await run(host, context);
  } finally {
    await host.close();
  }
}

async function sales(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const bench = "browser/sale";
  const { sale, checkout } = await host.call("selling", sizes.selling);
  return [
    { bench, name: "a sale and its place in the queue, strict", unit: "ms", ...compared(sale), bound: AS_FAST },
    {
      bench,
      name: "a checkout: sale, payment, three stocks, strict",
      unit: "ms",
      ...compared(checkout),
      bound: AS_FAST,
    },
  ];
}

async function bursts(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const bench = "browser/burst";
  const { each, many } = await host.call("burst", sizes.selling);
  const { burst } = sizes.selling;
  return [
    { bench, name: `${count(burst)} sales at once, each its own call`, unit: "ms", ...compared(each) },
    {
      bench,
      name: `${count(burst)} sales by createMany`,
      unit: "ms",
      ...compared(many),
      note: "by hand: one transaction",
    },
  ];
}

async function products(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const bench = "browser/catalogue";
  const all: CatalogueRound[] = [];
  for (let round = 0; round < sizes.catalogueRounds; round++)
    all.push(await host.call("catalogue", round, sizes.catalogue));
  const of = (part: keyof CatalogueRound) => compared(all.map((round) => round[part]));
  const each = (part: keyof CatalogueRound) => compared(all.map((round) => scaled(round[part], 1_000)));
  const { products: size, changes, gets, pageSize } = sizes.catalogue;
  return [
    { bench, name: `first pull of ${count(size)} products`, unit: "ms", ...of("pull"), bound: PULL },
    { bench, name: "the same, their ids in no order", unit: "ms", ...of("shuffled"), bound: PULL },
    { bench, name: `${count(changes)} changes on top`, unit: "ms", ...of("changes") },
    { bench, name: "a get, one after another", unit: "µs", ...each("gets") },
    { bench, name: `a get, ${count(gets)} at once`, unit: "µs", ...each("together") },
    { bench, name: "a look-up by barcode", unit: "µs", ...each("barcodes") },
    { bench, name: `a page of ${pageSize} of a category`, unit: "µs", ...each("pages") },
  ];
}

async function coldStarts(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const bench = "browser/cold-start";
  await host.call("fillForColdStart", sizes.cold);
  const ours: ColdStart[] = [];
  const byHand: ColdStart[] = [];
  for (let round = 0; round < sizes.coldRounds; round++) {
    for (const who of round % 2 === 0 ? (["ours", "by hand"] as const) : (["by hand", "ours"] as const)) {
      await host.restart();
      (who === "ours" ? ours : byHand).push(await host.call("coldStart", who, sizes.cold));
    }
  }
  const both = ours.map(({ ms }, at): Round => ({ ours: ms, byHand: byHand[at]?.ms ?? Number.NaN }));
  const of = `${count(sizes.cold.products)} records, ${count(sizes.cold.pending)} pending`;
  return [
    { bench, name: `first read, ${of}`, unit: "ms", ...compared(both) },
    {
      bench,
      name: "rows and keys read for it",
      unit: "rows",
      ours: spreadOf(ours.map(({ rows: read }) => read)),
      reference: spreadOf(byHand.map(({ rows: read }) => read)),
      bound: COLD_ROWS,
    },
  ];
}

async function drains(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const { drain } = await host.call("drain", sizes.drain);
  const name = `draining ${count(sizes.drain.burst)} operations`;
  return [{ bench: "browser/drain", name, unit: "ms", ...compared(drain) }];
}

async function rows(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const levels = await host.call("growingRows", sizes.growth.rows, sizes.growth.times);
  return growth("growth/rows", levels, "products");
}

async function queue(host: Host, { sizes }: Context): Promise<readonly Figure[]> {
  const levels = await host.call("growingQueue", sizes.growth.queue, sizes.growth.times);
  return growth("growth/queue", levels, "queued");
}

/**
 * The last level beside the first one. What is read for an operation is what says whether it looks through everything: time also
 * grows with the depth of the database's trees and with what its cache no longer holds.
 */
export function growth(bench: string, levels: readonly Level[], what: string): readonly Figure[] {
  const [first, last] = [levels[0], levels.at(-1)];
  if (first === undefined || last === undefined) return [];
  const sizes = `${count(first.size)} → ${count(last.size)} ${what}`;
  return last.costs.flatMap((cost): Figure[] => {
    const { operation } = cost;
    const all = levels.flatMap(({ costs }) => costs.find((one) => one.operation === operation) ?? []);
    // A batch of a queue that is shorter than a batch is no measure.
    const start = operation === "a push of a batch" ? levels.find(({ size }) => size >= 1_000) : first;
    const before = start?.costs.find((one) => one.operation === operation) ?? cost;
    const pair = (member: (one: Cost) => number) =>
      compared([{ ours: member(cost), byHand: Math.max(member(before), Number.MIN_VALUE) }]);
    const path = (member: (one: Cost) => string) => all.map(member).join(" → ");
    return [
      {
        bench,
        name: `${operation}, ${sizes}`,
        unit: "ms",
        ...pair(({ ms }) => ms),
        note: path(({ ms }) => ms.toFixed(ms < 10 ? 2 : 0)),
      },
      {
        bench,
        name: `${operation}, rows and keys read`,
        unit: "rows",
        ...pair(({ rows: read }) => read),
        bound: { of: "ratio", most: 1 },
        note: path(({ rows: read }) => String(read)),
      },
    ];
  });
}

function scaled({ ours, byHand }: Round, by: number): Round {
  return { ours: ours * by, byHand: byHand * by };
}

const count = (value: number) => value.toLocaleString("en-GB");
