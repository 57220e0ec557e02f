/**
 * One client among the tabs of a store: its store, what it keeps in memory, its status, its events, and waiting for
 * changes.
 */

import type { ResolvedCollections } from "../../schema/collections.ts";
import type { CollectionMap } from "../../schema/types.ts";
import { orAborted } from "../../shared/abort.ts";
import type { Clock } from "../../shared/clock.ts";
import { deferred } from "../../shared/deferred.ts";
import { type AnyTillSyncError, isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import type { Random } from "../../shared/random.ts";
import { deriveStatus, type StatusInput } from "../decide/status.ts";
import type { SyncState } from "../decide/sync-machine.ts";
import type { SyncNotice } from "../decide/sync-notice.ts";
import type { Connectivity } from "../ports/connectivity.ts";
import type { StorageAdapter, StorageConnection } from "../ports/storage.ts";
import { type Commit, LocalStore, type StoreSnapshot } from "../store/local-store.ts";
import type { SyncEvents } from "../types/events.ts";
import type { SyncStatus } from "../types/status.ts";
import { ClientState } from "./client-state.ts";
import { CommitFeed } from "./commit-feed.ts";
import { Emitter } from "./emitter.ts";
import { EventPublisher } from "./event-publisher.ts";
import { adoptOrphans, adoptVersions, identityOf, readSnapshot } from "./opening.ts";
import { StoreMarker } from "./store-marker.ts";

export interface SessionHooks {
  /** The state of the loop that syncs this store, here or in another tab. The loop is created after the session. */
  sync(): { readonly state: SyncState; readonly retryAt: number | undefined };
  /** The store has been opened, for the first time or again. */
  opened(): void;
  /** This client has committed changes of these collections, or, if there are none, of its queue. */
  committed(collections: readonly string[]): void;
}

/** What a session needs of the client's options. */
export interface SessionOptions {
  readonly name: string;
  readonly storage: StorageAdapter;
  readonly collections: ResolvedCollections;
  readonly device: { readonly id?: string | undefined };
  readonly connectivity: Connectivity;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class Session {
  /** Identifies this client among those of the same store. */
  readonly id: string;
  readonly store: LocalStore;
  readonly clientState: ClientState;
  readonly feed: CommitFeed;
  readonly emitter: Emitter<SyncEvents<CollectionMap>>;
  readonly #options: SessionOptions;
  readonly #hooks: SessionHooks;
  readonly #publisher: EventPublisher;
  readonly #marker: StoreMarker;
  readonly #closing = new AbortController();
  #status: SyncStatus;
  #unauthorised: "no_token" | "refused" = "no_token";
  #commits = 0;
  #toReread: readonly string[] | undefined;
  #isRereading = false;

  constructor(options: SessionOptions, inFlight: ReadonlySet<string>, hooks: SessionHooks) {
    const { clock, random, logger, collections } = options;
    this.#options = options;
    this.#hooks = hooks;
    this.id = random.uuid();
    this.clientState = new ClientState(Object.keys(collections), clock);
    this.emitter = new Emitter(logger);
    this.feed = new CommitFeed((error) => this.emitter.fail(error, "A listener of a commit threw."));
    this.store = new LocalStore(options.storage, options.name, collections, {
      opened: (connection) => this.#opened(connection),
      committed: (commit) => this.#committed(commit),
      failed: (error, told) => this.#failed(error, told),
      deleted: () => this.notice({ kind: "storage_lost", ...this.#marker.wholeLoss }),
      full: () => void this.checkStore(),
    });
    this.#marker = new StoreMarker(options.storage, options.name, this.clientState);
    this.#publisher = new EventPublisher(this.emitter, this.store, this.clientState, inFlight);
    this.#status = deriveStatus(undefined, this.statusInput(), clock.now());
  }

  /** Why the last request that lacked a valid token lacked it. */
  get unauthorised(): "no_token" | "refused" {
    return this.#unauthorised;
  }

  get status(): SyncStatus {
    return this.#status;
  }

  /** Aborts with `client_closed` when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Opens the store; resolves at once if it is open. */
  async open(): Promise<void> {
    if (this.clientState.opened === "not") this.clientState.opened = "opening";
    this.refresh();
    await this.store.open();
  }

  /** Everything from which the status is derived, as it is now. */
  statusInput(): StatusInput {
    const { clientState } = this;
    // The first status is derived before the loop exists.
    const sync = clientState.opened === "not" ? undefined : this.#hooks.sync();
    return {
      opened: clientState.opened,
      failure: clientState.failure,
      sync: sync?.state ?? { kind: "stopped" },
      retryAt: sync?.retryAt,
      online: this.#options.connectivity.online(),
      contacted: clientState.contacted,
      queue: clientState.queue,
      point: clientState.point,
      cursors: clientState.cursors,
      clock: clientState.offset,
      storage: clientState.storage,
    };
  }

  /** Derives the status again, and announces it if it has changed. */
  refresh(): void {
    const before = this.#status;
    this.#status = deriveStatus(before, this.statusInput(), this.#options.clock.now());
    if (this.#status === before) return;
    this.emitter.emit("status", this.#status);
    this.#emitStatusEvents(before, this.#status);
    this.#logWaiting(before, this.#status);
  }

  /** Takes what the sync calls found out. */
  notice(notice: SyncNotice): void {
    if (notice.kind === "contact") this.clientState.contact(notice.sample);
    if (notice.kind === "identity") this.clientState.identity = notice.identity;
    if (notice.kind === "forked") this.clientState.identity = notice.after;
    if (notice.kind === "unauthorised") this.#noticeUnauthorised(notice.reason);
    this.#publisher.notice(notice);
  }

  /**
   * Another client of this store has written, so what is kept in memory is read again. If it is called during such a
   * read, one more read follows, for all calls together.
   */
  async rereadAfter(collections: readonly string[]): Promise<void> {
    this.#toReread = [...(this.#toReread ?? []), ...collections];
    if (this.#isRereading) return;
    this.#isRereading = true;
    while (this.#toReread) {
      const changedElsewhere = [...new Set(this.#toReread)];
      this.#toReread = undefined;
      await this.#readAgain((stored) => this.#publish({ ...stored, changedElsewhere }));
    }
    this.#isRereading = false;
  }

  /**
   * Checks whether another client has written without this one being notified (this page was frozen, or that one
   * crashed), and how much space there is.
   */
  async checkStore(): Promise<void> {
    await this.#readAgain(async (stored) => {
      this.clientState.storage = await this.store.estimate();
      if (this.clientState.matches(stored)) this.refresh();
      else this.#publish({ ...stored, changedElsewhere: Object.keys(this.store.collections) });
    });
  }

  async #readAgain(use: (stored: StoreSnapshot) => void | Promise<void>): Promise<void> {
    try {
      let stored: StoreSnapshot;
      let commits: number;
      do {
        commits = this.#commits;
        stored = await readSnapshot(this.store, Object.keys(this.store.collections));
        // A snapshot from before one of this client's own commits would undo it in memory.
      } while (commits !== this.#commits);
      if (!this.closing.aborted) await use(stored);
    } catch (error) {
      if (!this.closing.aborted) this.emitter.fail(error, "The changes of another client could not be read.");
    }
  }

  /**
   * Waits until `done` is true. It is checked after every commit and every step of the loop. Rejects on abort and on
   * close.
   */
  until(done: () => boolean, signal?: AbortSignal): Promise<void> {
    const wait = deferred<void>();
    const look = () => done() && wait.resolve();
    const stop = this.feed.subscribe(look);
    look();
    return orAborted(orAborted(wait.promise, this.closing), signal).finally(stop);
  }

  /** Ends everything that waits, then the loop, then the store. `loopClosed` resolves when the loop has ended. */
  async close(reason: AnyTillSyncError, loopClosed: () => Promise<void>): Promise<void> {
    this.#closing.abort(reason);
    await loopClosed();
    await this.store.close();
    this.clientState.opened = "closed";
    this.refresh();
    this.emitter.clear();
  }

  /** Prepares the store and reads what the client keeps in memory, before any caller uses the connection. */
  async #opened(connection: StorageConnection): Promise<void> {
    const { device, clock, random } = this.#options;
    this.clientState.opened = "opening";
    this.clientState.failure = undefined;
    this.clientState.identity = await identityOf(connection, device.id, clock.now(), () => random.uuid());
    await adoptOrphans(connection, this.store.collections);
    await adoptVersions(connection, this.store.collections);
    this.clientState.apply(await readSnapshot(connection, Object.keys(this.store.collections)));
    const loss = this.#marker.check();
    if (loss) this.notice({ kind: "storage_lost", ...loss });
    this.#marker.write();
    this.clientState.storage = await connection.estimate();
    this.clientState.opened = "open";
    // The loop is started first, so the status never shows a till that is starting as stopped.
    this.#hooks.opened();
    this.refresh();
  }

  #committed(commit: Commit): void {
    this.#commits += 1;
    this.#publish(commit);
    this.#marker.write();
    this.#hooks.committed([...new Set((commit.changes ?? []).map((change) => change.collection))]);
  }

  #publish(commit: Commit): void {
    // A store that had failed works again: adapters can recover without being opened anew.
    this.clientState.failure = undefined;
    this.clientState.apply(commit);
    this.feed.publish(commit);
    this.#publisher.commit(commit);
    this.refresh();
  }

  #failed(error: unknown, told: boolean): void {
    const failure = isTillSyncError(error)
      ? error
      : new TillSyncError("internal", "The local store failed.", {}, { cause: error });
    this.clientState.failure = failure;
    if (!told) this.emitter.fail(failure, failure.message);
    this.refresh();
  }

  /** While the status stays `auth_required`, a new reason is an event of its own: the status does not show it. */
  #noticeUnauthorised(reason: "no_token" | "refused"): void {
    const isNew = reason !== this.#unauthorised;
    this.#unauthorised = reason;
    const status = this.#status;
    if (!isNew || status.phase !== "action_needed" || status.cause !== "auth_required") return;
    this.emitter.emit("auth_required", { cause: reason });
  }

  /** A collection may wait for weeks, so the log says it once, when it begins and when it is over [H7]. */
  #logWaiting(before: SyncStatus, now: SyncStatus): void {
    if (before.waiting === now.waiting) return;
    const causes = (status: SyncStatus) => new Map(status.waiting.map(({ collection, cause }) => [collection, cause]));
    const [then, since] = [causes(before), causes(now)];
    for (const collection of new Set([...then.keys(), ...since.keys()])) {
      const cause = since.get(collection);
      if (cause === then.get(collection)) continue;
      const message = cause === undefined ? "A collection does not wait any more" : "A collection waits for an update";
      this.#options.logger.info(message, { collection, ...(cause !== undefined && { cause }) });
    }
  }

  #emitStatusEvents(before: SyncStatus, now: SyncStatus): void {
    const { atRisk } = now.storage;
    if (atRisk && atRisk !== before.storage.atRisk) this.emitter.emit("storage_at_risk", { cause: atRisk });
    if (now.phase !== "action_needed" || (before.phase === "action_needed" && before.cause === now.cause)) return;
    if (now.cause === "auth_required") this.emitter.emit("auth_required", { cause: this.#unauthorised });
    if (now.cause === "device_revoked") this.emitter.emit("device_revoked", { at: this.clientState.now() });
  }
}
