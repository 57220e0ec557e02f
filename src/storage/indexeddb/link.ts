/**
 * The live connection to a database, and what becomes of it.
 *
 *   live ── lost (closed by the platform, or its work failed) ──► healing ──► live
 *     │                                                             └──► nothing: the next who asks heals again
 *     ├── versionchange: another tab wants a newer layout ──► ended, for good
 *     └── deleted under it: site data was cleared ──────────► ended, for good
 *
 * A connection that has failed is never used again: retrying on the same handle is how tills lost sales for hours while they
 * told their users that all was saved.
 */

import type { TillSyncError } from "../../shared/errors.ts";
import { closedError, supersededError } from "../stored-layout.ts";
import { KIND } from "./failures.ts";
import { openDatabase, type Place } from "./open.ts";

export interface Link {
  /** Why nobody may use it any more. */
  ended(): TillSyncError | undefined;
  /** The connection to work on; heals first where there is none. */
  database(): Promise<IDBDatabase>;
  /** Says that a connection can't be relied on. Others may have said so before. */
  drop(database: IDBDatabase): void;
  /** Refuses everything from now on; what works on the connection still has it until `close`. */
  end(): void;
  close(): void;
}

/** @param finish waits for what has begun: the others wait for this connection to close, but a sale that was begun is finished first */
export function openLink(place: Place, opened: IDBDatabase, finish: () => Promise<unknown>): Link {
  const { hooks } = place;
  let live: IDBDatabase | undefined;
  let healing: Promise<IDBDatabase> | undefined;
  let ended: TillSyncError | undefined;
  let deleted: unknown;
  let isClosed = false;

  const link: Link = {
    ended: () => ended,
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
    end() {
      ended ??= closedError();
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
      const database = await openDatabase(place, () => {
        isDeleted = true;
      });
      if (database !== undefined && !isClosed) return adopt(database);
      // Nobody is left to let other tabs in.
      database?.close();
    } catch (error) {
      if (isDeleted) {
        // There is nothing to come back to, and whoever asks again must not be told of the same loss again.
        deleted = error;
        hooks.onDeleted?.();
      }
      hooks.onFailure(error);
      throw error;
    }
    if (ended === undefined) {
      ended = supersededError(KIND);
      hooks.onSuperseded();
    }
    throw ended;
  }

  function adopt(database: IDBDatabase): IDBDatabase {
    live = database;
    database.onversionchange = () => {
      if (ended !== undefined) return;
      ended = supersededError(KIND);
      void finish().finally(() => {
        link.close();
        hooks.onSuperseded();
      });
    };
    // Fired when the platform closes it, never by our own close.
    database.onclose = () => {
      link.drop(database);
      // Now, and not when the next sale is made: if it can't be had again, somebody should know before.
      if (ended === undefined) link.database().catch(() => {});
    };
    return database;
  }
}
