/** What the pages of the browser tests run: a till on the browser's own database, on handles that a test can call. */
import { createSyncClient, http, isTillSyncError, type SyncClient, type SyncClientOptions } from "tillsync";
import { indexedDB } from "tillsync/storage/indexeddb";
import { collections, saleOf } from "../../support/shop.ts";

type Till = SyncClient<typeof collections>;
export interface TillSetup {
  readonly name?: string | undefined;
  readonly watchdogMs?: number | undefined;
  /** Not `start` it: the page does when it is told to. */
  readonly idle?: boolean | undefined;
}

/** The events that tell of trouble, as they came. */
const NOTED = ["storage_lost", "storage_at_risk", "identity_forked", "auth_required", "error"] as const;

export class Page {
  readonly till: Till;
  readonly events: { readonly event: string; readonly payload: unknown }[] = [];
  /** What a live query over all sales has shown. */
  shown: readonly string[] = [];

  constructor({ name = "browser-shop", watchdogMs = 10_000 }: TillSetup) {
    this.till = createSyncClient({
      name,
      storage: indexedDB({ watchdogMs }),
      transport: http({ url: `${location.origin}/sync`, getToken: () => "token", live: "off" }),
      collections,
      sync: { intervalMs: 1_000, retry: { minMs: 50, maxMs: 500 } },
    } satisfies SyncClientOptions<typeof collections>);
    for (const event of NOTED) {
      this.till.on(event, (payload) => this.events.push({ event, payload: plain(payload) }));
    }
    this.till.collections.sales.watch({ limit: 1_000 }, ({ rows }) => {
      this.shown = rows.map(({ id }) => id);
    });
  }

  async sell(quantity = 1): Promise<string> {
    const { id } = await this.till.transaction((tx, { now }) => {
      tx.products.increment("p-1", { stock: -quantity });
      const sale = tx.sales.create(saleOf(quantity, now));
      tx.payments.create({ saleId: sale.id, amountCents: sale.totalCents });
      return sale;
    });
    return id;
  }

  async stock(): Promise<number | undefined> {
    return (await this.till.collections.products.get("p-1"))?.stock;
  }

  /** What the call came to, as data: an error of the package would lose its code on the way to the test. */
  async outcome(call: (page: Page) => Promise<unknown>): Promise<unknown> {
    try {
      return { value: await call(this) };
    } catch (error) {
      return { error: plain(error) };
    }
  }
}

function plain(value: unknown): unknown {
  if (!isTillSyncError(value)) return value instanceof Error ? { name: value.name, message: value.message } : value;
  return { code: value.code, message: value.message, details: value.details };
}

declare global {
  interface Window {
    open_: (setup?: TillSetup) => Promise<void>;
    page: Page;
  }
}

window.open_ = async (setup = {}) => {
  window.page = new Page(setup);
  if (!setup.idle) await window.page.till.start();
};
