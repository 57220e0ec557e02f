/** Signing in to the till's page when the server asks for more than a password, on a phone and with a screen reader. */
import { rm } from "node:fs/promises";
import type { Page, Route } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { stepAt, totp } from "../../examples/reference-server/auth/totp.ts";
import { DEMO } from "../../examples/reference-server/seed.ts";
import { faults } from "./support/faults.ts";
import { ALL_SENT, chipSays, PATIENCE_MS, signIn } from "./support/pos-web.ts";
import { type Running, startBrowser, startShop, temporaryFolder } from "./support/processes.ts";

const LIMIT_MS = 3 * PATIENCE_MS;
const phone = { width: 360, height: 740 };
const [FIRST, SECOND] = ["velvet anchor tomato", "seven quiet lamps"];
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
let shop: Running;

beforeAll(async () => {
  shop = await startShop();
}, PATIENCE_MS);
afterAll(() => shop?.[Symbol.asyncDispose]());

async function post(path: string, body: object, token?: string, url = shop.url) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization },
    body: JSON.stringify(body),
  });
  return (answer.status === 204 ? {} : await answer.json()) as {
    accessToken: string;
    oneTimeCode: string;
    code: string;
  };
}

/** A code of the owner's for the demo's cashier. */
async function oneTimeCode(): Promise<string> {
  const { accessToken } = await post("/auth/login", { email: DEMO.email, password: DEMO.password });
  const listed = await fetch(`${shop.url}/auth/users`, { headers: { authorization: `Bearer ${accessToken}` } });
  const { users } = (await listed.json()) as { users: { id: string; email: string }[] };
  const id = users.find(({ email }) => email === DEMO.cashier)?.id;
  return (await post(`/auth/users/${id}/recovery`, {}, accessToken)).oneTimeCode;
}

async function openPage(): Promise<Page> {
  const profile = await temporaryFolder();
  // After the browser has ended: what is to be done at the end is done last in, first out.
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  const browser = await startBrowser(profile);
  onTestFinished(() => browser[Symbol.asyncDispose]());
  browser.context.setDefaultTimeout(PATIENCE_MS);
  return browser.context.newPage();
}

function bytesOf(secret: string): Uint8Array {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Uint8Array.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}

test(
  "a code of the owner's leads to a new password, which the person changes; then a second factor is asked for",
  async () => {
    const page = await openPage();
    const found: Record<string, readonly string[]> = {};
    const look = async (state: string) => {
      found[state] = await faults(page);
    };
    const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
    const type = (label: string, text: string) => page.getByLabel(label, { exact: true }).fill(text);
    const menu = () => page.getByRole("button", { name: /till and sign-out/ }).click();
    const isFocused = (label: string) =>
      page.getByLabel(label, { exact: true }).evaluate((element) => element === document.activeElement);
    await page.setViewportSize(phone);
    await page.goto(shop.url);
    await type("Email", DEMO.cashier);
    await type("Password", await oneTimeCode());
    await press("Sign in");
    await page.getByLabel("New password").waitFor();
    expect(await isFocused("New password")).toBe(true);
    await look("a new password is asked for");
    await type("New password", "cashier2026!");
    await press("Sign in");
    await page.getByRole("alert").filter({ hasText: "Use several words" }).waitFor();
    await look("it is easy to guess");
    await type("New password", FIRST);
    await press("Sign in");
    await page.getByRole("heading", { name: "Cart" }).waitFor();

    await menu();
    await look("the person");
    await press("Change password");
    await type("Current password", "a wrong one");
    await type("New password", SECOND);
    await page.getByRole("dialog").getByRole("button", { name: "Change password" }).click();
    await page.getByRole("alert").filter({ hasText: "not your current password" }).waitFor();
    await look("the current password is wrong");
    await type("Current password", FIRST);
    await page.getByRole("dialog").getByRole("button", { name: "Change password" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });

    await menu();
    await press("Set up a second factor");
    await type("Current password", SECOND);
    await press("Continue");
    const key = await page.getByLabel(/^Key: /).textContent();
    const secret = bytesOf((key ?? "").replaceAll(" ", ""));
    await look("the key");
    const confirmed = stepAt(Date.now());
    await type("Code", totp(secret, confirmed));
    await press("Confirm");
    await page.getByRole("button", { name: "I have written them down" }).waitFor();
    expect(await page.locator(".recovery-codes li").count()).toBe(10);
    await look("the recovery codes");
    await press("I have written them down");

    await menu();
    await press("Sign out");
    await page.getByRole("heading", { name: "Sign in to the till" }).waitFor();
    await type("Email", DEMO.cashier);
    await type("Password", SECOND);
    await press("Sign in");
    await page.getByLabel("Code", { exact: true }).waitFor();
    expect(await isFocused("Code")).toBe(true);
    await look("a code is asked for");
    await type("Code", "000000");
    await press("Sign in");
    await page.getByRole("alert").filter({ hasText: "This code is wrong" }).waitFor();
    // Not the one that confirmed: each is good once.
    await type("Code", totp(secret, Math.max(confirmed + 1, stepAt(Date.now()))));
    await press("Sign in");
    await page.getByRole("heading", { name: "Cart" }).waitFor();
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "a sign-out without a network reaches the server as soon as there is one, before anything else of the till does",
  async () => {
    const own = await startShop();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const context = (await openPage()).context();
    const page = await signIn(context, own.url, phone);
    await chipSays(page, ALL_SENT);
    await context.setOffline(true);
    await page.getByRole("button", { name: /till and sign-out/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to the till" }).waitFor();

    const sent: string[] = [];
    const signedOut = page.waitForResponse((response) => response.url().endsWith("/auth/logout"));
    page.on("request", (request) => {
      if (/\/(sync\/(register|push|pull)|auth\/)/.test(request.url())) sent.push(new URL(request.url()).pathname);
    });
    await context.setOffline(false);
    expect((await signedOut).status()).toBe(204);
    expect(sent[0]).toBe("/auth/logout");
  },
  LIMIT_MS,
);

test(
  "a till proves at each sign-in that it is itself: after a lost answer, after a sign-out, and after it was released",
  async () => {
    const own = await startShop();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const page = await openPage();
    const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
    const fill = async () => {
      await page.getByLabel("Email").fill(DEMO.cashier);
      await page.getByLabel("Password").fill(DEMO.password);
    };
    const stored = () =>
      page.evaluate(() => ["pos-web.device", "pos-web.device-secret"].map((key) => localStorage.getItem(key)));
    await page.route(
      "**/auth/login",
      async (route) => {
        // The server has registered the till, and the till does not hear of it.
        expect((await route.fetch()).status()).toBe(200);
        await route.abort();
      },
      { times: 1 },
    );
    await page.goto(own.url);
    await fill();
    await press("Sign in");
    await page.getByRole("alert").filter({ hasText: "can't be reached" }).waitFor();
    await press("Sign in");
    await chipSays(page, ALL_SENT);
    const [device, secret] = await stored();

    await page.getByRole("button", { name: /till and sign-out/ }).click();
    await press("Sign out");
    await page.getByRole("heading", { name: "Sign in to the till" }).waitFor();
    await fill();
    await press("Sign in");
    await chipSays(page, ALL_SENT);
    expect(await stored()).toEqual([device, secret]);

    const { email, password } = DEMO;
    const { accessToken } = await post("/auth/login", { email, password }, undefined, own.url);
    await post(`/auth/devices/${device}/release`, {}, accessToken, own.url);
    await page.reload();
    await press("Sign in again");
    await page.getByRole("dialog").getByLabel("Password").fill(DEMO.password);
    await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
    await chipSays(page, ALL_SENT);
    const [same, other] = await stored();
    expect([same, other === secret]).toEqual([device, false]);
    await page.getByRole("button", { name: /till and sign-out/ }).click();
    await press("Sign out");
    await page.getByRole("heading", { name: "Sign in to the till" }).waitFor();
    await fill();
    await press("Sign in");
    await chipSays(page, ALL_SENT);
  },
  LIMIT_MS,
);

const answer = (status: number, json: object) => (route: Route) => route.fulfill({ status, json });
/** The label of the field, or the text, that has the focus. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement } = document;
    return activeElement instanceof HTMLInputElement
      ? activeElement.labels?.[0]?.textContent
      : activeElement?.textContent;
  });
const alertSays = (page: Page, hasText: string) => page.getByRole("alert").filter({ hasText }).waitFor();

test(
  "in the dialogs of the person the focus stays where the fault is, each fault has its words, and the recovery codes stay",
  async () => {
    const own = await startShop(); // with the password of the demo
    onTestFinished(() => own[Symbol.asyncDispose]());
    const page = await signIn((await openPage()).context(), own.url, phone);
    const press = (name: string) => page.getByRole("dialog").getByRole("button", { name, exact: true }).press("Enter");
    const open = async (name: string) => {
      await page.getByRole("button", { name: /till and sign-out/ }).click();
      await page.getByRole("button", { name, exact: true }).click();
    };
    const { secret, uri } = { secret: "ABCDEFGHABCDEFGH", uri: "otpauth://totp/x" };

    await open("Change password");
    expect(await focused(page)).toBe("Current password");
    expect(await page.locator("dialog [role=status]").count()).toBe(1); // what is outside is not heard now
    await press("Change password");
    await alertSays(page, "“Current password” is empty");
    await page.getByLabel("Current password").fill(DEMO.password);
    await page.getByLabel("New password").pressSequentially("short");
    await press("Change password");
    await alertSays(page, "“New password” has 5 characters. It needs at least 10.");
    expect(await focused(page)).toBe("New password");
    await page.getByLabel("New password").fill(FIRST);
    await page.route("**/auth/password", answer(401, { code: "unauthenticated" }));
    await press("Change password");
    await alertSays(page, "Your sign-in has ended");
    await page.route("**/auth/password", (route) => route.abort());
    await press("Change password");
    await alertSays(page, "Try again when there is a network");
    await page.keyboard.press("Escape");
    // By its tag: as a role, a dialog is gone when it is closed, which is before it says so.
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await page.locator("body > [role=status]").count()).toBe(1);

    await open("Set up a second factor");
    await page.getByLabel("Current password").fill("a wrong one");
    await page.route("**/auth/second-factor/enrol", answer(403, { code: "wrong_password" }));
    await press("Continue");
    await alertSays(page, "not your current password");
    expect(await focused(page)).toBe("Current password");
    await page.route("**/auth/second-factor/enrol", answer(200, { secret, uri }));
    await press("Continue");
    await page.getByLabel("Code", { exact: true }).fill("000000");
    await page.route("**/auth/second-factor/confirm", answer(401, { code: "invalid_second_factor" }));
    await press("Confirm");
    await alertSays(page, "This code is wrong");
    expect(await focused(page)).toBe("Code");
    await page.route("**/auth/second-factor/confirm", answer(200, { recoveryCodes: ["AAAA-BBBB"] }));
    await press("Confirm");
    await page.getByText("AAAA-BBBB").waitFor();
    await page.mouse.click(5, 5);
    expect(await page.getByText("AAAA-BBBB").isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    await page.getByRole("status").filter({ hasText: "Second factor set up" }).waitFor();
  },
  LIMIT_MS,
);

test(
  "what the server has asked of one person is not asked of the next one at the same form",
  async () => {
    const page = await openPage();
    await page.route("**/auth/login", answer(401, { code: "second_factor_required" }), { times: 1 });
    await page.goto(shop.url);
    await page.getByLabel("Email").fill(DEMO.email);
    await page.getByLabel("Password").fill(DEMO.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByLabel("Code", { exact: true }).waitFor();
    await page.getByLabel("Email").fill(DEMO.cashier);
    await page.getByLabel("Password").fill("a wrong one");
    expect(await page.getByLabel("Code", { exact: true }).count()).toBe(0);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await alertSays(page, "ask the owner of the shop for a one-time code, and type it as the password");
    expect(await focused(page)).toBe("Password");
  },
  LIMIT_MS,
);

test(
  "a till that is too old for the server says so before it has its products, and is loaded again",
  async () => {
    const page = await openPage();
    await page.route("**/sync/register", (route) =>
      route.fulfill({
        status: 426,
        headers: {
          "tillsync-protocol": "1",
          "tillsync-request-id": route.request().headers()["tillsync-request-id"] ?? "",
        },
        json: { code: "protocol_unsupported", status: 426, title: "", detail: "", type: "" },
      }),
    );
    await page.goto(shop.url);
    await page.getByLabel("Email").fill(DEMO.email);
    await page.getByLabel("Password").fill(DEMO.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("This version of the till is too old for the server.").waitFor();
    expect(await page.getByText("This till needs the network once").count()).toBe(0);
    expect(await faults(page)).toEqual([]);
    await page.unrouteAll();
    await page.getByRole("button", { name: "Load again" }).click();
    await page.getByRole("heading", { name: "Cart" }).waitFor();
  },
  LIMIT_MS,
);
