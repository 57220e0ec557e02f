/** The till of examples/pos-web in a browser, as a cashier uses it. */
import type { BrowserContext, Page } from "playwright";
import { DEMO } from "../../../examples/reference-server/seed.ts";

/** For what a page does: it takes as long as it takes, and a test that hangs is ended by its own limit. */
export const PATIENCE_MS = 120_000;

export async function signIn(
  context: BrowserContext,
  url: string,
  size?: { readonly width: number; readonly height: number },
): Promise<Page> {
  const page = await context.newPage();
  if (size !== undefined) await page.setViewportSize(size);
  await page.goto(url);
  await page.getByLabel("Email").fill(DEMO.cashier);
  await page.getByLabel("Password").fill(DEMO.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Cart" }).waitFor();
  return page;
}

export const tile = (page: Page, product: string) => page.getByRole("button", { name: new RegExp(`\\b${product} €`) });
export const chipSays = (page: Page, name: RegExp) => page.getByRole("button", { name }).waitFor();
export const ALL_SENT = /^Sync: Online Nothing to send/;
