/** Real processes for the tests that drive a browser: the reference server as `npm start` runs it, and a browser that can be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright";
import { chromeArguments, findBrowser } from "../../../scripts/browser.mjs";
import { root } from "../../../scripts/entries.mjs";

export interface Running extends AsyncDisposable {
  readonly url: string;
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "tillsync-browser-"));
}

/** `npm start` with a fresh demo shop. Builds the page where it has to. */
export async function startShop(): Promise<Running> {
  const folder = await temporaryFolder();
  const args = ["--port", "0", "--database", join(folder, "shop.sqlite"), "--log", "error"];
  const main = join(root, "examples/reference-server/main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const found = await said(child, /listening on (http:\S+)\n.*\nthe till: /);
  return {
    url: found[1] ?? "",
    async [Symbol.asyncDispose]() {
      await ended(child, "SIGTERM");
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
  /** As a power cut does it: no page hears of it. */
  kill(): Promise<void>;
}

/** A browser process of our own, so that it can be killed: Playwright's are its children. */
export async function startBrowser(profile: string): Promise<Browser> {
  const executable = findBrowser();
  if (executable === undefined) throw new Error("No browser found: run the tests with `npm test`, which brings one");
  const own = ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const child = spawn(executable, [...chromeArguments, ...own], { stdio: ["ignore", "pipe", "pipe"] });
  const [, address = ""] = await said(child, /DevTools listening on (ws:\S+)/);
  const browser = await chromium.connectOverCDP(address);
  const [context] = browser.contexts();
  if (context === undefined) throw new Error("The browser has no profile");
  return {
    context,
    kill: () => ended(child, "SIGKILL"),
    async [Symbol.asyncDispose]() {
      const close = async () => {
        // A handler of a route that is still at work when its page goes would reject after the test.
        for (const routed of [...context.pages(), context]) await routed.unrouteAll({ behavior: "ignoreErrors" });
        await browser.close();
      };
      await close().catch(() => {}); // it may have been killed
      await ended(child, "SIGTERM");
    },
  };
}

/** Resolves when the process has said it, on either of its outputs; rejects with all of them where it ends before. */
function said(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let text = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        text += chunk;
        const found = pattern.exec(text);
        if (found !== null) resolve(found);
      });
    }
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`It ended with ${code} before it said ${pattern}: ${text}`)));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}
