/** The queue and the conflicts, as people see them. */
import type { CollectionMap, CollectionShape, Patch } from "../../schema/types.ts";
import type { Verdict } from "./record.ts";
import type { IdIn, Live, Named, ShapeOf } from "./shape.ts";

// ── The queue, as people see it ──
export type Change<H extends CollectionShape> =
  | { readonly action: "create"; readonly data: H["record"] }
  | { readonly action: "update"; readonly patch: Partial<H["record"]>; readonly baseVersion: number }
  | { readonly action: "increment"; readonly by: Readonly<Partial<Record<H["counters"], number | string>>> }
  | { readonly action: "delete"; readonly baseVersion: number };
export type OperationStatus =
  | { readonly state: "pending" | "in_flight" | "applied" }
  | { readonly state: "blocked"; readonly by: readonly string[] }
  | { readonly state: "superseded"; readonly by: string }
  | { readonly state: "conflict"; readonly conflictId: string }
  | { readonly state: "rejected" | "quarantined"; readonly reason: Verdict };
export interface OperationOf<H extends CollectionShape, N extends string> {
  readonly id: string;
  readonly sequence: number;
  readonly transaction: string | undefined;
  readonly collection: N;
  readonly kind: H["kind"];
  readonly entityId: IdIn<H>;
  readonly change: H["kind"] extends "fact" ? Extract<Change<H>, { action: "create" }> : Change<H>;
  readonly status: OperationStatus;
  readonly actor: string | undefined;
  readonly occurredAt: number;
  readonly attempts: number;
}
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, else no real one fits
export type Operation<C extends CollectionMap = any> = { [N in Named<C>]: OperationOf<ShapeOf<C, N>, N> }[Named<C>];
export interface OperationFilter<N extends string> {
  state?: OperationStatus["state"] | readonly OperationStatus["state"][] | undefined;
  collection?: N | undefined;
  entityId?: string | undefined;
  transaction?: string | undefined;
  limit?: number | undefined;
  /** The id of the last one of the page before. */
  after?: string | undefined;
}
export interface OperationDesk<C extends CollectionMap> {
  list(filter?: OperationFilter<Named<C>>): Promise<readonly Operation<C>[]>;
  get(id: string): Promise<Operation<C> | undefined>;
  live(filter: OperationFilter<Named<C>> & { limit: number }): Live<readonly Operation<C>[]>;
  /** Sends rejected operations again, as they are, without waiting for the backoff. */
  retry(ids: string | readonly string[]): Promise<void>;
  /** Replaces a rejected operation by a corrected one; the old one is kept with its verdict. */
  amend<N extends Named<C>>(operation: OperationOf<ShapeOf<C, N>, N>, patch: Patch<ShapeOf<C, N>>): Promise<void>;
  /** Gives up an edit. A fact is not an edit: it cannot be passed here. */
  discard(
    operation: { readonly id: string; readonly kind: "record" },
    options: { reason: string; actor?: string | undefined },
  ): Promise<void>;
}

// ── Conflicts, as people see them ──
export type RecordNames<C extends CollectionMap> = {
  [N in Named<C>]: ShapeOf<C, N>["kind"] extends "fact" ? never : N;
}[Named<C>];
export interface ConflictOf<H extends CollectionShape, N extends string> {
  readonly id: string;
  readonly collection: N;
  readonly entityId: IdIn<H>;
  readonly base: H["record"] | undefined;
  /** `undefined`: deleted on that side. */
  readonly client: H["record"] | undefined;
  readonly server: H["record"] | undefined;
  readonly fields: readonly FieldDifference<H["record"]>[];
  readonly detectedAt: number;
  readonly actor: string | undefined;
  readonly settled:
    | {
        readonly by: "resolver" | "person" | "server";
        readonly at: number;
        readonly kept: "client" | "server" | "merged";
      }
    | undefined;
}
export type FieldDifference<R> = {
  [K in keyof R & string]: {
    readonly field: K;
    readonly base: R[K] | undefined;
    readonly client: R[K] | undefined;
    readonly server: R[K] | undefined;
  };
}[keyof R & string];
// biome-ignore lint/suspicious/noExplicitAny: without an argument it must accept any client, else no real one fits
export type Conflict<C extends CollectionMap = any> = {
  [N in RecordNames<C>]: ConflictOf<ShapeOf<C, N>, N>;
}[RecordNames<C>];
export interface ConflictDesk<C extends CollectionMap> {
  /** @default state: "open". "settled": those that a resolver settled, with the edit that lost. */
  list(filter?: {
    collection?: RecordNames<C> | undefined;
    state?: "open" | "settled" | undefined;
    limit?: number | undefined;
  }): Promise<readonly Conflict<C>[]>;
  get(id: string): Promise<Conflict<C> | undefined>;
  live(): Live<readonly Conflict<C>[]>;
  /** A side, or the fields a person chose on top of the server's record. */
  resolve<N extends RecordNames<C>>(
    conflict: ConflictOf<ShapeOf<C, N>, N>,
    choice: "client" | "server" | { merged: Patch<ShapeOf<C, N>> },
    options?: { actor?: string | undefined; note?: string | undefined },
  ): Promise<void>;
}
