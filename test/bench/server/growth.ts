/** What a push and a pull cost as a shop's history grows. */

import type { Level } from "../browser/growth.ts";
import { growth } from "../browser/suite.ts";
import type { Figure } from "../figures.ts";
import type { Context } from "../suite.ts";
import { batchText, importProducts, shopServer, WireTill } from "./shop-server.ts";
import type { MeasuredStore, StoreKind } from "./stores.ts";

const PRODUCTS = 1_000;
const BATCH = 100;

/** In CPU time of both processes: a batch of checkouts, a pull of what a hundred operations changed, and one that finds nothing. */
export async function serverGrowth(
  kind: StoreKind,
  { store, cpu }: MeasuredStore,
  { sizes }: Context,
): Promise<readonly Figure[]> {
  const { server: levels, times } = sizes.growth;
  const handler = shopServer(store);
  await importProducts(store, 0, PRODUCTS);
  const till = new WireTill(handler, "till-1");
  await till.register();
  let stored = 0;
  const push = async (size: number) => {
    await till.push(batchText("sales", stored, size, PRODUCTS));
    stored += size;
  };
  const cost = async (operation: string, work: () => Promise<unknown>) => {
    await work();
    const used = cpu.start();
    for (let at = 0; at < times; at++) await work();
    const { process, database } = used();
    return { operation, ms: (process + database) / 1_000 / times, rows: 0 };
  };
  const found: Level[] = [];
  for (const size of levels) {
    while (stored < size) await push(500);
    let cursor = cursorIn(await till.pull("payments", null, 1));
    cursor = await toTheEnd(till, cursor);
    const costs = [
      await cost(`a push of ${BATCH}`, () => push(BATCH)),
      await cost("a pull of 100 rows", () => till.pull("payments", cursor, 100)),
    ];
    const end = await toTheEnd(till, cursor);
    costs.push(await cost("a pull that finds nothing", () => till.pull("payments", end, 100)));
    found.push({ size, costs });
  }
  return growth(`growth/${kind}`, found, "operations").filter(({ unit }) => unit !== "rows");
}

async function toTheEnd(till: WireTill, from: string | null): Promise<string | null> {
  let cursor = from;
  for (let more = true; more; ) {
    const text = await till.pull("payments", cursor, 1_000);
    cursor = cursorIn(text);
    more = text.includes('"more":true');
  }
  return cursor;
}

function cursorIn(text: string): string | null {
  return JSON.parse(/"cursor":("[^"]*")/.exec(text.slice(text.lastIndexOf('"cursor":')))?.[1] ?? "null");
}
