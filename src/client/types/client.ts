/** The client and its options, as an app sees them. */
import type { CheckReferences } from "../../schema/checks.ts";
import type { CollectionMap } from "../../schema/types.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/logger.ts";
import type { Random } from "../../shared/random.ts";
import type { Connectivity } from "../ports/connectivity.ts";
import type { Coordinator } from "../ports/coordinator.ts";
import type { StorageAdapter } from "../ports/storage.ts";
import type { Transport } from "../ports/transport.ts";
import type { Collections, TransactionCollections, TransactionContext, TransactionOptions } from "./collections.ts";
import type { ConflictDesk, OperationDesk } from "./desks.ts";
import type { SyncEvents } from "./events.ts";
import type { Unsubscribe } from "./shape.ts";
import type { DeviceIdentity, SyncOutcome, SyncStatus } from "./status.ts";

// ── Creating a client ──

/** The options of `createSyncClient`. An unknown option throws `invalid_option`, so a misspelling is noticed. */
export interface SyncClientOptions<C extends CollectionMap> {
  /**
   * Names the local database: 1 to 64 letters, digits, dots, dashes or underscores.
   * Use one name for each shop (tenant and branch). The database remembers which shop it belongs to, and refuses the
   * token of another shop.
   */
  name: string;
  /**
   * The local store, from `tillsync/storage/*`.
   * @default indexedDB()
   */
  storage?: StorageAdapter | undefined;
  /** The connection to the server: `http()`, or an implementation of your own. */
  transport: Transport;
  /**
   * The collections by name, defined with `defineCollection`. A collection that another one references must be among
   * them.
   */
  collections: C & CheckReferences<C>;
  /**
   * This device, as the server and the back office see it.
   * @default an id that is created together with the store
   */
  device?:
    | {
        /**
         * A stable id: 1 to 64 of A-Z, a-z, 0-9, `_` and `-`. It is used when the store is created; a store that exists
         * keeps the id that it has. Take it from a place that outlives the browser's storage, such as a setting of the
         * till. Otherwise a store that was cleared looks like a new device.
         * @default a UUID, created together with the store
         */
        id?: string | undefined;
        /**
         * A name for people: 1 to 128 characters.
         * @default none
         */
        name?: string | undefined;
        /**
         * The version of the app: 1 to 128 characters.
         * @default none
         */
        appVersion?: string | undefined;
      }
    | undefined;
  /**
   * Returns the id of the person at the till: 1 to 128 characters. `undefined` or `""` means that no one is signed in.
   * It is called for every write, and stored in the write's operations. If it throws, the write rejects with its error.
   * @default none
   */
  actor?: (() => string | undefined) | undefined;
  /**
   * When and how the client syncs.
   * @default the defaults of `SyncOptions`
   */
  sync?: SyncOptions | undefined;
  /**
   * The source of time and timers. Tests pass a fake one.
   * @default the platform's
   */
  clock?: Clock | undefined;
  /**
   * The source of ids and jitter.
   * @default the platform's
   */
  random?: Random | undefined;
  /**
   * Receives log messages. They never contain record data or tokens.
   * @default silent
   */
  logger?: Logger | undefined;
  /**
   * Decides which of several clients of one store (the tabs of a browser) talks to the server.
   * @default Web Locks, or a lease in the store if there are none; outside browsers, the clients of one process take
   * turns
   */
  coordinator?: Coordinator | undefined;
  /**
   * Hints about the network and about the page's visibility.
   * @default the browser's events; without a browser, the network counts as available
   */
  connectivity?: Connectivity | undefined;
}

/** When and how a client syncs. */
export interface SyncOptions {
  /**
   * Sync in the background as soon as the store is open. With `false`, only `sync()` pushes and pulls.
   * @default true
   */
  auto?: boolean | undefined;
  /**
   * The longest wait between two pulls if nothing else triggers one, in ms. Each wait is 80 to 100 % of it, at random.
   * @default 30_000
   * @minimum 1_000
   * @maximum 60_000
   */
  intervalMs?: number | undefined;
  /**
   * The largest push. On a slow line pushes are smaller. A single transaction is sent even if it alone is larger.
   * @default 200 operations, 512 KiB
   */
  batch?:
    | {
        /**
         * Operations in one push.
         * @default 200
         * @minimum 1
         * @maximum 500
         */
        maxOperations?: number | undefined;
        /**
         * Bytes of JSON before compression.
         * @default 524_288 (512 KiB)
         * @minimum 1_024
         * @maximum 1_048_576 (1 MiB)
         */
        maxBytes?: number | undefined;
      }
    | undefined;
  /**
   * The waits after failed requests: exponential backoff with full jitter, in ms. The client never stops retrying. A
   * `Retry-After` of the server is added to the wait.
   * @default 1_000 to 60_000 ms
   */
  retry?:
    | {
        /**
         * The upper bound of the first wait, in ms.
         * @default 1_000
         * @minimum 10
         * @maximum 3_600_000
         */
        minMs?: number | undefined;
        /**
         * The upper bound of every wait, in ms. Not less than `minMs`.
         * @default 60_000, or `minMs` if that is more
         * @maximum 3_600_000
         */
        maxMs?: number | undefined;
      }
    | undefined;
}

/**
 * The client of one local store. `SyncClient` without a type argument is any client: for a component that only shows
 * the status, for example.
 */
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, otherwise no real one fits
export interface SyncClient<C extends CollectionMap = any> extends AsyncDisposable {
  /** The option `name`. */
  readonly name: string;
  /** The collections by name: to read, to watch and to write. */
  readonly collections: Collections<C>;
  /**
   * Runs a function whose writes take effect together, or not at all, on this device.
   *
   * Reads are awaited; writes are synchronous, and are stored together after the function has returned. If something
   * that it read has changed meanwhile, the function runs again, up to ten times in all. So print, charge and notify
   * after the transaction, not inside it. If the function throws, nothing is stored.
   *
   * On the server, the facts and increments of a transaction always take effect together. Edits of records that were
   * made together with a fact are decided one by one, so no conflict can affect a sale. Without a fact, edits are
   * all or nothing on the server too.
   *
   * @returns what the function returned
   * @throws TillSyncError `transaction_contended`, `transaction_bypassed`, `transaction_finished`,
   * `transaction_too_large`, `validation_failed`, `not_found`, `already_exists`, `not_json`, `schema_async`,
   * `invalid_query`, `invalid_option` (the actor), `storage_full`, and the codes of `start`
   * @example
   * const sale = await till.transaction(async ({ products, sales }, { now }) => {
   *   const product = await products.get(productId);
   *   if (product === undefined) throw new Error(`There is no product ${productId}`);
   *   products.increment(productId, { stock: -1 });
   *   return sales.create({ productId, totalCents: product.priceCents, soldAt: now });
   * });
   * print(sale.id);
   */
  transaction<T>(
    run: (tx: TransactionCollections<C>, context: TransactionContext) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;

  /**
   * Opens the store and starts the background loop. Calling it twice is safe, and after a failure it tries again.
   * It rejects only if the store cannot be opened: it does not wait for the network.
   *
   * @throws TillSyncError `storage_unavailable`, `storage_newer`, `storage_corrupt`, `client_closed`
   */
  start(): Promise<void>;
  /**
   * Pauses sync for a named reason. Reading and writing continue. Sync resumes when every reason has been resumed.
   * It pauses the loop of this tab only: another tab may continue to sync the same store.
   * @example
   * till.pause("forced_offline");
   * till.resume("forced_offline");
   */
  pause(reason: string): void;
  /** Removes a reason of `pause`. An unknown reason is ignored. */
  resume(reason: string): void;
  /**
   * Pushes and pulls now, without waiting for a backoff. It never rejects because of the network: the outcome says what
   * happened. It is never the outcome of a request that was under way before the call: another one follows that. With
   * `sync: { auto: false }` it is the only way to sync.
   *
   * @param options when `signal` aborts, the promise rejects with its reason; a background loop is not stopped by it
   * @throws TillSyncError the codes of `start`
   * @example
   * const result = await till.sync();
   * if (result.outcome !== "done") console.log(`${result.remaining} operations still wait: ${result.outcome}`);
   */
  sync(options?: { signal?: AbortSignal | undefined }): Promise<SyncOutcome>;
  /**
   * Resolves when the collections have been pulled completely at least once on this device. From then on it resolves
   * immediately, even offline. It does not wait for a collection of which nothing can be pulled: see
   * `status.waiting`. It rejects if the store cannot be opened, when `signal` aborts, and on `close()`.
   *
   * @throws TillSyncError `invalid_option` (an unknown collection), and the codes of `start`
   * @example
   * await till.firstSync({ collections: ["products"], signal: AbortSignal.timeout(60_000) });
   */
  firstSync(options?: {
    /**
     * The collections to wait for.
     * @default all
     */
    collections?: readonly (keyof C & string)[] | undefined;
    /** Rejects with the signal's reason when it aborts. */
    signal?: AbortSignal | undefined;
  }): Promise<void>;

  /**
   * The status of this client: what it is doing, what waits, and what needs a person. It is the same object until
   * something changes; the event `status` reports every change.
   * @example
   * const { phase, pending, attention } = till.status;
   * console.log(`${phase}: ${pending.count} to send, ${attention.conflicts} conflicts`);
   */
  readonly status: SyncStatus<keyof C & string>;
  /** The current time in epoch ms, corrected by the server's clock as far as it is known. Use it for `soldAt`. */
  now(): number;
  /**
   * Who this device is. Opens the store if it is not open.
   * @throws TillSyncError the codes of `start`
   */
  device(): Promise<DeviceIdentity>;

  /**
   * Adds a listener for an event. Call the returned function to remove it. What a listener throws is reported as the
   * event `error`.
   * @throws TillSyncError `invalid_option`: no event has that name
   * @example
   * const stop = till.on("status", ({ phase, pending }) => console.log(phase, pending.count));
   * till.on("rejected", ({ operation, reason }) => console.log(operation.collection, reason.message));
   * stop();
   */
  on<
    // Written out, so the compiler lists them if a name is wrong.
    E extends
      | "status"
      | "queued"
      | "applied"
      | "rejected"
      | "quarantined"
      | "conflict"
      | "pulled"
      | "auth_required"
      | "device_revoked"
      | "epoch_changed"
      | "identity_forked"
      | "storage_lost"
      | "storage_at_risk"
      | "skew"
      | "error",
  >(event: E, listener: (payload: SyncEvents<C>[E]) => void): Unsubscribe;

  /** The outbox and the journal: what waits, what became of it, and what people can do about what was refused. */
  readonly operations: OperationDesk<C>;
  /** The conflicts, open and settled. */
  readonly conflicts: ConflictDesk<C>;
  /**
   * A report for a support ticket. It contains no record data and no tokens. Opens the store if it is not open.
   * @throws TillSyncError the codes of `start`
   * @example
   * const { text } = await till.diagnostics();
   * await navigator.clipboard.writeText(text);
   */
  diagnostics(): Promise<Diagnostics>;

  /**
   * Ends sync and closes the store. Unsent work stays in the store. It resolves when nothing more will be written.
   * Afterwards every call that needs the store rejects with `client_closed`.
   */
  close(): Promise<void>;
}

/** A report for a support ticket. */
export interface Diagnostics {
  /** When it was made: RFC 3339, UTC, corrected by the server's clock. */
  readonly createdAt: string;
  /** JSON: states, counts, error codes and the ids of the device. */
  readonly text: string;
}
