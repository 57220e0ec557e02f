/** The operations and the conflicts, as people see them. */
import type { CollectionMap, CollectionShape, Patch } from "../../schema/types.ts";
import type { Verdict } from "./record.ts";
import type { IdIn, Live, Named, ShapeOf } from "./shape.ts";

// ── The outbox and the journal ──

/** What an operation changes. A fact is only ever created. */
export type Change<H extends CollectionShape> =
  /** A new record: `data`, with its counters at zero. A separate increment has their first values. */
  | { readonly action: "create"; readonly data: H["record"] }
  /**
   * The fields in `patch`; one with the value `undefined` is removed. `baseVersion` is the version of the server's
   * record that the edit was made on; 0 if the server had none.
   */
  | { readonly action: "update"; readonly patch: Partial<H["record"]>; readonly baseVersion: number }
  /** What `by` adds to each counter. It is a decimal string if the counter is one. */
  | { readonly action: "increment"; readonly by: Readonly<Partial<Record<H["counters"], number | string>>> }
  /** The end of a record. `baseVersion` is as for an update. */
  | { readonly action: "delete"; readonly baseVersion: number }
  /**
   * Gives up an earlier edit of the record, which it supersedes: a person discarded the edit, or settled its conflict
   * with what the server already had.
   */
  | { readonly action: "void" };

/** The state of an operation. It is in exactly one. */
export type OperationStatus =
  | {
      /**
       * - `pending`: it waits to be sent.
       * - `in_flight`: it was sent, and has no answer yet. After a restart it is pending.
       * - `applied`: the server has applied it.
       */
      readonly state: "pending" | "in_flight" | "applied";
    }
  | {
      /**
       * `blocked`: it waits for other operations, or the server asked for a later retry. It is sent again
       * automatically.
       */
      readonly state: "blocked";
      /** The ids of the operations that it waits for; empty if the server asked for a later retry. */
      readonly by: readonly string[];
    }
  | {
      /** `superseded`: another operation has taken its place, from this device or from the office. */
      readonly state: "superseded";
      /** The id of the other operation; empty if it is not known here. */
      readonly by: string;
    }
  | {
      /** `conflict`: it is on the conflict desk. */
      readonly state: "conflict";
      /** The id of the conflict, to be passed to `conflicts.get`. */
      readonly conflictId: string;
    }
  | {
      /**
       * - `rejected`: it is on the operations desk, and has no effect.
       * - `quarantined`: it was set aside, for people to decide.
       */
      readonly state: "rejected" | "quarantined";
      /** Why the server did not apply it. */
      readonly reason: Verdict;
    };

/** An operation of one collection: one change of one record, on its way to the server or in the journal. */
export interface OperationOf<H extends CollectionShape, N extends string> {
  /** A UUID. The server applies an id at most once. */
  readonly id: string;
  /** Its number among the operations of this store, from 1. Lists are in this order. */
  readonly sequence: number;
  /** The local transaction that made it. A write outside of `transaction` is its own transaction. */
  readonly transaction: string | undefined;
  /** The collection of the record. It narrows the types of `entityId` and `change`. */
  readonly collection: N;
  /** The kind of the collection. */
  readonly kind: H["kind"];
  /** The id of the record. */
  readonly entityId: IdIn<H>;
  /** What it changes. */
  readonly change: H["kind"] extends "fact" ? Extract<Change<H>, { action: "create" }> : Change<H>;
  /** What became of it so far. */
  readonly status: OperationStatus;
  /** The person who made it, as the option `actor` returned it. */
  readonly actor: string | undefined;
  /** When it was made: epoch ms, corrected by the server's clock as far as it was known. */
  readonly occurredAt: number;
  /** How many answers the server has given to it. Failed requests do not count. */
  readonly attempts: number;
}

/** An operation of any collection. `collection` narrows it. */
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, otherwise no real one fits
export type Operation<C extends CollectionMap = any> = { [N in Named<C>]: OperationOf<ShapeOf<C, N>, N> }[Named<C>];

/** Which operations to list. Members that are left out do not restrict the list. */
export interface OperationFilter<N extends string> {
  /** One state, or any of several. */
  state?: OperationStatus["state"] | readonly OperationStatus["state"][] | undefined;
  /** The collection of the record. */
  collection?: N | undefined;
  /** The id of the record. */
  entityId?: string | undefined;
  /** The local transaction. */
  transaction?: string | undefined;
  /** At most this many. */
  limit?: number | undefined;
  /** The id of the last operation of the previous page. */
  after?: string | undefined;
}

/**
 * The outbox, the journal, and the desk for what was refused. Applied and superseded operations stay in the journal for
 * 14 days of server time, then they are pruned; the others stay until they are dealt with.
 */
export interface OperationDesk<C extends CollectionMap> {
  /** Lists operations, by `sequence`. */
  list(filter?: OperationFilter<Named<C>>): Promise<readonly Operation<C>[]>;
  /** One operation; `undefined` if it is not known here, or was pruned. */
  get(id: string): Promise<Operation<C> | undefined>;
  /** A list that follows every change. If a read fails, it keeps what it has, and the event `error` is raised. */
  live(filter: OperationFilter<Named<C>> & { limit: number }): Live<readonly Operation<C>[]>;
  /**
   * Sends rejected or quarantined operations again, as they are, each as a new operation that supersedes the old one;
   * and sends now what is pending or blocked. Quarantined members of one transaction are sent together.
   *
   * It resolves when that is on disk. If one of the ids can't be retried, nothing is changed.
   * @throws TillSyncError `operation_not_rejected` (an unknown id, or another state)
   * @example
   * const rejected = await till.operations.list({ state: "rejected" });
   * await till.operations.retry(rejected.map(({ id }) => id));
   */
  retry(ids: string | readonly string[]): Promise<void>;
  /**
   * Replaces a rejected or quarantined `create` or `update` by a corrected one: `patch` is applied to what it would
   * have stored. The old operation is kept, superseded, with its verdict.
   * @throws TillSyncError `operation_not_rejected`, `validation_failed`, `not_json`, `schema_async`
   * @example
   * const [operation] = await till.operations.list({ state: "rejected" });
   * if (operation?.collection === "products") await till.operations.amend(operation, { name: "Cake" });
   */
  amend<N extends Named<C>>(operation: OperationOf<ShapeOf<C, N>, N>, patch: Patch<ShapeOf<C, N>>): Promise<void>;
  /**
   * Gives up an edit that the server has not applied, whatever its state. The server is told too, because the till
   * can't know whether the operation has arrived there. `reason` is kept with the operation on this device. A fact
   * can't be given up.
   * @param options `actor`: who gives it up, if it is not the person whom the option `actor` names
   * @throws TillSyncError `operation_not_rejected` (a fact, an unknown id, or applied or superseded meanwhile)
   * @example
   * const [operation] = await till.operations.list({ state: "rejected" });
   * if (operation?.kind === "record") await till.operations.discard(operation, { reason: "entered twice" });
   */
  discard(
    operation: { readonly id: string; readonly kind: "record" },
    options: { reason: string; actor?: string | undefined },
  ): Promise<void>;
}

// ── Conflicts ──

/** The names of the collections whose records can be edited. */
export type RecordNames<C extends CollectionMap> = {
  [N in Named<C>]: ShapeOf<C, N>["kind"] extends "fact" ? never : N;
}[Named<C>];

/** A conflict of one collection: this device and another changed the same field of one record. */
export interface ConflictOf<H extends CollectionShape, N extends string> {
  /** The id that the server gave it. */
  readonly id: string;
  /** The collection of the record. It narrows the types of the three sides. */
  readonly collection: N;
  /** The id of the record. */
  readonly entityId: IdIn<H>;
  /** The record that the edit was made on; `undefined` if there was none, or it is not known any more. */
  readonly base: H["record"] | undefined;
  /** The record as the edit on this device would make it; `undefined` if the edit deleted it. */
  readonly client: H["record"] | undefined;
  /** The server's record; `undefined` if it was deleted there. */
  readonly server: H["record"] | undefined;
  /**
   * `true`: a newer app or server wrote one of the sides, an `upcast` fails on it, or the app lacks the collection. A
   * side that is `undefined` may exist all the same, and in `fields` are the fields that the server named. Only the
   * server's side can be kept, until an app shows the conflict that can read it.
   */
  readonly unreadable: boolean;
  /** The fields in which `client` and `server` differ, including those that only this device changed. */
  readonly fields: readonly FieldDifference<H["record"]>[];
  /** When this device received it: epoch ms, corrected by the server's clock. */
  readonly detectedAt: number;
  /** The person who made the edit, as the option `actor` returned it. */
  readonly actor: string | undefined;
  /** How it was settled; `undefined` while a person has to decide. */
  readonly settled:
    | {
        /** The collection's `resolver`, a `person` on this device, or the `server`: for example, the office. */
        readonly by: "resolver" | "person" | "server";
        /** When, in epoch ms. */
        readonly at: number;
        /** Which side was kept. */
        readonly kept: "client" | "server" | "merged";
      }
    | undefined;
}

/** A field with its value on each of the three sides. `undefined`: the record, or the field in it, is missing there. */
export type FieldDifference<R> = {
  [K in keyof R & string]: {
    /** The name of the field. It narrows the types of the values. */
    readonly field: K;
    /** Before the edit. */
    readonly base: R[K] | undefined;
    /** With the edit of this device. */
    readonly client: R[K] | undefined;
    /** On the server. */
    readonly server: R[K] | undefined;
  };
}[keyof R & string];

/** A conflict of any collection. `collection` narrows it. */
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, otherwise no real one fits
export type Conflict<C extends CollectionMap = any> = {
  [N in RecordNames<C>]: ConflictOf<ShapeOf<C, N>, N>;
}[RecordNames<C>];

/** The conflicts of this device. Settled ones are kept for 14 days, with the edit that lost. */
export interface ConflictDesk<C extends CollectionMap> {
  /** Lists conflicts, oldest edit first. */
  list(filter?: {
    /**
     * Only conflicts of this collection.
     * @default all
     */
    collection?: RecordNames<C> | undefined;
    /**
     * `open`: those that wait for a person. `settled`: those that were settled, by a resolver, a person or the server.
     * @default "open"
     */
    state?: "open" | "settled" | undefined;
    /**
     * At most this many.
     * @default all
     */
    limit?: number | undefined;
  }): Promise<readonly Conflict<C>[]>;
  /** One conflict, open or settled; `undefined` if it is not known here, or was pruned. */
  get(id: string): Promise<Conflict<C> | undefined>;
  /**
   * The list of open conflicts, which follows every change. If a read fails, it keeps what it has, and the event
   * `error` is raised.
   */
  live(): Live<readonly Conflict<C>[]>;
  /**
   * Settles a conflict. The choice is a side, or the fields that a person chose, which are applied to the server's
   * record as the conflict shows it. It is sent as a new operation that supersedes the one in conflict. If somebody
   * else has written these fields in the meantime, it is in conflict itself, and the desk shows the new record.
   * @param options `actor`: who settles it, if it is not the person whom the option `actor` names. `note`: kept with
   * the conflict on this device
   * @throws TillSyncError `conflict_settled`, `validation_failed`, `not_json`, `schema_async`
   * @example
   * const [conflict] = await till.conflicts.list();
   * if (conflict?.collection === "products") await till.conflicts.resolve(conflict, { merged: { priceCents: 450 } });
   */
  resolve(
    conflict: Conflict<C>,
    choice: "client" | "server",
    options?: { actor?: string | undefined; note?: string | undefined },
  ): Promise<void>;
  /** With `merged`, `collection` must have narrowed the conflict: it says which fields there are. */
  resolve<N extends RecordNames<C>>(
    conflict: ConflictOf<ShapeOf<C, N>, N>,
    choice: "client" | "server" | { merged: Patch<ShapeOf<C, N>> },
    options?: { actor?: string | undefined; note?: string | undefined },
  ): Promise<void>;
}
