/** Making a client, and what it can do. */
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

// ── Making one ──
export interface SyncClientOptions<C extends CollectionMap> {
  /** Names the local database. One per shop (tenant and branch): the database remembers whose it is and refuses another's token. */
  name: string;
  /** From `tillsync/storage/*`. @default indexedDB() */
  storage?: StorageAdapter | undefined;
  transport: Transport;
  collections: C & CheckReferences<C>;
  device?: { id?: string | undefined; name?: string | undefined; appVersion?: string | undefined } | undefined;
  /** Who is at the till now. Captured into every operation as it is written. */
  actor?: (() => string | undefined) | undefined;
  sync?: SyncOptions | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
  logger?: Logger | undefined;
  coordinator?: Coordinator | undefined;
  connectivity?: Connectivity | undefined;
}
export interface SyncOptions {
  /** Sync in the background as soon as the store is open. @default true */
  auto?: boolean | undefined;
  /** Longest wait between two pulls when nothing else calls for one, in ms. @default 30_000 @minimum 1_000 */
  intervalMs?: number | undefined;
  batch?: { maxOperations?: number | undefined; maxBytes?: number | undefined } | undefined;
  /** Full-jitter backoff after a failed request. An outage is never given up on. */
  retry?: { minMs?: number | undefined; maxMs?: number | undefined } | undefined;
}

/** `SyncClient` alone: any client, for a component that shows only its status. */
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, else no real one fits
export interface SyncClient<C extends CollectionMap = any> extends AsyncDisposable {
  readonly name: string;
  readonly collections: Collections<C>;
  /**
   * All or nothing on this device. On the server, its facts and increments take effect together, always; edits of records made
   * beside a fact are judged on their own, so that no conflict can touch a sale; edits without a fact are all or nothing there too.
   * Writes inside are synchronous and take effect together when the
   * function has returned; if what it read has changed meanwhile it runs again, so print, charge and
   * notify after it, never in it.
   */
  transaction<T>(
    run: (tx: TransactionCollections<C>, context: TransactionContext) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;

  /** Opens the store and starts the background loop. Safe to call twice. Rejects only where the store cannot be opened. */
  start(): Promise<void>;
  /** Holds the loop for a named reason ("forced_offline"); local work goes on. It runs again when every reason has been resumed. */
  pause(reason: string): void;
  resume(reason: string): void;
  /** Pushes and pulls now, skipping any wait. Never rejects for the network: the outcome says what happened. */
  sync(options?: { signal?: AbortSignal | undefined }): Promise<SyncOutcome>;
  /** Resolves once these collections have been pulled completely at least once on this device (also offline, ever after). */
  firstSync(options?: {
    collections?: readonly (keyof C & string)[] | undefined;
    signal?: AbortSignal | undefined;
  }): Promise<void>;

  /** The same object until something changes. */
  readonly status: SyncStatus<keyof C & string>;
  /** Corrected by the server's clock, in epoch ms. Use it for `soldAt`. */
  now(): number;
  device(): Promise<DeviceIdentity>;

  on<E extends keyof SyncEvents<C>>(event: E, listener: (payload: SyncEvents<C>[E]) => void): Unsubscribe;

  readonly operations: OperationDesk<C>;
  readonly conflicts: ConflictDesk<C>;
  /** For a support ticket. No record data, no tokens. */
  diagnostics(): Promise<Diagnostics>;

  /** Ends the loop and closes the store. Resolves when nothing more will be written. */
  close(): Promise<void>;
}

export interface Diagnostics {
  readonly createdAt: string;
  readonly text: string;
}
