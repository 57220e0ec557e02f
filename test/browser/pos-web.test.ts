/** The till in the browser as a shop runs it: the page that `npm start` builds and serves, a real browser, a real server process. */
import { rm } from "node:fs/promises";
import type { Page, Route } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { account, expectOnServerOnce } from "./support/account.ts";
import { watchFirstSight } from "./support/first-sight.ts";
import { ALL_SENT, chipSays, PATIENCE_MS, signIn, tile } from "./support/pos-web.ts";
import { type Browser, type Running, startBrowser, startShop, temporaryFolder } from "./support/processes.ts";

const patience = { timeout: PATIENCE_MS };
/** For a whole test, of several steps. */
const LIMIT_MS = 3 * PATIENCE_MS;
let shop: Running;

beforeAll(async () => {
  shop = await startShop();
}, PATIENCE_MS);
afterAll(() => shop?.[Symbol.asyncDispose]());

async function openBrowser(profile: string): Promise<Browser> {
  const browser = await startBrowser(profile);
  onTestFinished(() => browser[Symbol.asyncDispose]());
  browser.context.setDefaultTimeout(PATIENCE_MS);
  return browser;
}

async function newProfile(): Promise<string> {
  const profile = await temporaryFolder();
  // After the browser has ended: what is to be done at the end is done last in, first out.
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return profile;
}

/** Sells one of a product for cash, with a keyboard as a cashier would, and answers the number on its receipt. */
async function sell(page: Page, product: string): Promise<string> {
  await tile(page, product).click();
  await page.keyboard.press("F4");
  await page.getByRole("heading", { name: "Checkout" }).waitFor();
  await page.keyboard.type("50");
  await page.keyboard.press("Enter");
  const receipt = await page.getByRole("article", { name: /^Receipt T/ }).getAttribute("aria-label");
  await page.getByRole("button", { name: "Next customer" }).click();
  return receipt?.replace("Receipt ", "") ?? "";
}

/**
 * The answers to pushes are lost after the server has committed, until `stop`, which waits for those that are under way:
 * a handler that outlives its page rejects when the test is over.
 */
async function loseAnswers(page: Page) {
  let lost = 0;
  const lose = async (route: Route) => {
    await route.fetch(NO_LIMIT);
    lost += 1;
    await route.abort("connectionreset");
  };
  await page.route("**/sync/push", lose);
  return { count: () => lost, stop: () => page.unrouteAll({ behavior: "wait" }) };
}
const NO_LIMIT = { timeout: 0 };

/** The page says the same as the server. */
async function expectShown(page: Page, receipts: readonly string[]): Promise<void> {
  await page.getByRole("link", { name: "Sales" }).click();
  const { salesOf } = await account(shop.url);
  for (const receipt of receipts) {
    const [sale] = salesOf(receipt);
    await page.getByRole("button", { name: new RegExp(`${receipt}.*${sale?.orderNumber}.*On the server`) }).waitFor();
  }
}

test(
  "a till sells with and without a network, is loaded again without one, and every sale is on the server once",
  async () => {
    const { context } = await openBrowser(await newProfile());
    await context.addInitScript(watchFirstSight);
    const page = await signIn(context, shop.url);
    await tile(page, "Cola 500 ml").waitFor();
    expect(await page.evaluate(() => window.firstSight_)).toEqual([]);
    const before = (await account(shop.url)).stockOf("cola") ?? 0;
    const receipts = [await sell(page, "Cola 500 ml")];
    await chipSays(page, ALL_SENT);
    await page.evaluate(() => navigator.serviceWorker.ready);

    await context.setOffline(true);
    await chipSays(page, /^Sync: Offline/);
    receipts.push(await sell(page, "Cola 500 ml"));
    await page.reload();
    await page.getByRole("heading", { name: "Cart" }).waitFor();
    await chipSays(page, /^Sync: Offline.* 3 changes to send/);
    receipts.push(await sell(page, "Cola 500 ml"));
    await page.getByRole("link", { name: "Sync" }).click();
    await expect.poll(() => page.locator(".operation[data-state=pending]").count(), patience).toBe(6);
    expect((await account(shop.url)).stockOf("cola")).toBe(before - 1);

    await context.setOffline(false);
    await chipSays(page, ALL_SENT);
    await expectOnServerOnce(shop.url, receipts);
    expect((await account(shop.url)).stockOf("cola")).toBe(before - 3);
    await expectShown(page, receipts);
  },
  LIMIT_MS,
);

test(
  "a browser that is killed after an offline sale has it when it starts again, and sends it once",
  async () => {
    const profile = await newProfile();
    const first = await openBrowser(profile);
    const page = await signIn(first.context, shop.url);
    await chipSays(page, ALL_SENT);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await first.context.setOffline(true);
    const receipt = await sell(page, "Rye bread");
    await first.kill();
    expect((await account(shop.url)).salesOf(receipt)).toEqual([]);

    const second = await openBrowser(profile);
    const again = await second.context.newPage();
    await again.goto(shop.url);
    await again.getByRole("heading", { name: "Cart" }).waitFor();
    await chipSays(again, ALL_SENT);
    await expectOnServerOnce(shop.url, [receipt]);
  },
  LIMIT_MS,
);

test(
  "an answer that is lost after the server has committed does not double the sale",
  async () => {
    const { context } = await openBrowser(await newProfile());
    const page = await signIn(context, shop.url);
    await chipSays(page, ALL_SENT);
    const before = (await account(shop.url)).stockOf("sugar") ?? 0;
    const answers = await loseAnswers(page);
    const receipt = await sell(page, "Sugar 1 kg");
    await expect.poll(answers.count, patience).toBeGreaterThan(0);
    // The server has it; the till can't know, and says so.
    expect((await account(shop.url)).salesOf(receipt)).toHaveLength(1);
    await chipSays(page, /^Sync: Offline.* 3 changes to send/);
    await answers.stop();
    // The network is back: the till need not wait for its next attempt.
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await chipSays(page, ALL_SENT);
    await expectOnServerOnce(shop.url, [receipt]);
    expect((await account(shop.url)).stockOf("sugar")).toBe(before - 1);
  },
  LIMIT_MS,
);

test(
  "two tabs of one till sell at the same time under different numbers, and both show both sales, which are on the server once",
  async () => {
    const { context } = await openBrowser(await newProfile());
    const one = await signIn(context, shop.url);
    const other = await context.newPage();
    await other.goto(shop.url);
    await other.getByRole("heading", { name: "Cart" }).waitFor();
    const receipts = await Promise.all([sell(one, "Butter croissant"), sell(other, "Butter croissant")]);
    for (const page of [one, other]) await chipSays(page, ALL_SENT);
    await expectOnServerOnce(shop.url, receipts);
    for (const page of [one, other]) await expectShown(page, receipts);
  },
  LIMIT_MS,
);

test(
  "a token that the server takes no longer is renewed once for all tabs, and nobody types a password",
  async () => {
    const { context } = await openBrowser(await newProfile());
    let current: string | undefined;
    let ended: string | undefined;
    let renewals = 0;
    context.on("request", (request) => {
      if (request.url().endsWith("/auth/refresh")) renewals += 1;
    });
    await context.route("**/sync/*", async (route) => {
      const { authorization, "tillsync-request-id": requestId = "" } = route.request().headers();
      current = authorization;
      if (authorization !== ended) return route.continue();
      const problem = {
        type: "about:blank",
        title: "No",
        status: 401,
        detail: "It has ended",
        code: "unauthenticated",
      };
      return route.fulfill({
        status: 401,
        headers: {
          "content-type": "application/problem+json",
          "tillsync-protocol": "1",
          "tillsync-request-id": requestId,
        },
        body: JSON.stringify({ ...problem, requestId }),
      });
    });
    const one = await signIn(context, shop.url);
    const other = await context.newPage();
    await other.goto(shop.url);
    for (const page of [one, other]) await chipSays(page, ALL_SENT);

    ended = current;
    const receipts = await Promise.all([sell(one, "Gouda 200 g"), sell(other, "Gouda 200 g")]);
    for (const page of [one, other]) await chipSays(page, ALL_SENT);
    await expectOnServerOnce(shop.url, receipts);
    expect(current).not.toBe(ended);
    expect(renewals).toBe(1);
  },
  LIMIT_MS,
);
