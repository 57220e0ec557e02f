/** The browser's storage as shops meet it: full, deleted, put back, blocked, cut off. Nothing is ever said to be saved that is not. */
import { appendFileSync, cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Page as Tab } from "playwright";
import { afterEach, expect, test } from "vitest";
import { tea } from "../support/shop.ts";
import { Lab } from "./support/browser.ts";
import { fillDisk } from "./support/fill-disk.ts";

let lab: Lab;
const open = async (flags?: readonly string[]) => {
  lab = await Lab.open(flags);
};
afterEach(() => lab[Symbol.asyncDispose]());

const sell = (tab: Tab) => tab.evaluate(() => window.page.sell());
const trySell = (tab: Tab) => tab.evaluate(() => window.page.outcome((page) => page.sell()));
const settled = (tab: Tab, id: string) =>
  tab.evaluate(async (sale) => (await window.page.till.collections.sales.settled(sale)).state, id);
const events = (tab: Tab, event: string) =>
  tab.evaluate((name) => window.page.events.filter((e) => e.event === name).map(({ payload }) => payload), event);
const storage = (tab: Tab) => tab.evaluate(() => window.page.till.status.storage);
const failure = (tab: Tab) =>
  tab.evaluate(() => {
    const { status } = window.page.till;
    return status.phase === "failed" ? status.error.code : status.phase;
  });
const products = (tab: Tab) => tab.evaluate(() => window.page.till.collections.products.count());
/** A test that hangs is ended by its own limit; how fast the machine is does not matter. */
const LIMIT_MS = 240_000;
const soon = { timeout: 120_000 };

test(
  "whether the browser has promised to keep the data is asked for and told",
  async () => {
    await open();
    const tab = await lab.tab();
    expect((await storage(tab)).persisted).toBe(false);
    expect(await events(tab, "storage_at_risk")).toEqual([{ cause: "eviction" }]);
    await tab.close();
    const devtools = await lab.context.browser()?.newBrowserCDPSession();
    await devtools?.send("Browser.grantPermissions", { permissions: ["durableStorage"] });
    const kept = await lab.tab();
    await expect.poll(async () => (await storage(kept)).persisted, soon).toBe(true);
  },
  LIMIT_MS,
);

test(
  "a store that is deleted under a running till is told with what was in it, and again at the next start",
  async () => {
    await open();
    const tab = await lab.tab();
    expect(await settled(tab, await sell(tab))).toBe("applied");
    lab.online = false;
    await sell(tab);
    const devtools = await lab.devtools(tab);
    await devtools.send("Storage.clearDataForOrigin", { origin: lab.url.slice(0, -1), storageTypes: "indexeddb" });
    const lost = { lastKnownSequence: 6, missing: 3 };
    await expect.poll(() => events(tab, "storage_lost"), soon).toEqual([lost]);
    expect(await failure(tab)).toBe("storage_unavailable");
    expect(await trySell(tab)).toMatchObject({ error: { code: "storage_unavailable" } });
    // However often something asks for it: it is lost once.
    await expect.poll(async () => (await events(tab, "error")).length, soon).toBeGreaterThan(3);
    expect(await events(tab, "storage_lost")).toEqual([lost]);
    await tab.close();
    const next = await lab.tab();
    expect(await events(next, "storage_lost")).toEqual([lost]);
  },
  LIMIT_MS,
);

test(
  "a store that was put back to an older state is told, and what it sells from then on is on the server once",
  async () => {
    await open();
    let tab = await lab.tab();
    expect(await settled(tab, await sell(tab))).toBe("applied");
    await lab.quit();
    const backup = `${lab.databases}.backup`;
    cpSync(lab.databases, backup, { recursive: true });
    await lab.launch();
    tab = await lab.tab();
    expect(await settled(tab, await sell(tab))).toBe("applied");
    await lab.quit();
    rmSync(lab.databases, { recursive: true });
    cpSync(backup, lab.databases, { recursive: true });
    rmSync(join(backup), { recursive: true });

    await lab.launch();
    tab = await lab.tab({ idle: true });
    lab.online = false;
    const sale = await sell(tab);
    expect(await events(tab, "storage_lost")).toEqual([{ lastKnownSequence: 6, missing: 3 }]);
    lab.online = true;
    expect(await settled(tab, sale)).toBe("applied");
    expect(await events(tab, "identity_forked")).toHaveLength(1);
    expect(await lab.sold()).toHaveLength(3);
    await expect.poll(() => tab.evaluate(() => window.page.stock()), soon).toBe(97);
  },
  LIMIT_MS,
);

test(
  "where the disk is full, pulling stops and selling goes on from the reserve; at its end a sale is refused, not lost",
  async () => {
    // 12 MB for the site. Of what estimate() says of the quota nothing is true here: it is known only by running into it.
    await open(["--enable-features=StorageQuotaSettings:PoolSizeBytes/16000000/PoolSizeRatio/0.5"]);
    const tab = await lab.tab();
    await sell(tab);
    await tab.evaluate(fillDisk);
    const sale = await sell(tab);
    expect(await settled(tab, sale)).toBe("applied");
    await expect.poll(async () => (await storage(tab)).atRisk, soon).toBe("full");
    expect(await events(tab, "storage_at_risk")).toContainEqual({ cause: "full" });
    const stocked = await stockUpWhileFull(tab);

    lab.online = false;
    const kept = await sellUntilRefused(tab);
    expect(await lab.sold()).toHaveLength(2);
    const queued = await tab.evaluate(async () => (await window.page.till.collections.sales.find({})).length);
    expect(queued).toBe(2 + kept);

    await tab.evaluate(() => indexedDB.deleteDatabase("other") && undefined);
    await expect.poll(() => trySell(tab), soon).toHaveProperty("value");
    await expect.poll(async () => (await storage(tab)).atRisk, soon).toBe("eviction");
    lab.online = true;
    await expect.poll(() => products(tab), soon).toBe(1 + stocked);
  },
  LIMIT_MS,
);

/**
 * Adds products while the disk is full, and answers how many. The browser returns the space of what was deleted when it
 * pleases, and a till that has its reserve again pulls again. So only a round counts in which the till has said nothing
 * but that the disk is full.
 */
async function stockUpWhileFull(tab: Tab): Promise<number> {
  for (let added = 1; ; added += 1) {
    await tab.evaluate(fillDisk);
    await expect.poll(async () => (await storage(tab)).atRisk, soon).toBe("full");
    // Ends a pull that began while there was space.
    await tab.evaluate(() => window.page.till.sync());
    const [before, said] = [await products(tab), (await events(tab, "storage_at_risk")).length];
    await lab.stockUp({ ...tea, id: `p-${added + 1}` });
    await tab.evaluate(() => window.page.till.sync());
    const after = await products(tab);
    if ((await storage(tab)).atRisk !== "full" || (await events(tab, "storage_at_risk")).length > said) continue;
    expect(after).toBe(before);
    return added;
  }
}

/** Sells until there is no space, the reserve included, and answers how many sales were kept. */
async function sellUntilRefused(tab: Tab): Promise<number> {
  for (let kept = 0; ; kept += 1) {
    await tab.evaluate(fillDisk);
    const outcome = (await trySell(tab)) as { readonly error?: unknown };
    if (outcome.error === undefined) continue;
    expect(outcome).toMatchObject({ error: { code: "storage_full" } });
    return kept;
  }
}

test(
  "an upgrade that another tab blocks is an error that says so, and no sale is said to be saved",
  async () => {
    await open();
    const holder = await lab.context.newPage();
    await holder.goto(lab.url);
    // A page that never lets go: an old version of an app, or a hung one.
    await holder.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const opening = indexedDB.open("browser-shop", 1);
          opening.onsuccess = () => resolve(void Object.assign(window, { held: opening.result }));
        }),
    );
    const tab = await lab.tab({ idle: true, watchdogMs: 1_000 });
    expect(await trySell(tab)).toMatchObject({
      error: { code: "storage_unavailable", message: expect.stringContaining("another tab blocks") },
    });
    expect(await failure(tab)).toBe("storage_unavailable");
    await holder.close();
    expect(await trySell(tab)).toHaveProperty("value");
  },
  LIMIT_MS,
);

test(
  "a connection that the browser closes is opened again, and the sale that met it is stored once",
  async () => {
    await open();
    const tab = await lab.tab();
    await sell(tab);
    const internals = await lab.context.newPage();
    await internals.goto("chrome://indexeddb-internals");
    await internals.getByText("Force close").first().click();
    const sales = await Promise.all([sell(tab), sell(tab)]);
    for (const sale of sales) expect(await settled(tab, sale)).toBe("applied");
    expect(await lab.sold()).toHaveLength(3);
    expect(await failure(tab)).toBe("online");
  },
  LIMIT_MS,
);

test(
  "in a private window a till sells, syncs, and says that its data is not promised to be kept",
  async () => {
    await open();
    const tab = await lab.privateTab();
    expect(await storage(tab)).toMatchObject({ persisted: false, atRisk: "eviction" });
    expect(await events(tab, "storage_at_risk")).toEqual([{ cause: "eviction" }]);
    expect(await settled(tab, await sell(tab))).toBe("applied");
    await tab.context().close();
    lab.online = false;
    const next = await lab.privateTab();
    expect(await next.evaluate(async () => (await window.page.till.collections.sales.find({})).length)).toBe(0);
    await next.context().close();
  },
  LIMIT_MS,
);

test.each([
  ["there is no IndexedDB", () => Object.defineProperty(globalThis, "indexedDB", { value: undefined })],
  [
    "site data is blocked",
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("The user denied permission to access the database.", "SecurityError");
      };
    },
  ],
])(
  "where %s, nothing is sold into memory: every sale is refused with the reason",
  async (_, block) => {
    await open();
    const tab = await lab.tab({ idle: true }, (page) => page.addInitScript(block));
    expect(await trySell(tab)).toMatchObject({ error: { code: "storage_unavailable" } });
    expect(await failure(tab)).toBe("storage_unavailable");
  },
  LIMIT_MS,
);

/** The files of Chromium's LevelDB: none, where it keeps its databases in another way. */
function logs(): readonly string[] {
  const [folder] = readdirSync(lab.databases).filter((name) => name.endsWith(".leveldb"));
  if (folder === undefined) return [];
  const files = readdirSync(join(lab.databases, folder)).filter((name) => name.endsWith(".log"));
  return files.map((name) => join(lab.databases, folder, name));
}

test(
  "a kill that cuts the last record of the browser's log costs nothing, at the next start and at the one after it",
  async () => {
    await open();
    const first = await lab.tab();
    lab.online = false;
    const sales = [await sell(first)];
    await lab.kill();
    const cut = logs();
    // The head of a record of a thousand bytes, of which nothing came.
    for (const log of cut) appendFileSync(log, Uint8Array.of(1, 2, 3, 4, 0xe8, 3, 1));
    for (let start = 0; start < 2; start += 1) {
      await lab.launch();
      const tab = await lab.tab();
      expect(await events(tab, "storage_lost")).toEqual([]);
      sales.push(await sell(tab));
      await expect.poll(() => logs().filter((log) => cut.includes(log)), soon).toEqual([]);
      await lab.kill();
    }
    await lab.launch();
    lab.online = true;
    const last = await lab.tab();
    for (const sale of sales) expect(await settled(last, sale)).toBe("applied");
  },
  LIMIT_MS,
);
