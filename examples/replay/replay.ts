/**
 * One replay, from the log to the findings: servers, networks, tills, the wait for all tills to be idle, the
 * comparison.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerStore } from "tillsync/server";
import { postgresStore } from "tillsync/server/postgres";
import { sqliteStore } from "tillsync/server/sqlite";
import { isPostgres } from "../reference-server/database.ts";
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
  /** A PostgreSQL URL, which two servers share. @default a SQLite file, of one server */
  readonly database?: string | undefined;
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
  /** If something was wrong: the folder with what is on each till's disk, and with the database if that is a file. */
  readonly kept: string | undefined;
}

/** A till that is not idle by then counts as having lost what it has not sent. */
const QUIET_MS = 120_000;
const PROGRESS_MS = 500;
/** How many servers share one PostgreSQL. */
const SHARING_SERVERS = 2;

export async function replay(options: ReplayOptions): Promise<Replayed> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-replay-"));
  const database = options.database ?? join(folder, "shop.sqlite");
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
  readonly #servers: readonly ServerProcess[];
  /** A new one for each run: a database may have seen others. */
  readonly #owner: Owner = { email: `owner-${randomUUID()}@replay.example`, password: "sold-on-paper-first" };
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
    const servers = isPostgres(database) ? SHARING_SERVERS : 1;
    this.#servers = Array.from({ length: servers }, () => new ServerProcess(database));
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
        report: reportOf(findings, {
          tills: this.#tills.length,
          servers: this.#servers.length,
          faults: this.#faults,
          elapsedMs,
        }),
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
    await Promise.all(this.#servers.map((server) => server.kill()));
  }

  async #open(): Promise<void> {
    const { log, tills } = this.#options;
    await Promise.all(this.#servers.map((server) => server.start()));
    this.#tenant = await this.#serverOf(0).register(this.#owner);
    const store = openStore(this.#database);
    await importShop(store, this.#tenant, log).finally(() => store.close());
    for (let index = 0; index < tills; index += 1) {
      const server = this.#serverOf(index);
      const link = new Link({
        target: server.url,
        nextFault: this.#schedule.networkFaults(index),
        happened: (fault) => this.#count(fault),
        forwarding: (path) => this.#forwarding(path, server),
        neverMs: 2 * PATIENCE_MS,
      });
      this.#links.push(link);
      const till = new Till({
        name: `till-${index + 1}`,
        log,
        owner: this.#owner,
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
    // Kills for which there was no push.
    await this.#restarting;
    while (this.#crashes.length > 0 && !signal.aborted) {
      this.#crash(this.#serverOf(this.#crashes.length));
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
    // Twice: the second round includes what one till sent after another had pulled.
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
    await Promise.all(this.#servers.map((server) => server.stop()));
    const store = openStore(this.#database);
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

  /** Distributes tills and crashes over the servers. */
  #serverOf(index: number): ServerProcess {
    return this.#servers[index % this.#servers.length] as ServerProcess;
  }

  /** Called when a push is on its way to the server: kills the server if a kill is due. */
  #forwarding(path: string, server: ServerProcess): void {
    const next = this.#crashes.at(-1);
    if (next === undefined || this.#isDown || !path.endsWith("/push")) return;
    if (this.#written >= next.at * this.#schedule.receipts) this.#crash(server);
  }

  #crash(server: ServerProcess): void {
    const crash = this.#crashes.pop();
    if (crash === undefined) return;
    this.#isDown = true;
    this.#restarting = (async () => {
      await sleep(crash.afterMs);
      await server.kill();
      this.#count("server_killed");
      await sleep(crash.downMs);
      await server.start();
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

function openStore(database: string): ServerStore {
  return isPostgres(database) ? postgresStore({ url: database }) : sqliteStore({ path: database });
}
