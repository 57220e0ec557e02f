/** The rows of collections and of conflicts, as they are stored. */

import type { Flag } from "../../protocol/types.ts";
import type { CounterValue } from "../../shared/counter-step.ts";
import type { JsonObject } from "../../shared/json.ts";
import type { UnfinishedState } from "./operation.ts";

/**
 * One (collection, id). View = the server's base + this device's open operations, replayed (L8).
 *
 * A row that nothing is open on has only `data`, `version`, `generation` and `rev`. A row that is deleted has no `data`; it is
 * kept, because an older answer that arrives late must not bring the row back (its version would not be greater).
 */
export interface StoredRow {
  readonly id: string;
  /** The view. `undefined`: not there, deleted here or on the server, or not yet created. */
  readonly data?: JsonObject | undefined;
  /** The base's version; 0: the server has not said anything of this row. */
  readonly version: number;
  /** The resync that brought the base; 0 for none. */
  readonly generation: number;
  /** Counts local changes of any kind: a transaction's check that what it read is still so. */
  readonly rev: number;
  /** The server's copy, present while operations are open; `null`: the server has none. Otherwise the view is the base. */
  readonly base?: JsonObject | null | undefined;
  /** What the base was before the server deleted it under an open edit: keeping the edit means creating it again. */
  readonly deletedBase?: JsonObject | undefined;
  /** The sum of the open increments: they commute, so a hot product needs no replay of its thousand pending sales (L12). */
  readonly delta?: Readonly<Record<string, CounterValue>> | undefined;
  /** How many operations are replayed over the base. */
  readonly edits?: number | undefined;
  /** How many operations on the row are in which unfinished state. */
  readonly states?: Readonly<Partial<Record<UnfinishedState, number>>> | undefined;
  readonly flags?: readonly Flag[] | undefined;
  readonly changedHereAt?: number | undefined;
  readonly conflictId?: string | undefined;
}

/** An edit that lost against another device's, with the three sides. Kept after it was settled, as the record of who decided what. */
export interface StoredConflict {
  readonly id: string;
  readonly operationId: string;
  readonly collection: string;
  readonly entityId: string;
  readonly base?: JsonObject | undefined;
  readonly client?: JsonObject | undefined;
  readonly server?: JsonObject | undefined;
  readonly fields: readonly string[];
  readonly detectedAt: number;
  readonly sequence: number;
  readonly actor?: string | undefined;
  readonly settled?:
    | {
        readonly by: "resolver" | "person" | "server";
        readonly at: number;
        readonly kept: "client" | "server" | "merged";
        readonly note?: string | undefined;
      }
    | undefined;
}
