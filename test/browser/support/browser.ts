/** A shop's server and a real browser with tabs, both of which can be mistreated. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { build } from "esbuild";
import { type BrowserContext, type CDPSession, chromium, type Page as Tab } from "playwright";
import { createSyncHandler, importRows, readRows } from "tillsync/server";
import { memoryStore } from "tillsync/server/memory";
import { chromeArguments, findBrowser } from "../../../scripts/browser.mjs";
import { publicEntries, root } from "../../../scripts/entries.mjs";
import { collections, tea } from "../../support/shop.ts";
import type { TillSetup } from "./page.ts";

const everyone = {
  scope: "tenant",
  allow: { read: "everyone", create: "everyone", update: "everyone", delete: "everyone" },
} as const;
const facts = { scope: "tenant", allow: { read: "everyone", create: "everyone" } } as const;

/** The page's script, from the source, as an application's bundler would make it. */
async function bundle(page: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [root + page],
    alias: Object.fromEntries(publicEntries().map(({ specifier, source }) => [specifier, root + source])),
    bundle: true,
    // A page is made of the side effects of its files.
    ignoreAnnotations: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

export class Lab implements AsyncDisposable {
  readonly store = memoryStore();
  readonly #server: Server;
  readonly #flags: readonly string[];
  readonly #profile = mkdtempSync(join(tmpdir(), "tillsync-browser-"));
  #context: BrowserContext | undefined;
  /** Requests are cut off before the server sees them. */
  online = true;
  /** So many answers to pushes are lost after the server has committed. */
  loseAnswers = 0;
  /** Answers to pushes wait for it. */
  gate: Promise<void> | undefined;
  /** The calls that arrived, in their order. */
  readonly calls: string[] = [];

  private constructor(script: string, flags: readonly string[]) {
    this.#flags = flags;
    const handle = createSyncHandler({
      store: this.store,
      collections,
      policies: { products: everyone, customers: everyone, sales: facts, payments: facts },
      authenticate: () => ({ tenant: "shop", branch: "main", scopes: [] }),
    });
    const sync = getRequestListener(handle);
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://shop.test");
      if (!pathname.startsWith("/sync/")) {
        response.setHeader("content-type", pathname === "/page.js" ? "text/javascript" : "text/html");
        response.end(pathname === "/page.js" ? script : PAGE);
        return;
      }
      if (!this.online) {
        request.socket.destroy();
        return;
      }
      this.calls.push(pathname.slice("/sync/".length));
      if (pathname === "/sync/push" && (this.gate || this.loseAnswers > 0)) {
        const end = response.end.bind(response) as (...rest: unknown[]) => typeof response;
        const lose = this.loseAnswers-- > 0;
        const { gate } = this;
        response.end = ((...rest: unknown[]) => {
          if (lose) request.socket.destroy();
          else void gate?.then(() => end(...rest));
          return response;
        }) as typeof response.end;
      }
      void sync(request, response);
    });
  }

  /**
   * @param flags of the browser, besides the usual ones
   * @param page what its pages run
   */
  static async open(flags: readonly string[] = [], page = "test/browser/support/page.ts"): Promise<Lab> {
    const lab = new Lab(await bundle(page), flags);
    await lab.stockUp({ ...tea, stock: 100 });
    await new Promise<void>((resolve) => lab.#server.listen(0, "127.0.0.1", resolve));
    await lab.launch();
    return lab;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** The folder in which the browser keeps its databases; localStorage lies beside it. */
  get databases(): string {
    return join(this.#profile, "Default", "IndexedDB");
  }

  get context(): BrowserContext {
    if (this.#context === undefined) throw new Error("Expected a browser that runs.");
    return this.#context;
  }

  async launch(): Promise<void> {
    const executablePath = findBrowser();
    this.#context = await chromium.launchPersistentContext(this.#profile, {
      ...(executablePath !== undefined && { executablePath }),
      headless: true,
      // Where users have it.
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
      args: [...chromeArguments, ...this.#flags],
    });
  }

  /** A tab with a till in it. */
  async tab(setup: TillSetup = {}, prepare?: (tab: Tab) => Promise<unknown>): Promise<Tab> {
    const tab = await this.context.newPage();
    await prepare?.(tab);
    await tab.goto(this.url);
    await tab.evaluate((given) => window.open_(given), setup);
    return tab;
  }

  /** A tab of a private window: its storage is in memory, and gone with it. */
  async privateTab(): Promise<Tab> {
    const privately = await this.context.browser()?.newContext();
    if (privately === undefined) throw new Error("Expected a browser that opens private windows.");
    const tab = await privately.newPage();
    await tab.goto(this.url);
    await tab.evaluate(() => window.open_());
    return tab;
  }

  devtools(tab: Tab): Promise<CDPSession> {
    return this.context.newCDPSession(tab);
  }

  async quit(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
  }

  /** The power of the browser, as far as a process can lose it: nothing in it gets to say goodbye. */
  async kill(): Promise<void> {
    const { stdout } = spawnSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" });
    const own = stdout.split("\n").filter((line) => line.includes(`--user-data-dir=${this.#profile}`));
    const main = own.find((line) => !line.includes("--type="));
    const gone = new Promise<void>((resolve) => this.context.once("close", () => resolve()));
    process.kill(Number.parseInt(main ?? "", 10), "SIGKILL");
    await gone;
    this.#context = undefined;
  }

  /** A product that the back office adds. */
  async stockUp(product: typeof tea & { readonly stock?: number }): Promise<void> {
    const { store } = this;
    await importRows({ store, collections, tenant: "shop", collection: "products", rows: [product] });
  }

  async sold(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const row of readRows({ store: this.store, collections, tenant: "shop", collection: "sales" })) {
      ids.push(row.id);
    }
    return ids;
  }

  async stock(): Promise<number | undefined> {
    for await (const row of readRows({ store: this.store, collections, tenant: "shop", collection: "products" })) {
      return row.stock;
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    // The last of its processes may still be writing.
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

const PAGE = '<!doctype html><title>Till</title><script src="/page.js"></script>';
