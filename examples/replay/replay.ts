/** One replay, from the log to what was found: the server, the networks, the tills, the wait for quiet, the comparison. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sqliteStore } from "tillsync/server/sqlite";
import { compare, type Findings } from "./compare.ts";
import type { SalesLog } from "./log.ts";
import { Link } from "./proxy.ts";
import { type Report, reportOf } from "./report.ts";
import { makeSchedule, type Schedule, type ServerCrash } from "./schedule.ts";
import { type Owner, ServerProcess } from "./server.ts";
import { importedStock, importShop, readServer } from "./shop.ts";
import { PATIENCE_MS, Till } from "./till.ts";

export interface ReplayOptions {
  readonly log: SalesLog;
  readonly tills: number;
  readonly faults: boolean;
  readonly seed: number;
  progress?(progress: Progress, isLast: boolean): void;
}

export interface Progress {
  readonly receipts: number;
  readonly written: number;
  readonly synced: number;
  readonly faults: number;
  readonly doing: string;
}

export interface Replayed {
  readonly report: Report;
  readonly findings: Findings;
  /** Where something was found to be wrong: the folder with the database, and with what is on each till's disk. */
  readonly kept: string | undefined;
}

/** A till that is not quiet by then has lost what it still holds. */
const QUIET_MS = 120_000;
const PROGRESS_MS = 500;
const OWNER: Owner = { email: "owner@replay.example", password: "sold-on-paper-first" };

export async function replay(options: ReplayOptions): Promise<Replayed> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-replay-"));
  const database = join(folder, "shop.sqlite");
  const run = new Run(options, database);
  let kept = true;
  try {
    const { findings, report } = await run.run();
    kept = report.lost + report.duplicated + report.diverged > 0;
    if (kept) await run.keepDisks(folder);
    return { findings, report, kept: kept ? folder : undefined };
  } finally {
    await run.end();
    if (!kept) await rm(folder, { recursive: true });
  }
}

class Run {
  readonly #options: ReplayOptions;
  readonly #database: string;
  readonly #schedule: Schedule;
  readonly #server: ServerProcess;
  readonly #faults = new Map<string, number>();
  readonly #links: Link[] = [];
  readonly #tills: Till[] = [];
  /** Kills that are still to come, the next one last. */
  readonly #crashes: ServerCrash[];
  /** Ends everything, with the first error. */
  readonly #over = new AbortController();
  #restarting: Promise<void> = Promise.resolve();
  #isDown = false;
  #tenant = "";
  #written = 0;
  #doing = "importing";

  constructor(options: ReplayOptions, database: string) {
    this.#options = options;
    this.#database = database;
    this.#schedule = makeSchedule(options.log, options);
    this.#crashes = this.#schedule.serverCrashes.toReversed() as ServerCrash[];
    this.#server = new ServerProcess(database);
  }

  async run(): Promise<{ readonly findings: Findings; readonly report: Report }> {
    const startedAt = performance.now();
    const { progress } = this.#options;
    const timer = setInterval(() => progress?.(this.#progress(), false), PROGRESS_MS);
    try {
      await this.#open();
      await this.#sell();
      await this.#waitForQuiet();
      this.#doing = "comparing";
      const findings = await this.#compare();
      const elapsedMs = performance.now() - startedAt;
      progress?.(this.#progress(), true);
      return {
        findings,
        report: reportOf(findings, { tills: this.#tills.length, faults: this.#faults, elapsedMs }),
      };
    } finally {
      clearInterval(timer);
    }
  }

  async keepDisks(folder: string): Promise<void> {
    for (const till of this.#tills)
      await writeFile(join(folder, `${till.name}.json`), JSON.stringify(till.disk(), null, 1));
  }

  async end(): Promise<void> {
    await this.#restarting.catch(() => {});
    await Promise.allSettled(this.#tills.map((till) => till.close()));
    await Promise.allSettled(this.#links.map((link) => link.close()));
    await this.#server.kill();
  }

  async #open(): Promise<void> {
    const { log, tills } = this.#options;
    await this.#server.start();
    this.#tenant = await this.#server.register(OWNER);
    const store = sqliteStore({ path: this.#database });
    await importShop(store, this.#tenant, log).finally(() => store.close());
    for (let index = 0; index < tills; index += 1) {
      const link = new Link({
        target: this.#server.url,
        nextFault: this.#schedule.networkFaults(index),
        happened: (fault) => this.#count(fault),
        forwarding: (path) => this.#forwarding(path),
        neverMs: 2 * PATIENCE_MS,
      });
      this.#links.push(link);
      const till = new Till({
        name: `till-${index + 1}`,
        log,
        owner: OWNER,
        choice: this.#schedule.choices(index),
        link,
        url: await link.listen(),
        events: {
          wrote: () => {
            this.#written += 1;
          },
          crashed: (at) => this.#count(`till_killed_${at}`),
        },
      });
      this.#tills.push(till);
    }
  }

  async #sell(): Promise<void> {
    this.#doing = "selling";
    const { signal } = this.#over;
    const selling = this.#tills.map(async (till, index) => {
      await till.open(signal);
      await till.run(this.#schedule.steps[index] ?? [], signal);
    });
    for (const one of selling) one.catch((error: unknown) => this.#over.abort(error));
    await Promise.allSettled(selling);
    // Those for which no push has come.
    await this.#restarting;
    while (this.#crashes.length > 0 && !signal.aborted) {
      this.#crashServer();
      await this.#restarting;
    }
    signal.throwIfAborted();
  }

  async #waitForQuiet(): Promise<void> {
    this.#doing = "waiting for quiet";
    await this.#restarting;
    await Promise.all(this.#links.map((link) => link.calm()));
    await Promise.all(this.#tills.map((till) => till.calm()));
    const deadline = AbortSignal.timeout(QUIET_MS);
    // Twice: what one till sent after another had asked is in the second round.
    for (let quietRounds = 0; quietRounds < 2 && !deadline.aborted; ) {
      const answers = await Promise.allSettled(this.#tills.map((till) => till.sync(deadline)));
      const quiet = answers.every((answer) => answer.status === "fulfilled" && answer.value);
      quietRounds = quiet ? quietRounds + 1 : 0;
      if (!quiet) await sleep(50);
    }
  }

  async #compare(): Promise<Findings> {
    const tills = await Promise.all(this.#tills.map((till) => till.books()));
    await Promise.all(this.#tills.map((till) => till.close()));
    await this.#server.stop();
    const store = sqliteStore({ path: this.#database });
    try {
      const names = this.#tills.map(({ name }) => name);
      const { log } = this.#options;
      return compare(log, {
        server: await readServer(store, this.#tenant, names),
        tills,
        imported: importedStock(log),
      });
    } finally {
      await store.close();
    }
  }

  /** A push is on its way to the server: the moment to pull its plug, if one has come. */
  #forwarding(path: string): void {
    const next = this.#crashes.at(-1);
    if (next === undefined || this.#isDown || !path.endsWith("/push")) return;
    if (this.#written >= next.at * this.#schedule.receipts) this.#crashServer();
  }

  #crashServer(): void {
    const crash = this.#crashes.pop();
    if (crash === undefined) return;
    this.#isDown = true;
    this.#restarting = (async () => {
      await sleep(crash.afterMs);
      await this.#server.kill();
      this.#count("server_killed");
      await sleep(crash.downMs);
      await this.#server.start();
      this.#isDown = false;
    })();
    this.#restarting.catch((error: unknown) => this.#over.abort(error));
  }

  #count(kind: string): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
  }

  #progress(): Progress {
    return {
      receipts: this.#schedule.receipts,
      written: this.#written,
      synced: Math.max(0, this.#written - this.#tills.reduce((sum, { waiting }) => sum + waiting, 0)),
      faults: [...this.#faults.values()].reduce((sum, times) => sum + times, 0),
      doing: this.#doing,
    };
  }
}
