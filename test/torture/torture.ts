/** One run: the servers, the networks, the tills that sell, the kills among them, the wait for quiet, and what is found then. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { postgresStore } from "tillsync/server/postgres";
import { sqliteStore } from "tillsync/server/sqlite";
import { isPostgres } from "../../examples/reference-server/database.ts";
import { Link } from "../../examples/replay/proxy.ts";
import { draws, networkFaults } from "../../examples/replay/schedule.ts";
import { type Owner, ServerProcess } from "../../examples/replay/server.ts";
import { PATIENCE_MS } from "../../examples/replay/till.ts";
import type { ServerBooks, TillBooks } from "./books.ts";
import { checkEnd } from "./check-end.ts";
import { checkServer } from "./check-server.ts";
import { checkAnswered, checkTill } from "./check-till.ts";
import type { Database } from "./databases.ts";
import { Findings } from "./findings.ts";
import { drawKills, type Kill } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { Moments } from "./moments.ts";
import { Till } from "./till.ts";
import { indexedDBDisk, memoryDisk } from "./till-disk.ts";
import { importShop } from "./torture-shop.ts";

export interface TortureOptions {
  readonly kills: number;
  readonly seed: number;
  readonly tills: number;
  readonly database: Database;
  /** @default the reference server */
  readonly serverMain?: string | undefined;
  /** A till that is not quiet by then has lost what it still holds. @default three minutes */
  readonly quietMs?: number | undefined;
  /** How long a till waits for an answer. @default as long as that of the replay */
  readonly patienceMs?: number | undefined;
  progress?(text: string): void;
}

export interface Tortured {
  readonly killed: { readonly server: number; readonly postgres: number };
  readonly operations: number;
  readonly faults: number;
  readonly elapsedMs: number;
  readonly findings: Findings;
  /** As it was at the end. */
  readonly server: ServerBooks;
  readonly tills: readonly TillBooks[];
}

const QUIET_MS = 180_000;
/** Tills try again several times a second: where none comes through for so long, something stands still. */
const STILL_MS = 240_000;

export async function torture(options: TortureOptions): Promise<Tortured> {
  const run = new Run(options);
  try {
    return await run.run();
  } finally {
    await run.end();
  }
}

class Run {
  readonly #options: TortureOptions;
  readonly #servers: readonly ServerProcess[];
  readonly #owner: Owner = { email: `owner-${randomUUID()}@torture.example`, password: "sold-on-paper-first" };
  readonly #ledger = new Ledger();
  readonly #findings = new Findings();
  readonly #links: Link[] = [];
  readonly #tills: Till[] = [];
  readonly #saved = new Moments("No till has saved anything", STILL_MS);
  readonly #pushes = new Moments("No till has pushed anything", STILL_MS);
  readonly #killed = { server: 0, postgres: 0 };
  #faults = 0;
  #tenant = "";

  constructor(options: TortureOptions) {
    this.#options = options;
    const { address, servers } = options.database;
    this.#servers = Array.from({ length: servers }, () => new ServerProcess(address, options.serverMain));
  }

  async run(): Promise<Tortured> {
    const startedAt = performance.now();
    await this.#open();
    await this.#sellAndKill();
    await this.#waitForQuiet();
    await Promise.all(this.#tills.map((till) => till.close()));
    await Promise.all(this.#servers.map((server) => server.stop()));
    this.#say("comparing");
    const { server, tills } = await this.#look();
    checkEnd(server, tills, this.#ledger, this.#findings);
    const elapsedMs = performance.now() - startedAt;
    const { operations } = server;
    return {
      killed: this.#killed,
      operations: operations.length,
      faults: this.#faults,
      elapsedMs,
      findings: this.#findings,
      server,
      tills,
    };
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#tills.map((till) => till.close()));
    await Promise.allSettled(this.#links.map((link) => link.close()));
    await Promise.all(this.#servers.map((server) => server.kill()));
  }

  async #open(): Promise<void> {
    const { address } = this.#options.database;
    await Promise.all(this.#servers.map((server) => server.start()));
    this.#tenant = await this.#serverOf(0).register(this.#owner);
    const store = isPostgres(address) ? postgresStore({ url: address }) : sqliteStore({ path: address });
    await importShop(store, this.#tenant).finally(() => store.close());
    for (let index = 0; index < this.#options.tills; index += 1) await this.#openTill(index);
    await Promise.all(this.#tills.map((till) => till.open(AbortSignal.timeout(STILL_MS))));
  }

  async #openTill(index: number): Promise<void> {
    const { seed, patienceMs = PATIENCE_MS } = this.#options;
    const link = new Link({
      target: this.#serverOf(index).url,
      nextFault: networkFaults(draws(seed * 1_009 + index + 1)),
      happened: () => {
        this.#faults += 1;
      },
      forwarding: (path) => {
        if (path.endsWith("/push")) this.#pushes.happen(index % this.#servers.length);
      },
      neverMs: 2 * patienceMs,
    });
    this.#links.push(link);
    const name = `till-${index + 1}`;
    const till = new Till({
      name,
      disk: index % 2 === 0 ? memoryDisk(name) : indexedDBDisk(name),
      link,
      url: await link.listen(),
      patienceMs,
      owner: this.#owner,
      ledger: this.#ledger,
      draw: draws(seed * 2_003 + index + 1),
      saved: () => this.#saved.happen(0),
    });
    this.#tills.push(till);
  }

  async #sellAndKill(): Promise<void> {
    const { kills, seed, database } = this.#options;
    const over = new AbortController();
    const selling = Promise.all(this.#tills.map((till) => till.sell(over.signal)));
    const schedule = drawKills({
      kills,
      seed,
      servers: this.#servers.length,
      ownsPostgres: database.kill !== undefined,
    });
    const killing = (async () => {
      for (const kill of schedule) await this.#kill(kill);
    })();
    try {
      // Whoever fails first ends both.
      await Promise.race([killing, selling]);
    } finally {
      over.abort();
      this.#saved.stop();
      this.#pushes.stop();
      await Promise.allSettled([killing, selling]);
    }
    await selling;
  }

  async #kill({ victim, server, afterReceipts, afterMs, downMs }: Kill): Promise<void> {
    const { database } = this.#options;
    await this.#saved.next(afterReceipts);
    // Under load: whoever is killed has just been given something to do.
    await this.#pushes.next(1, victim === "server" ? server : undefined);
    await sleep(afterMs);
    if (victim === "postgres") {
      await database.kill?.();
      await sleep(downMs);
      await database.start?.();
      await this.#look();
    } else {
      const process = this.#serverOf(server);
      await process.kill();
      await this.#look();
      await sleep(downMs);
      await process.start();
    }
    this.#killed[victim] += 1;
    this.#say(`kill ${this.#killed.server + this.#killed.postgres} of ${this.#options.kills}: ${victim}`);
  }

  /** The tills first: what they had been told by then must be there. */
  async #look(): Promise<{ readonly server: ServerBooks; readonly tills: readonly TillBooks[] }> {
    const saved = this.#ledger.saved();
    const tills = await Promise.all(this.#tills.map((till) => till.books()));
    const server = await this.#options.database.read(this.#tenant);
    for (const till of tills) {
      checkTill(till, this.#ledger, saved, this.#findings);
      checkAnswered(till, server, this.#findings);
    }
    checkServer(server, this.#ledger, this.#findings);
    return { server, tills };
  }

  async #waitForQuiet(): Promise<void> {
    this.#say("waiting for quiet");
    await Promise.all(this.#links.map((link) => link.calm()));
    const deadline = AbortSignal.timeout(this.#options.quietMs ?? QUIET_MS);
    // Twice: what one till sent after another had asked is in the second round.
    for (let quietRounds = 0; quietRounds < 2 && !deadline.aborted; ) {
      const answers = await Promise.allSettled(this.#tills.map((till) => till.sync(deadline)));
      const quiet = answers.every((answer) => answer.status === "fulfilled" && answer.value);
      quietRounds = quiet ? quietRounds + 1 : 0;
      if (!quiet) await sleep(50);
    }
  }

  /** Tills and kills are dealt out. */
  #serverOf(index: number): ServerProcess {
    return this.#servers[index % this.#servers.length] as ServerProcess;
  }

  #say(doing: string): void {
    const { receipts, edits } = this.#ledger;
    const waiting = this.#tills.reduce((sum, till) => sum + till.waiting, 0);
    this.#options.progress?.(
      `${doing}; ${receipts.size} receipts and ${edits.length} edits written, ${waiting} operations waiting, ${this.#faults} faults of the network`,
    );
  }
}
