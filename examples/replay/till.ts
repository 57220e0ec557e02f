/**
 * A till of the replay: a real client over HTTP, whose process can be killed at any commit and started again from its
 * disk.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createSyncClient, http } from "tillsync";
import { type MemoryAdapter, memory } from "tillsync/storage/memory";
import type { TillBooks } from "./compare.ts";
import type { SalesLog } from "./log.ts";
import type { Link } from "./proxy.ts";
import type { CrashPoint, Edit, Receipt, Step } from "./schedule.ts";
import type { Owner } from "./server.ts";
import {
  collections,
  hasReceipt,
  newReceiptId,
  readTill,
  settleConflicts,
  type TillClient,
  writeEdit,
  writeReceipt,
} from "./shop.ts";
import { signIn } from "./sign-in.ts";

export interface TillOptions {
  readonly name: string;
  readonly log: SalesLog;
  readonly owner: Owner;
  /** The decisions of the people who settle conflicts. */
  readonly choice: () => boolean;
  readonly link: Link;
  /** The address of the server. */
  readonly url: string;
  readonly events: TillEvents;
}

export interface TillEvents {
  wrote(): void;
  crashed(at: CrashPoint): void;
}

type DiskStep = Parameters<NonNullable<NonNullable<Parameters<typeof memory>[0]>["faults"]>["before"] & {}>[0];
type Disk = ReturnType<MemoryAdapter["snapshot"]>;

/** One life of the till's process. */
interface Life {
  readonly client: TillClient;
  readonly storage: MemoryAdapter;
  readonly over: AbortController;
}

const STORE = "replay";
/** How long a request may take. */
export const PATIENCE_MS = 3_000;

export class Till {
  readonly name: string;
  readonly #options: TillOptions;
  readonly #written: { id: string; invoice: string; part: number }[] = [];
  #disk: Disk | undefined;
  #armed: CrashPoint | undefined;
  #life: Life | undefined;
  #token: string | undefined;

  constructor(options: TillOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** Resolves when it has the catalogue. */
  async open(signal: AbortSignal): Promise<void> {
    const { client } = await this.#running();
    await client.firstSync({ signal });
  }

  async run(steps: readonly Step[], signal: AbortSignal): Promise<void> {
    for (const step of steps) {
      signal.throwIfAborted();
      switch (step.kind) {
        case "offline":
          this.#options.link.cut();
          break;
        case "online":
          this.#options.link.mend();
          break;
        case "crash":
          this.#armed = step.at;
          if (step.at === "idle") this.#crash(step.at);
          break;
        case "edit":
          await this.#again((client) => this.#edit(client, step.edit));
          break;
        case "sell":
          await sleep(step.waitMs);
          await this.#sell(step.receipt);
      }
    }
  }

  /** From now on it is not killed. */
  async calm(): Promise<void> {
    this.#armed = undefined;
    await this.#running();
  }

  /** Returns whether nothing is left to send. */
  async sync(signal: AbortSignal): Promise<boolean> {
    const { client } = await this.#running();
    const outcome = await client.sync({ signal });
    if (outcome.outcome !== "done") return false;
    const settled = await settleConflicts(client, this.#options.choice);
    const { pushed, pulled, remaining } = outcome;
    return pushed === 0 && pulled === 0 && remaining === 0 && settled === 0;
  }

  async books(): Promise<TillBooks> {
    const { client } = await this.#running();
    const operations = await client.operations.list();
    return {
      name: this.name,
      rows: await readTill(client),
      written: this.#written,
      operations: operations.map(({ id, status, kind }) => ({ id, state: status.state, isFact: kind === "fact" })),
    };
  }

  /** What is on its disk, as plain data. */
  disk(): unknown {
    return this.#life?.storage.snapshot(STORE);
  }

  /** The receipts that it has not sent yet. */
  get waiting(): number {
    const { sales = 0, refunds = 0 } = this.#life?.client.status.pending.byCollection ?? {};
    return sales + refunds;
  }

  async close(): Promise<void> {
    await this.#life?.client.close();
  }

  async #sell(receipt: Receipt): Promise<void> {
    const id = newReceiptId();
    // After a crash the cashier checks whether the sale is there, and makes it again only if it isn't.
    await this.#again(async (client) => {
      if (!(await hasReceipt(client, receipt.kind, id))) await writeReceipt(client, receipt, id);
    });
    this.#written.push({ id, invoice: receipt.invoice.number, part: receipt.part });
    this.#options.events.wrote();
  }

  #edit(client: TillClient, edit: Edit): Promise<void> {
    return writeEdit(client, this.#options.log, edit);
  }

  /** Repeats until the till is not killed during it. */
  async #again(work: (client: TillClient) => Promise<void>): Promise<void> {
    for (;;) {
      const { client, over } = await this.#running();
      try {
        await work(client);
        return;
      } catch (error) {
        if (!over.signal.aborted) throw error;
      }
    }
  }

  async #running(): Promise<Life> {
    if (this.#life !== undefined && !this.#life.over.signal.aborted) return this.#life;
    await this.#life?.client.close().catch(() => {});
    this.#life = this.#start();
    await this.#life.client.start();
    return this.#life;
  }

  #start(): Life {
    const over = new AbortController();
    const storage = memory({
      faults: {
        before: (step) => {
          if (this.#armed !== undefined && !over.signal.aborted && isAt(this.#armed, step)) this.#crash(this.#armed);
          if (over.signal.aborted) throw new Error(`${this.name} is off`);
        },
      },
    });
    if (this.#disk !== undefined) storage.restore(STORE, this.#disk);
    const client = createSyncClient({
      name: STORE,
      storage,
      collections,
      device: { id: this.name, name: this.name },
      transport: http({
        url: `${this.#options.url}/sync`,
        timeoutMs: PATIENCE_MS,
        live: "off",
        getToken: ({ refused, signal }) => this.#login(refused, AbortSignal.any([signal, over.signal])),
        fetch: (input, init) => {
          const request = new Request(input, init);
          return fetch(request, { signal: AbortSignal.any([request.signal, over.signal]) });
        },
      }),
      sync: { intervalMs: 1_000, retry: { minMs: 20, maxMs: 400 } },
    });
    return { client, storage, over };
  }

  /** As a power cut would: what was committed stays, everything else is gone, and no one is notified. */
  #crash(at: CrashPoint): void {
    this.#armed = undefined;
    const life = this.#life;
    if (life === undefined || life.over.signal.aborted) return;
    this.#disk = life.storage.snapshot(STORE);
    life.over.abort();
    this.#options.events.crashed(at);
  }

  async #login(refused: string | undefined, signal: AbortSignal): Promise<string> {
    if (this.#token !== undefined && this.#token !== refused) return this.#token;
    const { url, owner } = this.#options;
    this.#token = await signIn(url, owner, this.name, signal);
    return this.#token;
  }
}

function isAt(point: CrashPoint, { kind, label }: DiskStep): boolean {
  switch (point) {
    case "idle":
      return false;
    case "before_sale":
      return kind === "commit" && label === "local write";
    case "after_sale":
      return kind === "committed" && label === "local write";
    case "before_answer":
      return kind === "commit" && label === "answer";
    case "after_answer":
      return kind === "committed" && label === "answer";
  }
}
