/** A real browser in which a page sells without a pause, and whose process is killed again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page as Tab } from "playwright";
import { draws } from "../../../examples/replay/schedule.ts";
import { Lab } from "../../browser/support/browser.ts";
import type { TillBooks } from "../books.ts";
import { Findings } from "../findings.ts";
import { Moments } from "../moments.ts";
import { checkPage, checkShelf, type Shelf } from "./check.ts";
import type { Manner } from "./page.ts";

export interface BrowserTortureOptions {
  readonly kills: number;
  readonly seed: number;
  /** @default "sound" */
  readonly manner?: Manner | undefined;
  progress?(text: string): void;
}

export interface BrowserTortured {
  readonly killed: number;
  /** That the page has said are saved. */
  readonly sales: number;
  readonly elapsedMs: number;
  readonly findings: Findings;
  /**
   * The browser has deleted its own database, which it found to be damaged. Chromium on LevelDB does so: a log whose last record was
   * cut by the kill is written on at the next start, and can't be read at the one after it. No page can be sound on a disk that is
   * gone, so it is told apart; that the till says so, is checked.
   */
  readonly dropped: Dropped;
}

export interface Dropped {
  readonly times: number;
  /** Sales that were saved in it, and nowhere else. */
  readonly unsent: number;
}

const PAGE = "test/torture/browser/page.ts";
/** A page sells a few hundred times a second: one that says nothing for so long stands still. */
const STILL_MS = 240_000;
const MOST_SALES = 30;
const MOST_MS = 60;

export async function tortureBrowser(options: BrowserTortureOptions): Promise<BrowserTortured> {
  await using lab = await Lab.open([], PAGE);
  return await new Run(options, lab).run();
}

class Run {
  readonly #options: BrowserTortureOptions;
  readonly #lab: Lab;
  readonly #findings = new Findings();
  readonly #saved = new Set<string>();
  readonly #dropped = { times: 0, unsent: 0, told: 0 };
  /** Sales of databases that the browser has deleted: the server may have them, and no queue. */
  readonly #gone = new Set<string>();
  #sales = 0;
  readonly #moments = new Moments("The page has saved nothing", STILL_MS);

  constructor(options: BrowserTortureOptions, lab: Lab) {
    this.#options = options;
    this.#lab = lab;
  }

  async run(): Promise<BrowserTortured> {
    const startedAt = performance.now();
    const { kills, seed, manner = "sound", progress } = this.#options;
    const lab = this.#lab;
    const draw = draws(seed * 6_007 + 1);
    const { stock = 0 } = await this.#shelf();
    await this.#firstSync();
    for (let killed = 1; killed <= kills; killed += 1) {
      // Offline the queue grows; online its answers come, and some of them are lost.
      lab.online = draw.chance(0.7);
      lab.loseAnswers = draw.below(3);
      await this.#sellAndKill(manner, draw.below(MOST_SALES), draw.below(MOST_MS));
      await lab.launch();
      progress?.(`kill ${killed} of ${kills}; ${this.#sales} sales saved`);
    }
    lab.online = true;
    lab.loseAnswers = 0;
    const tab = await this.#page();
    await this.#start(tab);
    if (this.#dropped.times > 0 && this.#dropped.told === 0) {
      this.#findings.tell("lost", "the browser has deleted its database, and the till has not said so");
    }
    await tab.evaluate(async (patience) => {
      const signal = AbortSignal.timeout(patience);
      for (;;) {
        const { outcome, ...done } = await window.page.till.sync({ signal });
        if (outcome === "done" && "pushed" in done && done.pushed + done.pulled + done.remaining === 0) return;
      }
    }, STILL_MS);
    const books = await tab.evaluate(() => window.look());
    await checkPage(this.#withoutGone(books), this.#saved, this.#findings);
    checkShelf(await this.#shelf(), books, stock, this.#findings);
    const elapsedMs = performance.now() - startedAt;
    return { killed: kills, sales: this.#sales, elapsedMs, findings: this.#findings, dropped: this.#dropped };
  }

  /** The catalogue is there: from here on it sells with no network as well. */
  async #firstSync(): Promise<void> {
    const tab = await this.#lab.tab();
    await tab.evaluate(() => window.page.till.firstSync());
    await tab.close();
  }

  /** @param sales 0: it is killed wherever it is then, perhaps while it opens */
  async #sellAndKill(manner: Manner, sales: number, afterMs: number): Promise<void> {
    const tab = await this.#page();
    const enough = sales === 0 ? undefined : this.#moments.next(sales);
    const selling = this.#start(tab).then(() => tab.evaluate((how) => window.sellOn(how), manner));
    let isKilled = false;
    // Its end is that of its browser.
    const fails = selling.catch((error: unknown) => {
      if (!isKilled) throw error;
    });
    await Promise.race([enough, fails]);
    await sleep(afterMs);
    isKilled = true;
    await this.#lab.kill();
    await fails;
  }

  /** A page without a till yet: what the last one has left is looked at before anything can mend it. */
  async #page(): Promise<Tab> {
    const tab = await this.#lab.context.newPage();
    await tab.exposeFunction("saved", (sale: string) => {
      this.#saved.add(sale);
      this.#sales += 1;
      this.#moments.happen(0);
    });
    await tab.exposeFunction("trouble", (event: string) => this.#trouble(event));
    await tab.goto(this.#lab.url);
    const saved = new Set(this.#saved);
    const books = await tab.evaluate(() => window.look());
    if (Object.keys(books.rows).length === 0) await this.#drop();
    else await checkPage(this.#withoutGone(books), saved, this.#findings);
    return tab;
  }

  async #drop(): Promise<void> {
    const sold = await this.#lab.sold();
    const sent = new Set(sold);
    this.#dropped.times += 1;
    for (const sale of this.#saved) if (!sent.has(sale)) this.#dropped.unsent += 1;
    for (const sale of [...this.#saved, ...sold]) this.#gone.add(sale);
    this.#saved.clear();
  }

  #withoutGone(books: TillBooks): TillBooks {
    const { sales = [] } = books.rows;
    return { ...books, rows: { ...books.rows, sales: sales.filter(({ id }) => !this.#gone.has(id)) } };
  }

  #trouble(event: string): void {
    if (event === "storage_lost" && this.#dropped.times > 0) this.#dropped.told += 1;
    else this.#findings.tell("lost", `the page was told: ${event}`);
  }

  async #start(tab: Tab): Promise<void> {
    await tab.evaluate(() => window.open_());
    await tab.evaluate(() => window.tellTrouble());
  }

  async #shelf(): Promise<Shelf> {
    const lab = this.#lab;
    return { sales: await lab.sold(), payments: await lab.paid(), stock: await lab.stock() };
  }
}
