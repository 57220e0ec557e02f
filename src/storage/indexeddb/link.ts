/**
 * The live connection to a database, and what becomes of it. (storage/indexeddb)
 *
 *   live ── lost (closed by the platform, or its work failed) ──► healing ──► live
 *     │                                                             └──► nothing: the next who asks heals again
 *     └── versionchange: another tab wants a newer layout ──► ended, for good
 *
 * A connection that has failed is never used again: retrying on the same handle is how tills lost sales for hours while they
 * told their users that all was saved.
 */
import type { StorageHooks } from "../../client/ports/storage.ts";
import type { TillSyncError } from "../../shared/errors.ts";
import { closedError, supersededError } from "../stored-layout.ts";
import { KIND } from "./failures.ts";
import type { Place } from "./open.ts";
import { reopenDatabase } from "./open.ts";

export class Link {
  readonly #place: Place;
  readonly #hooks: StorageHooks;
  /** Finishes what has begun: the others wait for this connection to close, but a sale that was begun is finished first. */
  readonly #finish: () => Promise<void>;
  #live: IDBDatabase | undefined;
  #healing: Promise<IDBDatabase> | undefined;
  #ended: TillSyncError | undefined;
  #isClosed = false;

  constructor(place: Place, database: IDBDatabase, hooks: StorageHooks, finish: () => Promise<void>) {
    this.#place = place;
    this.#hooks = hooks;
    this.#finish = finish;
    this.#adopt(database);
  }

  get ended(): TillSyncError | undefined {
    return this.#ended;
  }

  /** The connection to work on; heals first where there is none. */
  database(): Promise<IDBDatabase> {
    if (this.#live !== undefined) return Promise.resolve(this.#live);
    this.#healing ??= this.#heal().finally(() => {
      this.#healing = undefined;
    });
    return this.#healing;
  }

  /** Says that a connection can't be relied on. Others may have said so before. */
  drop(database: IDBDatabase): void {
    if (this.#live === database) this.#live = undefined;
    database.close();
  }

  /** Refuses everything from now on; what works on the connection still has it until `close`. */
  end(reason: TillSyncError): void {
    this.#ended ??= reason;
  }

  close(): void {
    this.#isClosed = true;
    this.#live?.close();
    this.#live = undefined;
  }

  async #heal(): Promise<IDBDatabase> {
    try {
      const database = await reopenDatabase(this.#place);
      if (database === undefined) {
        this.#supersede();
        throw this.#ended ?? supersededError(KIND);
      }
      if (this.#isClosed) {
        // Nobody is left to let other tabs in.
        database.close();
        throw this.#ended ?? closedError();
      }
      this.#adopt(database);
      return database;
    } catch (error) {
      if (error !== this.#ended) this.#hooks.onFailure(error);
      throw error;
    }
  }

  #adopt(database: IDBDatabase): void {
    this.#live = database;
    database.onversionchange = () => {
      if (this.#ended !== undefined) return;
      this.end(supersededError(KIND));
      void this.#finish().finally(() => {
        this.close();
        this.#hooks.onSuperseded();
      });
    };
    // Fired when the platform closes it, never by our own close.
    database.onclose = () => {
      this.drop(database);
      // Now, and not when the next sale is made: if it can't be had again, somebody should know before.
      if (this.#ended === undefined) this.database().catch(() => {});
    };
  }

  #supersede(): void {
    if (this.#ended !== undefined) return;
    this.#ended = supersededError(KIND);
    this.#hooks.onSuperseded();
  }
}
