/** A shop's server and a real browser with tabs, both of which can be mistreated. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type CDPSession, chromium, type Page as Tab } from "playwright";
import { chromeArguments, findBrowser } from "../../../scripts/browser.mjs";
import type { TillSetup } from "./page.ts";
import { bundle, ShopServer } from "./shop-server.ts";

export class Lab extends ShopServer {
  readonly #flags: readonly string[];
  readonly #profile = mkdtempSync(join(tmpdir(), "tillsync-browser-"));
  #context: BrowserContext | undefined;

  private constructor(script: string, flags: readonly string[]) {
    super(script);
    this.#flags = flags;
  }

  /**
   * @param flags of the browser, besides the usual ones
   * @param page what its pages run
   */
  static async open(flags: readonly string[] = [], page = "test/browser/support/page.ts"): Promise<Lab> {
    const lab = new Lab(await bundle([page]), flags);
    await lab.begin();
    await lab.launch();
    return lab;
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

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
    await super[Symbol.asyncDispose]();
    // The last of its processes may still be writing.
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
