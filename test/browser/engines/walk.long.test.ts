/** The till page of the example, as a shop uses it, in Firefox and in WebKit: what test/browser/pos-web.test.ts does in Chromium. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO } from "../../../examples/reference-server/seed.ts";
import { account, expectOnServerOnce } from "../support/account.ts";
import { type Running, startShop } from "../support/processes.ts";
import { type EngineTab, engines, launch, temporaryProfile } from "./engine.ts";
import { openLine } from "./line.ts";

const PATIENCE_MS = 240_000;
const soon = { timeout: 120_000 };

let shop: Running;
beforeAll(async () => {
  if (engines.some(({ isHere }) => isHere)) shop = await startShop();
}, PATIENCE_MS);
afterAll(() => shop?.[Symbol.asyncDispose]());

interface Found {
  readonly element: HTMLElement;
  readonly name: string;
}
/** The button, link, heading or article that is visible and has this name. Runs in the page. */
function find(pattern: string): Found | undefined {
  const nameOf = (element: Element) => {
    const label = element.getAttribute("aria-label");
    if (label !== null) return label;
    const texts: string[] = [];
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { currentNode } = walker;
      const text = currentNode.textContent?.trim();
      if (text && currentNode.parentElement?.closest("[aria-hidden=true], [hidden]") === null) texts.push(text);
    }
    return texts.join(" ");
  };
  for (const element of document.querySelectorAll<HTMLElement>("button, a, h1, h2, h3, article")) {
    const name = nameOf(element);
    if (element.getClientRects().length > 0 && new RegExp(pattern).test(name)) return { element, name };
  }
  return undefined;
}
/** A function for the page that uses `find`: it goes there as text, and closes over nothing. */
const inPage = <R>(use: string) =>
  `(pattern) => { ${find}\nreturn find(pattern)?.${use}; }` as unknown as (pattern: string) => R;
const nameOf = (tab: EngineTab, pattern: string) => tab.evaluate(inPage<string | undefined>("name"), pattern);
const shows = (tab: EngineTab, pattern: string) => expect.poll(() => nameOf(tab, pattern), soon).toMatch(/./);
async function click(tab: EngineTab, pattern: string): Promise<void> {
  await shows(tab, pattern);
  await tab.click(inPage<HTMLElement | undefined>("element"), pattern);
}

async function signIn(tab: EngineTab): Promise<void> {
  await expect.poll(() => tab.evaluate(() => document.querySelector("input[type=password]") !== null), soon).toBe(true);
  await tab.click(() => document.querySelector("input[autocomplete=username], input[type=email]"));
  await tab.type(DEMO.cashier);
  await tab.click(() => document.querySelector("input[type=password]"));
  await tab.type(DEMO.password);
  await click(tab, "^Sign in$");
  await shows(tab, "^Cart$");
}

/** Sells one of a product for cash, and returns the number on its receipt. */
async function sell(tab: EngineTab, product: string): Promise<string> {
  await click(tab, `^${product} `);
  await expect.poll(() => nameOf(tab, `^${product} .* in the cart`), soon).toMatch(/./);
  await tab.press("F4");
  await shows(tab, "^Checkout$");
  await tab.type("50");
  await tab.press("Enter");
  await shows(tab, "^Receipt T");
  const receipt = (await nameOf(tab, "^Receipt T")) ?? "";
  await click(tab, "^Next customer");
  return receipt.replace("Receipt ", "");
}

const ALL_SENT = "^Sync: Online Nothing to send";

describe.each(engines)("$name", ({ name, isHere }) => {
  test.skipIf(!isHere)(
    "a till signs in, sells, is cut off, sells, is loaded again, sells, comes back, and every sale is on the server once",
    async () => {
      await using line = await openLine(shop.url);
      using profile = temporaryProfile();
      await using browser = await launch(name, { profile: profile.path });
      const tab = await browser.tab();
      await tab.goto(line.url);
      await signIn(tab);
      const before = (await account(shop.url)).stockOf("cola") ?? 0;
      const receipts = [await sell(tab, "Cola 500 ml")];
      await shows(tab, ALL_SENT);
      await tab.evaluate(async () => void (await navigator.serviceWorker.ready));

      line.isUp = false;
      await shows(tab, "^Sync: Offline");
      receipts.push(await sell(tab, "Cola 500 ml"));
      await tab.reload();
      await shows(tab, "^Cart$");
      await shows(tab, "^Sync: Offline.* 3 changes to send");
      receipts.push(await sell(tab, "Cola 500 ml"));
      expect((await account(shop.url)).stockOf("cola")).toBe(before - 1);

      line.isUp = true;
      await shows(tab, ALL_SENT);
      await expectOnServerOnce(shop.url, receipts);
      const { salesOf, stockOf } = await account(shop.url);
      expect(stockOf("cola")).toBe(before - 3);
      await click(tab, "^Sales$");
      for (const receipt of receipts) await shows(tab, `${salesOf(receipt)[0]?.orderNumber}.*On the server`);
    },
    PATIENCE_MS,
  );
});
