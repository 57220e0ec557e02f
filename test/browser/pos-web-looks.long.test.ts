/** What the till's page is like to use: on a phone, a tablet and a desktop, with a finger, a keyboard and a screen reader. */

import { rm } from "node:fs/promises";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { faults } from "./support/faults.ts";
import { PATIENCE_MS, signIn, tile } from "./support/pos-web.ts";
import { type Running, startBrowser, startShop, temporaryFolder } from "./support/processes.ts";

const LIMIT_MS = 3 * PATIENCE_MS;
const patience = { timeout: PATIENCE_MS };
const phone = { width: 360, height: 740 };
const tablet = { width: 820, height: 1_180 };
const desktop = { width: 1_366, height: 768 };
let shop: Running;

beforeAll(async () => {
  shop = await startShop();
}, PATIENCE_MS);
afterAll(() => shop?.[Symbol.asyncDispose]());

async function till(size: typeof phone): Promise<Page> {
  const profile = await temporaryFolder();
  // After the browser has ended: what is to be done at the end is done last in, first out.
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  const browser = await startBrowser(profile);
  onTestFinished(() => browser[Symbol.asyncDispose]());
  browser.context.setDefaultTimeout(PATIENCE_MS);
  const page = await signIn(browser.context, shop.url, size);
  await tile(page, "Water 1 l").waitFor();
  return page;
}

test.each([
  ["a phone", phone],
  ["a tablet", tablet],
  ["a desktop", desktop],
])(
  "on %s every state of the page can be seen, and read by a screen reader",
  async (_, size) => {
    const page = await till(size);
    const found: Record<string, readonly string[]> = {};
    const look = async (state: string) => {
      found[state] = await faults(page);
    };
    await look("nothing in the cart");
    for (const product of ["Apples 1 kg", "Batteries AA, 4 pieces", "Bread roll", "Cola 500 ml"]) {
      await tile(page, product).click();
    }
    await look("four lines");
    await page.getByLabel("Quantity of Bread roll").fill("1.5");
    await page.keyboard.press("Tab");
    await look("a quantity refused");
    await page.getByLabel(/^Search products/).fill("nothing like it");
    await look("a search that finds nothing");
    await page.keyboard.press("F4");
    await page.getByRole("heading", { name: "Checkout" }).waitFor();
    await look("cash");
    await page.getByText("Card", { exact: true }).click();
    await look("card");
    await page.getByRole("button", { name: "Record the sale" }).click();
    await page.getByRole("article", { name: /^Receipt T/ }).waitFor();
    await look("the receipt");
    await page.getByRole("button", { name: "Next customer" }).click();
    await page.context().setOffline(true);
    await page.getByRole("button", { name: /^Sync: Offline/ }).waitFor();
    await look("offline");
    await page.getByRole("link", { name: "Sales" }).click();
    await page.locator(".sale-row").first().click();
    await page.getByRole("article", { name: /^Receipt T/ }).waitFor();
    await look("a sale");
    await page.getByRole("button", { name: "Refund" }).click();
    await look("a refund");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Sync" }).click();
    await page.getByRole("heading", { name: "Offline" }).waitFor();
    await look("the queue");
    await page.getByRole("button", { name: /till and sign-out/ }).click();
    await look("the person");
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "on a phone the products stay where they are while they are tapped, and the way to pay is always on the screen",
  async () => {
    const page = await till(phone);
    const pay = page.getByRole("button", { name: /^Pay/ });
    const places = () =>
      page.evaluate(() => [
        window.scrollY,
        ...[...document.querySelectorAll("main, .tiles-box")].map((e) => e.scrollTop),
      ]);
    const isOnScreen = async () => {
      const box = await pay.boundingBox();
      return box !== null && box.y >= 0 && box.y + box.height <= phone.height;
    };
    expect(await isOnScreen()).toBe(true);
    // The first row is on the screen: nothing but the page itself could scroll.
    for (const product of ["Apples 1 kg", "Bananas, bunch", "Apples 1 kg"]) {
      const before = await places();
      await tile(page, product).click();
      expect(await places()).toEqual(before);
      expect(await isOnScreen()).toBe(true);
    }
    await expect.poll(() => pay.textContent(), patience).toContain("7.77");
    await page.getByRole("link", { name: "3 items" }).click();
    await expect.poll(() => page.getByLabel("Quantity of Apples 1 kg").isVisible(), patience).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Cart");
    expect(await isOnScreen()).toBe(true);
  },
  LIMIT_MS,
);

test(
  "a keyboard reaches the cart by a link, or in ten steps, and moves among the products by arrows",
  async () => {
    const page = await till(desktop);
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    await tile(page, "Cola 500 ml").click();
    await page.reload();
    await tile(page, "Cola 500 ml").waitFor();

    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the cart");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Cart");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Clear");

    await page.reload();
    await tile(page, "Cola 500 ml").waitFor();
    let steps = 0;
    const isInCart = () => page.evaluate(() => document.activeElement?.closest(".cart") !== null);
    do {
      await page.keyboard.press("Tab");
      steps += 1;
    } while (!(await isInCart()) && steps < 50);
    expect(steps).toBeLessThanOrEqual(11);

    await page.keyboard.press("Shift+Tab");
    expect(await focused()).toContain("Apples 1 kg");
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowDown", "ArrowUp"]) {
      await page.keyboard.press(key);
    }
    expect(await focused()).toContain("Apples 1 kg");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Shift+Tab");
    expect(await focused()).toContain("Bananas");
    expect(await page.locator(".tile[tabindex='0'], .category[tabindex='0']").count()).toBe(2);
  },
  LIMIT_MS,
);

test(
  "a quantity that no line takes is refused with a word, and the line stays as it was",
  async () => {
    const page = await till(desktop);
    await tile(page, "Cola 500 ml").click();
    const field = page.getByLabel("Quantity of Cola 500 ml");
    await field.fill("12");
    await field.press("Enter");
    for (const text of ["12345", "1.5", "two", "-3"]) {
      await field.fill(text);
      await field.press("Tab");
      const words = `“${text}” is not a quantity: a line takes whole numbers up to 9,999. Cola 500 ml stays at 12.`;
      await page.getByRole("status").getByText(words).waitFor();
      expect(await page.locator(".toast").textContent()).toBe(words);
      expect(await field.inputValue()).toBe("12");
    }
    await field.fill("9999");
    await field.press("Tab");
    await page.getByRole("button", { name: "One more Cola 500 ml" }).click();
    await page.getByRole("status").getByText("“10000” is not a quantity").waitFor();
    await tile(page, "Cola 500 ml").click();
    await page.getByRole("status").getByText("Cola 500 ml was not added").waitFor();
    expect(await field.inputValue()).toBe("9999");
  },
  LIMIT_MS,
);

test(
  "a sale keeps its number in the list when the server gives it another one",
  async () => {
    const page = await till(desktop);
    await page.context().setOffline(true);
    await page.getByRole("button", { name: /^Sync: Offline/ }).waitFor();
    await tile(page, "Cola 500 ml").click();
    await page.keyboard.press("F4");
    await page.getByRole("button", { name: "Record the sale" }).click();
    const label = await page.getByRole("article", { name: /^Receipt T/ }).getAttribute("aria-label");
    await page.getByRole("button", { name: "Next customer" }).click();
    await page.getByRole("link", { name: "Sales" }).click();
    const number = label?.replace("Receipt ", "") ?? "";
    const row = page.locator(".sale-row").filter({ hasText: number });
    expect(await row.locator(".sale-number").textContent()).toBe(number);
    await page.context().setOffline(false);
    await row.filter({ hasText: /ORD-.*On the server/ }).waitFor();
    expect(await row.locator(".sale-number").textContent()).toBe(number);
  },
  LIMIT_MS,
);

test(
  "on the sync page the keyboard goes on from where it was, after “Sync now” and after “Send again”",
  async () => {
    const page = await till(desktop);
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.route("**/sync/push", async (route) => {
      const response = await route.fetch();
      const body = (await response.json()) as { results: { id: string }[] };
      const error = { code: "counter_out_of_range", message: "" };
      await route.fulfill({
        response,
        json: { ...body, results: body.results.map(({ id }) => ({ id, status: "rejected", error })) },
      });
    });
    await tile(page, "Cola 500 ml").click();
    await page.keyboard.press("F4");
    await page.getByRole("button", { name: "Record the sale" }).click();
    await page.getByRole("button", { name: "Next customer" }).click();
    await page.getByRole("link", { name: "Sync" }).click();
    await page.getByRole("heading", { name: "Needs a person" }).waitFor();
    await page.getByRole("button", { name: "Sync now" }).press("Enter");
    await page.getByRole("status").filter({ hasText: "Everything is on the server" }).waitFor();
    expect(await focused()).toBe("Sync now");
    await page.unrouteAll();
    await page.getByRole("button", { name: "Send again" }).press("Enter");
    await page.getByRole("status").filter({ hasText: "Sent again" }).waitFor();
    expect(await focused()).toBe("Waiting to be sent");
  },
  LIMIT_MS,
);
