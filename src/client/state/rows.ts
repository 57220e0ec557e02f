/** The rows of collections and of conflicts, as they are stored. */

import type { Flag } from "../../protocol/types.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { UnfinishedState } from "./operation.ts";

/**
 * One (collection, id). The view is the server's base with this device's open operations replayed on it (L8).
 *
 * `base` and `data` together say what is known. An absent member and `undefined` are the same.
 *
 *     base     data
 *     absent   object   nothing is replayed: `data` is the server's row
 *     absent   absent   nothing is replayed, and there is no row: it was deleted, left the scope, or was never created
 *     object   object   the server's row, and that row with this device's operations on it
 *     object   absent   this device has deleted the server's row
 *     null     object   this device has created a row that the server does not have
 *     null     absent   the server has no row, and this device's operations make none: edits of a row that the server
 *                       has deleted, a row that was created and deleted here, increments of an unknown row
 *
 * A row whose base the app can't read has no `data`, and keeps its base as it came: see versions.ts.
 *
 * A row on which nothing is unfinished has only `id`, `data`, `version`, `generation`, `rev`, and perhaps `flags` and
 * `changedHereAt`. A deleted row is kept without `data`, so an older answer that arrives late can't bring it back: its
 * version is not greater.
 */
export interface StoredRow {
  readonly id: string;
  /** The view; absent if the record does not exist for this device now. */
  readonly data?: JsonObject | undefined;
  /** The base's version; 0 if no answer of the server has brought the row. */
  readonly version: number;
  /**
   * Set if the base is what an own operation made of the row, because the row in the result could not be taken: an answer
   * that has this version of the row replaces it [H7] [C6].
   */
  readonly guessed?: true | undefined;
  /**
   * Set if own operations were written into the base without the row of their results: the latest version of those
   * results. A row with a lower version lacks what is in the base already, so it is not taken [C6]; only that the row is
   * gone is.
   */
  readonly amendedTo?: number | undefined;
  /** The number of the resync that brought the base; 0 for none. See `SyncPoint.generations`. */
  readonly generation: number;
  /**
   * The schema version of `data`, `base` and `deletedBase`: that of the app that wrote them, or of the server that sent
   * them if that app could not read them. Absent: 1.
   */
  readonly schemaVersion?: number | undefined;
  /** Raised whenever the stored row changes: a transaction compares it to check that what it read is still current. */
  readonly rev: number;
  /**
   * The server's copy, stored only while something is replayed; `null` if the server has none. Otherwise the view is
   * the base.
   */
  readonly base?: JsonObject | null | undefined;
  /** The last base before the server deleted it under an open edit: keeping that edit means creating the row again. */
  readonly deletedBase?: JsonObject | undefined;
  /**
   * The sum of the open increments. They commute, so the view of a product with a thousand pending sales needs no
   * replay (L12).
   */
  readonly delta?: Readonly<Record<string, CounterValue>> | undefined;
  /** How many operations are replayed over the base. */
  readonly edits?: number | undefined;
  /** How many operations on the row are in each unfinished state; `void` operations are not counted. */
  readonly states?: Readonly<Partial<Record<UnfinishedState, number>>> | undefined;
  /** The flags of the last applied result that had any. */
  readonly flags?: readonly Flag[] | undefined;
  /** When this device last wrote it, in epoch ms. */
  readonly changedHereAt?: number | undefined;
  /** The open conflict of the row, if there is one. */
  readonly conflictId?: string | undefined;
}

/**
 * An edit that is in conflict with another device's, with the three sides. It is kept after it was settled, as the
 * record of who decided what.
 */
export interface StoredConflict {
  readonly id: string;
  readonly operationId: string;
  readonly collection: string;
  readonly entityId: string;
  /** The server's row with the edited fields as they were before the edit. A side is absent if it has no record. */
  readonly base?: JsonObject | undefined;
  /** The server's row with this edit on it. */
  readonly client?: JsonObject | undefined;
  readonly server?: JsonObject | undefined;
  /** The version of the server's row when the sides were taken. Absent in a store of an earlier version. */
  readonly version?: number | undefined;
  /** The fields that are in conflict, as the server named them. */
  readonly fields: readonly string[];
  /**
   * The app could not read the sides when the conflict came [H7]. Only `server` is kept, as it came, with its
   * `schemaVersion` and `version`.
   */
  readonly unread?: true | undefined;
  /** The schema version of the sides. Absent: 1. */
  readonly schemaVersion?: number | undefined;
  /** Epoch ms, by this device. */
  readonly detectedAt: number;
  /** The edit's sequence number. */
  readonly sequence: number;
  /** Who made the edit. */
  readonly actor?: string | undefined;
  /** Who resolved it, when (epoch ms), and which side was kept; absent while it is open. */
  readonly settled?:
    | {
        readonly by: "resolver" | "person" | "server";
        readonly at: number;
        readonly kept: "client" | "server" | "merged";
        readonly note?: string | undefined;
      }
    | undefined;
}
