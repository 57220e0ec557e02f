/** Several tabs of one till in a real browser: any of them sells, one of them syncs, and whoever fails is replaced. */
import type { Page as Tab } from "playwright";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { Lab } from "./support/browser.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await Lab.open();
});
afterEach(() => lab[Symbol.asyncDispose]());

const sell = (tab: Tab) => tab.evaluate(() => window.page.sell());
const shown = (tab: Tab) => tab.evaluate(() => window.page.shown);
const stock = (tab: Tab) => tab.evaluate(() => window.page.stock());
const pending = (tab: Tab) => tab.evaluate(() => window.page.till.status.pending.count);
const phase = (tab: Tab) => tab.evaluate(() => window.page.till.status.phase);
const settled = (tab: Tab, id: string) =>
  tab.evaluate(async (sale) => (await window.page.till.collections.sales.settled(sale)).state, id);
/** Its process ends in the middle of whatever it does; the command itself is never answered. */
async function crash(tab: Tab): Promise<void> {
  const crashed = new Promise((resolve) => tab.once("crash", resolve));
  void (await lab.devtools(tab)).send("Page.crash").catch(() => {});
  await crashed;
}
const soon = { timeout: 120_000 };

test("two tabs: each sees what the other sells, one sends it, and both show the same status", async () => {
  const [a, b] = [await lab.tab(), await lab.tab()];
  await expect.poll(() => phase(b), soon).toBe("online");
  const registered = lab.calls.filter((call) => call === "register").length;
  const sale = await sell(b);
  expect(await settled(a, sale)).toBe("applied");
  expect(await settled(b, sale)).toBe("applied");
  await expect.poll(() => shown(a), soon).toEqual([sale]);
  await expect.poll(() => pending(b), soon).toBe(0);
  expect(registered).toBe(1);
  lab.online = false;
  for (const tab of [a, b]) await expect.poll(() => phase(tab), soon).toBe("offline");
  expect(await lab.sold()).toEqual([sale]);
});

test("sync() in a tab that waits for its turn is a round of the tab that has it", async () => {
  const [, b] = [await lab.tab(), await lab.tab()];
  await expect.poll(() => phase(b), soon).toBe("online");
  await sell(b);
  expect(await b.evaluate(() => window.page.till.sync())).toMatchObject({ outcome: "done", remaining: 0 });
  lab.online = false;
  await sell(b);
  expect(await b.evaluate(() => window.page.till.sync())).toMatchObject({ outcome: "offline", remaining: 3 });
});

test.each([
  ["closed", (tab: Tab) => tab.close()],
  ["crashed", (tab: Tab) => crash(tab)],
])("a tab that syncs and is %s is replaced, and nothing it sold is lost or doubled", async (_, end) => {
  const [a, b] = [await lab.tab(), await lab.tab()];
  await expect.poll(() => phase(b), soon).toBe("online");
  lab.online = false;
  const sale = await sell(a);
  await end(a);
  lab.online = true;
  expect(await settled(b, sale)).toBe("applied");
  expect(await lab.sold()).toEqual([sale]);
  expect([await stock(b), await lab.stock()]).toEqual([99, 99]);
});

test("a tab that stands still with a push under way is replaced; when it wakes, its late answer changes nothing", async () => {
  const [a, b] = [await lab.tab(), await lab.tab()];
  await expect.poll(() => phase(b), soon).toBe("online");
  const open = deferred<void>();
  lab.gate = open.promise;
  const sale = await sell(a);
  await expect.poll(() => lab.calls.includes("push"), soon).toBe(true);
  lab.gate = undefined;

  // Nothing of the page runs: no timer, no message, no answer.
  const asleep = a.evaluate(() => {
    const until = performance.now() + 25_000;
    while (performance.now() < until);
  });
  expect(await settled(b, sale)).toBe("applied");
  const second = await sell(b);
  expect(await settled(b, second)).toBe("applied");
  open.resolve();
  await asleep;

  for (const tab of [a, b]) {
    await expect.poll(() => shown(tab).then((ids) => [...ids].sort()), soon).toEqual([sale, second].sort());
    await expect.poll(() => stock(tab), soon).toBe(98);
    await expect.poll(() => pending(tab), soon).toBe(0);
  }
  expect([...(await lab.sold())].sort()).toEqual([sale, second].sort());
  expect(await lab.stock()).toBe(98);
});

test("a tab that the browser freezes gives its turn away, and shows what it missed when it goes on", async () => {
  const [a, b] = [await lab.tab(), await lab.tab()];
  await expect.poll(() => phase(b), soon).toBe("online");
  const devtools = await lab.devtools(a);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  const sale = await sell(b);
  expect(await settled(b, sale)).toBe("applied");
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  await expect.poll(() => shown(a), soon).toEqual([sale]);
  await expect.poll(() => phase(a), soon).toBe("online");
});

test("without Web Locks the turn is a lease in the store, which runs out with a crashed tab", async () => {
  const withoutLocks = (tab: Tab) =>
    tab.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { value: undefined }));
  const [a, b] = [await lab.tab({}, withoutLocks), await lab.tab({}, withoutLocks)];
  await expect.poll(() => phase(b), soon).toBe("online");
  const first = await sell(b);
  expect(await settled(b, first)).toBe("applied");
  expect(lab.calls.filter((call) => call === "register")).toHaveLength(1);
  await crash(a);
  const sale = await sell(b);
  expect(await settled(b, sale)).toBe("applied");
  expect(await lab.sold()).toHaveLength(2);
});

test("a till goes on where it was after the back/forward cache", async () => {
  const tab = await lab.tab();
  const sale = await sell(tab);
  expect(await settled(tab, sale)).toBe("applied");
  await tab.evaluate(() => {
    addEventListener("pageshow", ({ persisted }) => Object.assign(window, { persisted }));
  });
  await tab.goto("about:blank");
  await tab.goBack({ waitUntil: "commit" });
  expect(await tab.evaluate(() => (window as { persisted?: boolean }).persisted)).toBe(true);
  const next = await sell(tab);
  expect(await settled(tab, next)).toBe("applied");
  expect(await lab.sold()).toHaveLength(2);
});
