/** A till in Firefox and in WebKit: its tabs, its disk, and processes that are killed. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { tea } from "../../support/shop.ts";
import { checkPage, checkShelf } from "../../torture/browser/check.ts";
import { Findings } from "../../torture/findings.ts";
import { details } from "../../torture/report.ts";
import { fillDisk } from "../support/fill-disk.ts";
import { bundle, ShopServer } from "../support/shop-server.ts";
import { type EngineBrowser, type EngineName, type EngineTab, engines, launch, temporaryProfile } from "./engine.ts";
import { descendants } from "./processes.ts";

const PATIENCE_MS = 180_000;
const soon = { timeout: 120_000 };
const MB = 1_024 * 1_024;

let script: string;
let server: ShopServer;
let browser: EngineBrowser;
let profile: ReturnType<typeof temporaryProfile>;
beforeAll(async () => {
  script = await bundle(["test/browser/engines/in-page/page.ts"]);
});

async function open(name: EngineName, quotaBytes?: number): Promise<void> {
  server = await ShopServer.start(script);
  profile = temporaryProfile();
  browser = await launch(name, { profile: profile.path, quotaBytes });
}
afterEach(async () => {
  await browser?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  profile?.[Symbol.dispose]();
});

/** A tab with a till in it. */
async function openTill(): Promise<EngineTab> {
  const tab = await browser.tab();
  await tab.goto(server.url);
  await tab.evaluate(() => window.open_());
  return tab;
}
const sell = (tab: EngineTab) => tab.evaluate(() => window.page.sell());
const trySell = (tab: EngineTab) => tab.evaluate(() => window.page.outcome((page) => page.sell()));
const stateOf = (tab: EngineTab, sale: string) =>
  tab.evaluate(async (id) => (await window.page.till.collections.sales.settled(id)).state, sale);
const phase = (tab: EngineTab) => tab.evaluate(() => window.page.till.status.phase);
const atRisk = (tab: EngineTab) => tab.evaluate(() => window.page.till.status.storage.atRisk);
const products = (tab: EngineTab) => tab.evaluate(() => window.page.till.collections.products.count());
const events = (tab: EngineTab, event: string) =>
  tab.evaluate((name) => window.page.events.filter((e) => e.event === name).length, event);

/** Resolves when the page has said of so many more sales that they are saved: in the very request that says so. */
function moreSaved(saved: Set<string>, count: number): Promise<void> {
  return new Promise((resolve) => {
    let more = 0;
    server.told = (what, which) => {
      if (what === "saved") saved.add(which);
      if (what === "saved" && ++more === count) resolve();
    };
  });
}

/** When all is quiet: what was said to be saved is in the till and on the server, once and whole. */
async function expectKept(tab: EngineTab, saved: ReadonlySet<string>): Promise<void> {
  const findings = new Findings();
  await tab.evaluate(async () => {
    for (;;) {
      const { outcome, ...done } = await window.page.till.sync();
      if (outcome === "done" && "pushed" in done && done.pushed + done.pulled + done.remaining === 0) return;
    }
  });
  const books = await tab.evaluate(() => window.look());
  await checkPage(books, saved, findings);
  const shelf = { sales: await server.sold(), payments: await server.paid(), stock: await server.stock() };
  checkShelf(shelf, books, 100, findings);
  expect(details(findings)).toEqual([]);
}

describe.each(engines)("$name", ({ name, isHere }) => {
  const run = test.skipIf(!isHere);

  run(
    "two tabs: each sees what the other sells, one sends it, and when that one is closed the other does",
    async () => {
      await open(name);
      const [a, b] = [await openTill(), await openTill()];
      await expect.poll(() => phase(b), soon).toBe("online");
      const first = await sell(b);
      expect([await stateOf(a, first), await stateOf(b, first)]).toEqual(["applied", "applied"]);
      await expect.poll(() => a.evaluate(() => window.page.shown), soon).toEqual([first]);
      expect(server.calls.filter((call) => call === "register")).toHaveLength(1);
      expect(await b.evaluate(() => window.page.till.sync())).toMatchObject({ outcome: "done", remaining: 0 });

      server.online = false;
      const second = await sell(a);
      await a.close();
      server.online = true;
      expect(await stateOf(b, second)).toBe("applied");
      await expectKept(b, new Set([first, second]));
    },
    PATIENCE_MS,
  );

  run(
    "a SIGKILL to every process, in the request that says that a sale is saved: it is there at the next start, and on the server once",
    async () => {
      await open(name);
      const saved = new Set<string>();
      const first = await openTill();
      await first.evaluate(() => window.page.till.firstSync());
      let tab = first;
      for (const sales of [1, 12]) {
        const enough = moreSaved(saved, sales);
        const selling = tab.evaluate(() => window.sellOn("sound")).catch(() => {});
        await enough;
        const said = new Set(saved);
        await browser.kill();
        await selling;

        browser = await launch(name, { profile: profile.path });
        tab = await browser.tab();
        await tab.goto(server.url);
        // Before a till can mend anything.
        const findings = new Findings();
        await checkPage(await tab.evaluate(() => window.look()), said, findings);
        expect(details(findings)).toEqual([]);
        await tab.evaluate(() => window.open_());
      }
      expect(saved.size).toBeGreaterThanOrEqual(13);
      await expectKept(tab, saved);
      expect(await events(tab, "storage_lost")).toBe(0);
    },
    PATIENCE_MS,
  );

  run(
    "on a full disk pulling stops and selling goes on from the reserve; at its end a sale is refused, not lost; with room all goes on",
    async () => {
      await open(name, 24 * MB);
      const tab = await openTill();
      await sell(tab);
      await expect.poll(() => tab.evaluate(async () => (await indexedDB.databases()).length), soon).toBe(2);
      await tab.evaluate(fillDisk);
      const sale = await sell(tab);
      expect(await stateOf(tab, sale)).toBe("applied");
      await expect.poll(() => atRisk(tab), soon).toBe("full");
      // A pull that was on its way when the disk filled up would still bring the product.
      await tab.evaluate(() => window.page.till.sync());
      let stocked = 1;
      let isFilledAgain = false;
      const hasStopped = async () => {
        const before = await products(tab);
        stocked += 1;
        await server.stockUp({ ...tea, id: `p-${stocked}` });
        const { outcome } = await tab.evaluate(() => window.page.till.sync());
        // Both engines may find room again a moment after they have refused some: then it is right to pull.
        if ((await products(tab)) > before) {
          await tab.evaluate(fillDisk);
          isFilledAgain = true;
          return false;
        }
        // A pull that was tried and refused is no `done`. But without the reserve no answer can be stored at all.
        return outcome === "done" || isFilledAgain;
      };
      await expect.poll(hasStopped, soon).toBe(true);

      await tab.evaluate(fillDisk);
      server.online = false;
      const before = await tab.evaluate(async () => (await window.page.till.collections.sales.find()).length);
      const sold = await tab.evaluate(async () => {
        for (let count = 0; ; count++) {
          const { error } = (await window.page.outcome((page) => page.sell())) as { error?: { code: string } };
          if (error !== undefined) return { count, code: error.code };
        }
      });
      expect(sold.code).toBe("storage_full");
      const kept = await tab.evaluate(async () => (await window.page.till.collections.sales.find()).length);
      expect(kept).toBe(before + sold.count);

      await tab.evaluate(
        () =>
          new Promise<void>((resolve) => {
            indexedDB.deleteDatabase("other").onsuccess = () => resolve();
          }),
      );
      await expect.poll(() => trySell(tab), soon).toHaveProperty("value");
      server.online = true;
      await expect.poll(() => products(tab), soon).toBe(stocked);
      await expect.poll(() => atRisk(tab), soon).not.toBe("full");
    },
    PATIENCE_MS,
  );

  // Firefox has the databases in its main process, which is killed above.
  test.skipIf(!isHere || name !== "webkit")(
    "a page whose database process is killed, and killed again, sells on, and no sale is lost or doubled",
    async () => {
      await open(name);
      const saved = new Set<string>();
      const tab = await openTill();
      let enough = moreSaved(saved, 5);
      // WebDriver gives up a session whose network process ends. The page goes on, and says itself what is saved.
      void tab.evaluate(() => window.sellOnWhatever_()).catch(() => {});
      for (const _ of [1, 2]) {
        await enough;
        const [databases] = descendants(browser.pid).filter((process) => process.name.startsWith("WebKitNetwork"));
        if (databases === undefined) throw new Error("Expected a process that has the databases");
        enough = moreSaved(saved, 5);
        process.kill(databases.pid, "SIGKILL");
      }
      await enough;
      await browser.kill();
      browser = await launch(name, { profile: profile.path });
      await expectKept(await openTill(), saved);
    },
    PATIENCE_MS,
  );
});
