/**
 * What an application tells the server: who calls, and a policy for each collection.
 *
 * Policies are part of the decision: synchronous and pure, since a decision may run more than once before it is committed.
 */
import type {
  CollectionMap,
  CollectionShape,
  ConflictResolver,
  CreateInput,
  Increments,
  Patch,
} from "../schema/types.ts";

/** Who calls, as the verified token says it. Nothing that a body says can widen it (L9). */
export interface Principal {
  /** 1 to 64 of `A-Za-z0-9_-`. */
  readonly tenant: string;
  /** The branch whose rows are seen and written. Without one: all of the tenant's, as for a head office. */
  readonly branch?: string | undefined;
  /** The device that the token was made out to. Without one the token is bound to none: header and body name the device. */
  readonly device?: string | undefined;
  readonly actor?: string | undefined;
  readonly scopes: readonly string[];
  /** When the token ends, epoch ms: its live socket is closed then. Without it a socket stays open for as long as it holds. */
  readonly expiresAt?: number | undefined;
}

type ShapeOf<C extends CollectionMap, N extends keyof C> = C[N]["~shape"];

/** One for every collection: what is not said is not served. */
export type Policies<C extends CollectionMap> = { readonly [N in keyof C & string]: PolicyFor<C, N> };
export type PolicyFor<C extends CollectionMap, N extends keyof C & string> = ShapeOf<C, N>["kind"] extends "fact"
  ? FactPolicy<C, N>
  : RecordPolicy<C, N>;

export interface BasePolicy<C extends CollectionMap, N extends keyof C & string> {
  /** Who receives the rows: every till of the tenant, or those of the branch this names. Also checked on every write. */
  scope: "tenant" | { readonly branch: (record: ShapeOf<C, N>["record"]) => string | undefined };
  /**
   * Scopes the token must hold, per action. `"nobody"`: only the back office. Increments need none: they are never refused
   * [H4]; `decide` may set them aside.
   */
  allow: { readonly read: string | "everyone"; readonly create: string | "everyone" | "nobody" };
  /** Names the further rows that `decide` will look at. May be called with data that no schema has seen yet. */
  reads?:
    | ((input: { readonly operation: PolicyOperation<ShapeOf<C, N>>; readonly principal: Principal }) => {
        readonly [M in keyof C]?: readonly string[];
      })
    | undefined;
}

export interface FactPolicy<C extends CollectionMap, N extends keyof C & string> extends BasePolicy<C, N> {
  /** Pure, synchronous. A fact can be annotated or set aside; it cannot be refused (L11). */
  decide?: ((input: DecisionInput<C, N>) => Applied<C, N> | Quarantined) | undefined;
}

export interface RecordPolicy<C extends CollectionMap, N extends keyof C & string> extends BasePolicy<C, N> {
  allow: BasePolicy<C, N>["allow"] & {
    readonly update: string | "everyone" | "nobody";
    readonly delete: string | "everyone" | "nobody";
    /** For edits that overwrite whatever is there (`lastWriteWins`). @default nobody */
    readonly force?: string | undefined;
  };
  /** Settles conflicts here; without it the till's own resolver does. The server has no history: `base` lacks the fields in conflict. */
  conflict?: ConflictResolver<ShapeOf<C, N>["record"]> | undefined;
  /** Pure, synchronous. An increment that is refused is set aside instead. */
  decide?: ((input: DecisionInput<C, N>) => Applied<C, N> | Rejected | Quarantined) | undefined;
}

export type PolicyOperation<H extends CollectionShape> = {
  readonly id: string;
  readonly entityId: string;
  readonly actor: string | undefined;
  /** Epoch ms of the till's clock. */
  readonly occurredAt: number;
} & (
  | { readonly action: "create"; readonly data: H["record"] }
  | (H["kind"] extends "fact"
      ? never
      : { readonly action: "update"; readonly patch: Partial<H["record"]> } | { readonly action: "delete" })
  | ([H["counters"]] extends [never]
      ? never
      : { readonly action: "increment"; readonly by: Readonly<Partial<Record<H["counters"], number>>> })
);

export interface DecisionInput<C extends CollectionMap, N extends keyof C & string> {
  readonly operation: PolicyOperation<ShapeOf<C, N>>;
  /** The row as it is, and as it would be. */
  readonly current: ShapeOf<C, N>["record"] | undefined;
  readonly next: ShapeOf<C, N>["record"] | undefined;
  readonly principal: Principal;
  /** What `reads` asked for, with the operations before this one already in it. Only rows that exist and are not deleted. */
  readonly rows: { readonly [M in keyof C]: ReadonlyMap<string, ShapeOf<C, M>["record"]> };
  readonly receivedAt: number;
  /** Counts the histories of this tenant's database: 1, and one more for each restore. Numbers made of it never repeat. */
  readonly epoch: number;
  /** This operation was applied before, in a history that a restore has lost [C8.5]. Its assigned values stand, whatever is answered. */
  readonly acknowledged?: { readonly assigned?: Readonly<Partial<ShapeOf<C, N>["record"]>> | undefined } | undefined;
  /**
   * It was set aside, and people let it in: what spoke against it is a flag now, and its assigned values and effects are made as always.
   * To a policy that sets it aside again nobody listens; it is applied with that code as a flag, and with neither.
   */
  readonly released?: true | undefined;
}

export interface Applied<C extends CollectionMap, N extends keyof C & string> {
  readonly outcome: "applied";
  readonly assigned?:
    | Readonly<Partial<Pick<ShapeOf<C, N>["record"], ShapeOf<C, N>["assigned"] & keyof ShapeOf<C, N>["record"]>>>
    | undefined;
  /** Optional fields of a fact that are not to be stored, e.g. a customer whom nobody knows. Say so with a flag. */
  readonly without?:
    | (ShapeOf<C, N>["kind"] extends "fact" ? readonly OptionalField<ShapeOf<C, N>["record"]>[] : never)
    | undefined;
  readonly flags?: readonly { readonly code: string; readonly message?: string }[] | undefined;
  /** The first belongs to the first flag `stock_discrepancy`, and so on; such a flag is made where there is none. */
  readonly discrepancies?:
    | readonly { readonly product: string; readonly expected: number; readonly available: number }[]
    | undefined;
  /** Written with it, in the same database transaction. They ask no policy and meet no conflict. */
  readonly effects?: readonly Effect<C>[] | undefined;
}
type OptionalField<T> = { [K in keyof T & string]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T &
  string];
export interface Rejected {
  readonly outcome: "rejected";
  readonly code: string;
  readonly message: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[] | undefined;
}
export interface Quarantined {
  readonly outcome: "quarantined";
  readonly code: string;
  readonly message: string;
}

export type Effect<C extends CollectionMap> = {
  [N in keyof C & string]: { readonly collection: N; readonly id: string } & (
    | { readonly create: CreateInput<ShapeOf<C, N>> }
    | (ShapeOf<C, N>["kind"] extends "fact" ? never : { readonly patch: Patch<ShapeOf<C, N>> })
    | ([ShapeOf<C, N>["counters"]] extends [never] ? never : { readonly increment: Increments<ShapeOf<C, N>> })
  );
}[keyof C & string];
