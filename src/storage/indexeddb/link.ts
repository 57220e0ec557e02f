/**
 * The live connection to a database, and its replacement when it is lost.
 *
 *   live ── lost (closed by the platform, or its work failed) ──► healing ──► live
 *     │                                                             └──► none: the next call heals again
 *     ├── versionchange: another tab wants a newer layout ──► refused, for good
 *     └── deleted while open: site data was cleared ────────► refused, for good
 *
 * A connection that has failed is never used again. Tills that retried on the same handle lost sales for hours, while
 * they told their users that everything was saved.
 */

import type { TillSyncError } from "../../shared/errors.ts";
import { closedError, supersededError } from "../stored-layout.ts";
import { KIND } from "./failures.ts";
import { openDatabase, type StoreConfig } from "./open.ts";

export interface Link {
  /** Why new calls are refused; `undefined` while they are not. */
  refusal(): TillSyncError | undefined;
  /** The connection to work on. If there is none, it heals first. */
  database(): Promise<IDBDatabase>;
  /** Reports that a connection can't be relied on. It may have been reported before. */
  drop(database: IDBDatabase): void;
  /** Refuses new calls from now on. Work that has begun keeps the connection until `close`. */
  refuse(): void;
  close(): void;
}

/**
 * @param finish waits for the work that has begun: other tabs wait for this connection to close, but a sale that has
 * begun is finished first
 */
export function openLink(config: StoreConfig, opened: IDBDatabase, finish: () => Promise<unknown>): Link {
  const { hooks } = config;
  let live: IDBDatabase | undefined;
  let healing: Promise<IDBDatabase> | undefined;
  let refusal: TillSyncError | undefined;
  let deleted: unknown;
  let isClosed = false;

  const link: Link = {
    refusal: () => refusal,
    async database() {
      if (live !== undefined) return live;
      if (deleted !== undefined) throw deleted;
      healing ??= heal().finally(() => {
        healing = undefined;
      });
      return await healing;
    },
    drop(database) {
      if (live === database) live = undefined;
      database.close();
    },
    refuse() {
      refusal ??= closedError();
    },
    close() {
      isClosed = true;
      live?.close();
      live = undefined;
    },
  };
  adopt(opened);
  return link;

  async function heal(): Promise<IDBDatabase> {
    let isDeleted = false;
    try {
      const database = await openDatabase(config, () => {
        isDeleted = true;
      });
      if (database !== undefined && !isClosed) return adopt(database);
      // This link was closed meanwhile: an open connection would keep other tabs out.
      database?.close();
    } catch (error) {
      if (isDeleted) {
        // There is nothing to reconnect to, and a later call must not report the same loss again.
        deleted = error;
        hooks.onDeleted?.();
      }
      hooks.onFailure(error);
      throw error;
    }
    if (refusal === undefined) {
      refusal = supersededError(KIND);
      hooks.onSuperseded();
    }
    throw refusal;
  }

  function adopt(database: IDBDatabase): IDBDatabase {
    live = database;
    database.onversionchange = () => {
      if (refusal !== undefined) return;
      refusal = supersededError(KIND);
      void finish().finally(() => {
        link.close();
        hooks.onSuperseded();
      });
    };
    // Fired if the platform closes it, never by our own close.
    database.onclose = () => {
      link.drop(database);
      // Immediately, not when the next sale is made: if it can't be reopened, people should know before then.
      if (refusal === undefined) link.database().catch(() => {});
    };
    return database;
  }
}
