/** The bench's own machinery in a browser, as small as it gets: nothing here is held to a time, but what is read is counted. */
import { expect, test } from "vitest";
import { tiny } from "../sizes.ts";
import { catalogue } from "./catalogue.ts";
import { coldStart, fillForColdStart } from "./cold-start.ts";
import { countingRows } from "./counted.ts";
import { growingQueue, growingRows } from "./growth.ts";
import { burst, drain, selling } from "./selling.ts";

test("both tills sell, import and drain the same", async () => {
  expect((await selling(tiny.selling)).checkout).toHaveLength(tiny.selling.rounds);
  expect((await burst(tiny.selling)).many).toHaveLength(tiny.selling.burstRounds);
  expect((await drain(tiny.drain)).drain).toHaveLength(tiny.drain.burstRounds);
});

test("both tills pull a catalogue and find in it what was asked for", async () => {
  const round = await catalogue(0, tiny.catalogue);
  expect(round.pull.ours).toBeGreaterThan(0);
  expect(round.pages.byHand).toBeGreaterThan(0);
});

test("the first read of a cold start reads a handful of rows, whatever is stored", async () => {
  await fillForColdStart({ products: 300, pending: 40 });
  const byHand = await coldStart("by hand", { products: 300, pending: 40 });
  const ours = await coldStart("ours", { products: 300, pending: 40 });
  expect(byHand.rows).toBe(1);
  expect(ours.rows).toBeLessThan(20);
});

test("no operation reads more as rows and queue grow", async () => {
  const { rows, queue } = tiny.growth;
  for (const levels of [await growingRows(rows, 1), await growingQueue(queue, 1)]) {
    for (const { operation, rows: read } of levels.at(-1)?.costs ?? []) {
      if (operation === "a push of a batch") continue; // a queue of five is shorter than a batch
      const before = levels[0]?.costs.find((cost) => cost.operation === operation);
      expect(read, operation).toBeLessThanOrEqual((before?.rows ?? 0) + 1);
    }
  }
});

test("lists, cursors and single rows are counted alike", async () => {
  const opening = indexedDB.open(`counted-${crypto.randomUUID()}`, 1);
  const database = await new Promise<IDBDatabase>((resolve) => {
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore("rows");
      for (const key of [1, 2, 3]) store.put({ key }, key);
    };
    opening.onsuccess = () => resolve(opening.result);
  });
  const ended = (transaction: IDBTransaction) =>
    new Promise((resolve) => transaction.addEventListener("complete", resolve));
  const { rows } = await countingRows(() => {
    const transaction = database.transaction("rows");
    const store = transaction.objectStore("rows");
    store.get(1);
    store.get(4);
    store.getAll();
    const walk = store.openCursor();
    walk.onsuccess = () => walk.result?.continue();
    return ended(transaction);
  });
  database.close();
  expect(rows).toBe(1 + 0 + 3 + 3);
});
