/** The figures of the server: what an operation costs in CPU time, beside bare inserts and reads of the same rows. */
import { memoryStore } from "tillsync/server/memory";
import { compared, type Figure, quantile, type Round, spreadOf } from "../figures.ts";
import type { Bench, Context } from "../suite.ts";
import type { CpuMeter, CpuTime } from "./cpu.ts";
import { serverGrowth } from "./growth.ts";
import { batchText, importProducts, shopServer, WireTill, type Workload } from "./shop-server.ts";
import { type MeasuredStore, openMeasured, type StoreKind } from "./stores.ts";
import { remembering, type WrittenRows } from "./written-rows.ts";

const PRODUCTS = 2_000;
/** Of both processes. Half is the aim. */
const A_THIRD = { of: "ratio", least: 1 / 3 } as const;
const PULLED = { of: "value", least: 100_000 } as const;

export function serverBenches(): readonly Bench[] {
  return (["sqlite", "postgres"] as const).flatMap((kind): Bench[] => [
    { id: `server/${kind}/push`, run: (context) => withStore(kind, context, pushes) },
    { id: `server/${kind}/tills`, run: (context) => withStore(kind, context, tills) },
    { id: `server/${kind}/pull`, run: (context) => withStore(kind, context, pulls) },
    { id: `growth/${kind}`, run: (context) => withStore(kind, context, serverGrowth) },
  ]);
}

async function withStore(
  kind: StoreKind,
  context: Context,
  run: (kind: StoreKind, measured: MeasuredStore, context: Context) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  const measured = await openMeasured(kind, context);
  if (measured === undefined) return [];
  try {
    return await run(kind, measured, context);
  } finally {
    await measured.close();
  }
}

async function pushes(kind: StoreKind, measured: MeasuredStore, context: Context): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const workload of ["sales", "checkouts"] as const) {
    const { cost, floor, wall } = await measurePushes(measured, context, workload, 1);
    const what = workload === "sales" ? "sales and payments" : "checkouts with their stocks";
    const size = context.sizes.server.operationsPerBatch;
    figures.push({
      bench: `server/${kind}/push`,
      name: `push, ${what}, ${size} a batch, operations per second of CPU`,
      unit: "ops/s",
      ...compared(cost.map((one, at) => ({ ours: perSecond(one), byHand: perSecond(floor[at]) }))),
      bound: A_THIRD,
      note: `${shares(cost)} against ${shares(floor)} µs an operation; ${Math.round(spreadOf(wall).median).toLocaleString("en-GB")} ops/s by the clock`,
    });
  }
  return figures;
}

async function tills(kind: StoreKind, measured: MeasuredStore, context: Context): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of context.sizes.server.tills) {
    const { cost, floor, wall, floorWall, latencies } = await measurePushes(measured, context, "sales", count);
    const sorted = latencies.sort((a, b) => a - b);
    const bench = `server/${kind}/tills`;
    const name = `${count} ${count === 1 ? "till" : "tills"} of one shop`;
    figures.push(
      {
        bench,
        name: `${name}, by the clock`,
        unit: "ops/s",
        ...compared(wall.map((ours, at) => ({ ours, byHand: floorWall[at] ?? Number.NaN }))),
        note: `a push takes ${quantile(sorted, 0.5).toFixed(1)} ms, one in a hundred ${quantile(sorted, 0.99).toFixed(1)} ms`,
      },
      {
        bench,
        name: `${name}, per second of CPU`,
        unit: "ops/s",
        ...compared(cost.map((one, at) => ({ ours: perSecond(one), byHand: perSecond(floor[at]) }))),
        bound: A_THIRD,
        note: `${shares(cost)} against ${shares(floor)} µs an operation`,
      },
    );
  }
  return figures;
}

interface Pushes {
  /** Microseconds an operation. */
  readonly cost: readonly CpuTime[];
  readonly floor: readonly CpuTime[];
  /** Operations a second, by the clock. */
  readonly wall: readonly number[];
  readonly floorWall: readonly number[];
  /** Of each push, in ms. */
  readonly latencies: number[];
}

/** Each round pushes new operations with new tills; the first one warms up. */
async function measurePushes(
  { store, bare, cpu }: MeasuredStore,
  { sizes }: Context,
  workload: Workload,
  count: number,
): Promise<Pushes> {
  const { rounds, batches, operationsPerBatch } = sizes.server;
  await importProducts(store, 0, PRODUCTS);
  const handler = shopServer(store);
  const all = { cost: [] as CpuTime[], floor: [] as CpuTime[], wall: [] as number[], floorWall: [] as number[] };
  const latencies: number[] = [];
  const each = Math.max(1, Math.ceil(batches / count));
  const operations = each * count * operationsPerBatch;
  for (let round = -1; round < rounds; round++) {
    const texts = Array.from({ length: count }, () =>
      Array.from({ length: each }, (_, at) =>
        batchText(workload, at * operationsPerBatch, operationsPerBatch, PRODUCTS),
      ),
    );
    const rows = await rowsOf(texts);
    const senders: WireTill[] = [];
    for (let till = 0; till < count; till++) {
      const sender = new WireTill(handler, `till-${crypto.randomUUID().slice(0, 8)}-${till}`);
      await sender.register();
      senders.push(sender);
    }
    const push = async (till: number) => {
      for (const text of texts[till] ?? []) {
        const start = performance.now();
        const answer = await senders[till]!.push(text);
        latencies.push(performance.now() - start);
        if (/"status":"(?!applied)/.test(answer))
          throw new Error(`Expected all to be applied, got ${answer.slice(0, 300)}`);
      }
    };
    const insert = async (till: number) => {
      for (let at = till; at < rows.length; at += count) await bare.insert(rows[at] as WrittenRows);
    };
    const ours = () => measured(cpu, operations, () => Promise.all(senders.map((_, till) => push(till))));
    const byHand = () => measured(cpu, operations, () => Promise.all(senders.map((_, till) => insert(till))));
    const first = round % 2 === 0 ? await ours() : await byHand();
    const second = round % 2 === 0 ? await byHand() : await ours();
    if (round < 0) {
      latencies.length = 0;
      continue;
    }
    const [mine, floor] = round % 2 === 0 ? [first, second] : [second, first];
    all.cost.push(mine.cost);
    all.floor.push(floor.cost);
    all.wall.push(mine.perSecond);
    all.floorWall.push(floor.perSecond);
  }
  return { ...all, latencies };
}

/** What a server makes of these pushes: found out with one that keeps everything in memory. */
async function rowsOf(texts: readonly (readonly string[])[]): Promise<readonly WrittenRows[]> {
  const { store, written } = remembering(memoryStore());
  await importProducts(store, 0, PRODUCTS);
  const handler = shopServer(store);
  const all: WrittenRows[][] = [];
  for (const [till, own] of texts.entries()) {
    const sender = new WireTill(handler, `till-${till}`);
    await sender.register();
    written.length = 0;
    for (const text of own) await sender.push(text);
    all.push([...written]);
  }
  await store.close();
  // As they would come: the first of each till, then the second.
  return (all[0] ?? []).flatMap((_, at) => all.map((own) => own[at] as WrittenRows));
}

async function measured(cpu: CpuMeter, operations: number, work: () => Promise<unknown>) {
  const start = performance.now();
  const used = cpu.start();
  await work();
  const { process, database } = used();
  const seconds = (performance.now() - start) / 1_000;
  const cost: CpuTime = { process: process / operations, database: database / operations };
  return { cost, perSecond: operations / seconds };
}

async function pulls(
  kind: StoreKind,
  { store, bare, cpu }: MeasuredStore,
  { sizes }: Context,
): Promise<readonly Figure[]> {
  const { rounds, rows } = sizes.server;
  const limit = 1_000;
  await importProducts(store, 0, rows);
  const copy = remembering(memoryStore());
  await importProducts(copy.store, 0, rows);
  for (const one of copy.written) await bare.insert(one);
  const till = new WireTill(shopServer(store), "till-1");
  await till.register();
  const pull = async () => {
    let pulled = 0;
    for (let cursor: string | null = null, more = true; more; ) {
      const text = await till.pull("products", cursor, limit);
      pulled += text.split('"version":').length - 1;
      // Behind the rows, and not parsed: that is the till's work.
      const end = text.slice(text.lastIndexOf('"cursor":'));
      cursor = JSON.parse(/"cursor":("[^"]*")/.exec(end)?.[1] ?? "null");
      more = end.includes('"more":true');
    }
    if (pulled !== rows) throw new Error(`Expected to pull ${rows} rows, got ${pulled}`);
  };
  const read = async () => {
    let found = 0;
    for (let after = 0; ; ) {
      const page = await bare.page("products", after, limit);
      found += page.rows;
      after = page.last;
      if (page.rows < limit) break;
    }
    if (found !== rows) throw new Error(`Expected to read ${rows} rows, got ${found}`);
  };
  const all: Round[] = [];
  const costs: CpuTime[] = [];
  const floors: CpuTime[] = [];
  for (let round = -1; round < rounds; round++) {
    const [ours, byHand] =
      round % 2 === 0
        ? [await measured(cpu, rows, pull), await measured(cpu, rows, read)]
        : await measured(cpu, rows, read).then(async (one) => [await measured(cpu, rows, pull), one] as const);
    if (round < 0) continue;
    costs.push(ours.cost);
    floors.push(byHand.cost);
    all.push({ ours: perSecond(ours.cost), byHand: perSecond(byHand.cost) });
  }
  return [
    {
      bench: `server/${kind}/pull`,
      name: "pull, pages of 1,000 with their bodies, rows per second of CPU",
      unit: "rows/s",
      ...compared(all),
      bound: PULLED,
      note: `${shares(costs)} against ${shares(floors)} µs a row`,
    },
  ];
}

function perSecond(cost: CpuTime | undefined): number {
  return cost === undefined ? Number.NaN : 1_000_000 / (cost.process + cost.database);
}

/** `6 + 23`: this process and the database. */
function shares(costs: readonly CpuTime[]): string {
  const own = spreadOf(costs.map(({ process }) => process)).median;
  const database = spreadOf(costs.map(({ database: theirs }) => theirs)).median;
  return database === 0 ? own.toFixed(1) : `${own.toFixed(1)} + ${database.toFixed(1)}`;
}
