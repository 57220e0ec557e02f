/** A till that sells without a pause: the real client, over real HTTP. Whatever becomes of the server, its cashier goes on. */
import { setTimeout as sleep } from "node:timers/promises";
import { createSyncClient, http } from "tillsync";
import type { Link } from "../../examples/replay/proxy.ts";
import type { Draws } from "../../examples/replay/schedule.ts";
import type { Owner } from "../../examples/replay/server.ts";
import { collections, settleConflicts, type TillClient } from "../../examples/replay/shop.ts";
import { signIn } from "../../examples/replay/sign-in.ts";
import type { TillBooks } from "./books.ts";
import type { Ledger, Receipt } from "./ledger.ts";
import { booksOf } from "./till-books.ts";
import type { TillDisk } from "./till-disk.ts";
import { edit, refund, sell } from "./torture-shop.ts";

export interface TillOptions {
  readonly name: string;
  readonly disk: TillDisk;
  readonly link: Link;
  readonly url: string;
  readonly patienceMs: number;
  readonly owner: Owner;
  readonly ledger: Ledger;
  readonly draw: Draws;
  saved(): void;
}

/** What a busy cashier needs for a customer would be a thousand times as much. */
const MOST_PAUSE_MS = 240;
/** A cable is pulled, and put back a few receipts later. */
const OUTAGES = 0.02;
const REFUNDS = 0.1;
const EDITS = 0.15;
/** Sales that a refund is still drawn from. */
const RECENT = 20;

export class Till {
  readonly name: string;
  readonly #options: TillOptions;
  readonly #client: TillClient;
  readonly #recent: Receipt[] = [];
  #token: string | undefined;

  constructor(options: TillOptions) {
    this.#options = options;
    this.name = options.name;
    this.#client = createSyncClient({
      name: options.name,
      storage: options.disk.storage,
      collections,
      device: { id: options.name, name: options.name },
      transport: http({
        url: `${options.url}/sync`,
        timeoutMs: options.patienceMs,
        live: "off",
        getToken: async ({ refused, signal }) => {
          if (this.#token === undefined || this.#token === refused) {
            this.#token = await signIn(options.url, options.owner, options.name, signal);
          }
          return this.#token;
        },
      }),
      sync: { intervalMs: 1_000, retry: { minMs: 20, maxMs: 400 } },
    });
  }

  /** Resolves when it has the catalogue. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#client.start();
    await this.#client.firstSync({ signal });
  }

  /** Until the signal. Rejects where something could not be saved: a till whose disk is sound has no excuse. */
  async sell(signal: AbortSignal): Promise<void> {
    const { draw, link, saved } = this.#options;
    for (let outage = 0; !signal.aborted; outage -= 1) {
      if (outage === 0) link.mend();
      if (outage < 0 && draw.chance(OUTAGES)) {
        link.cut();
        outage = draw.between(3, 12);
      }
      await this.#write();
      saved();
      await sleep(draw.below(MOST_PAUSE_MS), undefined, { signal }).catch(() => {});
    }
  }

  /** Answers whether there was nothing left to say. */
  async sync(signal: AbortSignal): Promise<boolean> {
    const outcome = await this.#client.sync({ signal });
    if (outcome.outcome !== "done") return false;
    const { draw } = this.#options;
    const settled = await settleConflicts(this.#client, () => draw.chance(0.5));
    return outcome.pushed + outcome.pulled + outcome.remaining + settled === 0;
  }

  async books(): Promise<TillBooks> {
    return booksOf(this.name, await this.#options.disk.read());
  }

  get waiting(): number {
    return this.#client.status.pending.count;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #write(): Promise<void> {
    const { ledger, draw } = this.#options;
    const desk = { till: this.name, client: this.#client, ledger, draw };
    const kind = draw.unit();
    if (kind < EDITS) {
      await edit(desk);
    } else if (kind < EDITS + REFUNDS && this.#recent.length > 0) {
      const [sale] = this.#recent.splice(draw.below(this.#recent.length), 1);
      await refund(desk, sale as Receipt);
    } else {
      this.#recent.push(await sell(desk));
      if (this.#recent.length > RECENT) this.#recent.shift();
    }
  }
}
