/**
 * What an application tells the server: who is calling, and one policy per collection.
 *
 * Policies are part of the decision. They are synchronous and pure, because a decision may run more than once before it
 * is committed.
 */
import type {
  CollectionMap,
  CollectionShape,
  ConflictResolver,
  CreateInput,
  Increments,
  Patch,
} from "../schema/types.ts";

/** Who is calling, according to the verified token. Nothing in a request's body can widen it (L9). */
export interface Principal {
  /** The shop whose data is read and written: 1 to 64 of `A-Za-z0-9_-`. */
  readonly tenant: string;
  /**
   * The branch whose rows the caller may read and write: 1 to 64 of `A-Za-z0-9_-`.
   * `undefined`: the rows of every branch, as for a head office.
   */
  readonly branch?: string | undefined;
  /**
   * The device that the token was issued to: 1 to 64 of `A-Za-z0-9_-`.
   * `undefined`: the token is not bound to a device, and the device that the request names is believed.
   */
  readonly device?: string | undefined;
  /** The person who is signed in, under whose name the desks' decisions are recorded. `undefined`: not known. */
  readonly actor?: string | undefined;
  /** The rights of the token, as `allow` and `deskScope` name them. Empty: only what `"everyone"` may do. */
  readonly scopes: readonly string[];
  /**
   * When the token expires, in epoch ms (a JWT's `exp` is in seconds): its live socket is closed then.
   * `undefined`: the socket stays open for as long as the connection lasts.
   */
  readonly expiresAt?: number | undefined;
}

type ShapeOf<C extends CollectionMap, N extends keyof C> = C[N]["~shape"];

/**
 * One policy per collection. Every collection needs one: without it, `createSyncHandler` throws `invalid_option`.
 *
 * @example
 * ```ts
 * const policies: Policies<typeof collections> = {
 *   products: {
 *     scope: "tenant",
 *     allow: { read: "everyone", create: "catalog:write", update: "catalog:write", delete: "nobody" },
 *   },
 *   sales: { scope: { branch: (sale) => sale.branchId }, allow: { read: "everyone", create: "sales:write" } },
 * };
 * ```
 */
export type Policies<C extends CollectionMap> = { readonly [N in keyof C & string]: PolicyFor<C, N> };

/** The policy of one collection: a {@link FactPolicy} for facts, a {@link RecordPolicy} for records. */
export type PolicyFor<C extends CollectionMap, N extends keyof C & string> = ShapeOf<C, N>["kind"] extends "fact"
  ? FactPolicy<C, N>
  : RecordPolicy<C, N>;

/** What the policies of facts and of records have in common. */
export interface BasePolicy<C extends CollectionMap, N extends keyof C & string> {
  /**
   * Who receives the rows: every till of the tenant, or those of the branch that `branch` returns. If it returns
   * `undefined`, the row is for the whole tenant. Pure and synchronous. The scope is also checked on every write.
   */
  scope: "tenant" | { readonly branch: (record: ShapeOf<C, N>["record"]) => string | undefined };
  /**
   * Who may `read` and `create`: a scope that the token must hold, `"everyone"`, or `"nobody"`. What no token may do
   * is left to imports and to the effects of policies. A fact or an increment that its sender might not send is
   * quarantined: people with the desks' scope may release it, except what `"nobody"` may do.
   */
  allow: { readonly read: string | "everyone"; readonly create: string | "everyone" | "nobody" };
  /**
   * Returns the ids of further rows that `decide` needs, by collection. Pure and synchronous.
   * It may be called with data that no schema has checked yet: if it throws then, it is called again after the check.
   * Not called for a policy without `decide`.
   */
  reads?:
    | ((input: { readonly operation: PolicyOperation<ShapeOf<C, N>>; readonly principal: Principal }) => {
        readonly [M in keyof C]?: readonly string[];
      })
    | undefined;
}

/**
 * The policy of a collection of facts.
 *
 * @example
 * ```ts
 * const sales: FactPolicy<Shop, "sales"> = {
 *   scope: { branch: (sale) => sale.branchId },
 *   allow: { read: "everyone", create: "sales:write" },
 *   reads: ({ operation }) => ({ products: operation.data.items.map((item) => item.productId) }),
 *   decide({ operation, rows }) {
 *     const unknown = operation.data.items.filter((item) => !rows.products.has(item.productId));
 *     return {
 *       outcome: "applied",
 *       flags: unknown.map((item) => ({ code: "unknown_product", message: item.productId })),
 *     };
 *   },
 * };
 * ```
 */
export interface FactPolicy<C extends CollectionMap, N extends keyof C & string> extends BasePolicy<C, N> {
  /**
   * Decides about a new fact. Pure and synchronous. A fact can be annotated or quarantined; it cannot be refused (L11).
   * If it throws, the fact is quarantined with the code `policy_failed`.
   * @default every fact is applied
   */
  decide?: ((input: DecisionInput<C, N>) => Applied<C, N> | Quarantined) | undefined;
}

/**
 * The policy of a collection of records.
 *
 * @example
 * ```ts
 * const products: RecordPolicy<Shop, "products"> = {
 *   scope: "tenant",
 *   allow: { read: "everyone", create: "catalog:write", update: "catalog:write", delete: "nobody" },
 *   conflict: serverWins(), // of "tillsync/conflict"
 *   decide({ operation }) {
 *     if (operation.action === "update" && operation.patch.priceCents === 0) {
 *       return { outcome: "rejected", code: "price_zero", message: "Only the office sets a price to zero" };
 *     }
 *     return { outcome: "applied" };
 *   },
 * };
 * ```
 */
export interface RecordPolicy<C extends CollectionMap, N extends keyof C & string> extends BasePolicy<C, N> {
  /** Who may `read`, `create`, `update` and `delete`, as in {@link BasePolicy.allow}; and who may `force`. */
  allow: BasePolicy<C, N>["allow"] & {
    /** Who may change fields. Counters are not among them. */
    readonly update: string | "everyone" | "nobody";
    /** Who may delete a record. */
    readonly delete: string | "everyone" | "nobody";
    /**
     * Who may move counters. A till that sells moves the stock: without the right its sale goes into quarantine, because
     * a step is never refused [H4].
     * @default the rule of `update`
     */
    readonly increment?: string | undefined;
    /**
     * Who may overwrite whatever the server has (`lastWriteWins`). Such an edit also needs `update` or `delete`.
     * @default "nobody"
     */
    readonly force?: string | undefined;
  };
  /**
   * Resolves conflicts on the server. Pure and synchronous. The server keeps no history: `base` is the server's record
   * without the fields in conflict. The conflict is left to the till and to people if it returns `"manual"` or throws.
   * @default none: the till's own resolver decides
   */
  conflict?: ConflictResolver<ShapeOf<C, N>["record"]> | undefined;
  /**
   * Decides about an edit or an increment. Pure and synchronous. An increment that is rejected is quarantined instead.
   * If it throws, an increment is quarantined with the code `policy_failed`, and an edit is retried later.
   * @default everything is applied
   */
  decide?: ((input: DecisionInput<C, N>) => Applied<C, N> | Rejected | Quarantined) | undefined;
}

/** An operation as a policy sees it: frozen, in the current version of the collection's schema. */
export type PolicyOperation<H extends CollectionShape> = {
  /** The operation's own id, a UUID. It has at most one effect, however often it is sent (L2). */
  readonly id: string;
  /** The id of the record or fact: 1 to 64 of `A-Za-z0-9_-`. */
  readonly entityId: string;
  /** The person whom the till names: a claim. What the token says is in `principal.actor`. `undefined`: not named. */
  readonly actor: string | undefined;
  /** When it happened by the till's clock, in epoch ms. The clock may be wrong. */
  readonly occurredAt: number;
} & (
  | {
      /** A new record or fact. */
      readonly action: "create";
      /** All of it as the schema returned it, with `id`, and with counters at their value. */
      readonly data: H["record"];
    }
  | (H["kind"] extends "fact"
      ? never
      :
          | {
              /** Some fields are changed. */
              readonly action: "update";
              /** The changed fields. A field that is removed is present as `undefined`. */
              readonly patch: Partial<H["record"]>;
            }
          | {
              /** The record is deleted. */
              readonly action: "delete";
            })
  | ([H["counters"]] extends [never]
      ? never
      : {
          /** Counters move. */
          readonly action: "increment";
          /** The steps, by counter. A step may be negative. */
          readonly by: Readonly<Partial<Record<H["counters"], number>>>;
        })
);

/** What `decide` receives. Records in it are frozen. */
export interface DecisionInput<C extends CollectionMap, N extends keyof C & string> {
  /** What a till wants to do. */
  readonly operation: PolicyOperation<ShapeOf<C, N>>;
  /** The row before the operation. `undefined`: there is none, or it is deleted. */
  readonly current: ShapeOf<C, N>["record"] | undefined;
  /** The row as the operation would leave it. `undefined`: deleted, or still without a create (an early increment). */
  readonly next: ShapeOf<C, N>["record"] | undefined;
  /** Who is calling. If the operation is `released`: its till, with the scopes of the person who released it. */
  readonly principal: Principal;
  /** The rows that `reads` named, as the operations before this one left them, of any branch; without deleted ones. */
  readonly rows: { readonly [M in keyof C]: ReadonlyMap<string, ShapeOf<C, M>["record"]> };
  /** When the server received the operation, or released it: epoch ms by the server's clock. */
  readonly receivedAt: number;
  /**
   * The ordinal of the tenant's history: 1 at first, and higher after each restore from a backup. A number that
   * contains it never repeats one that a lost history gave out.
   */
  readonly epoch: number;
  /**
   * Present if a till sends again what was applied in a history that a restore has lost [C8.5]. The values in
   * `assigned` stand, whatever `decide` returns.
   */
  readonly acknowledged?: { readonly assigned?: Readonly<Partial<ShapeOf<C, N>["record"]>> | undefined } | undefined;
  /**
   * A person released this operation from quarantine. Return `applied` and report the earlier objection as a flag;
   * assigned values and effects work as usual. If you quarantine it again, your verdict is overruled: it is applied
   * with your code as a flag, and without assigned values or effects.
   */
  readonly released?: true | undefined;
}

/** The verdict that the operation takes effect. */
export interface Applied<C extends CollectionMap, N extends keyof C & string> {
  readonly outcome: "applied";
  /**
   * Values for fields that the collection declares in `assigned`, of at most 2 KiB of JSON together. The till receives
   * them with the result.
   */
  readonly assigned?:
    | Readonly<Partial<Pick<ShapeOf<C, N>["record"], ShapeOf<C, N>["assigned"] & keyof ShapeOf<C, N>["record"]>>>
    | undefined;
  /** Optional fields of a fact that are not to be stored, for example an unknown customer. Report each with a flag. */
  readonly without?:
    | (ShapeOf<C, N>["kind"] extends "fact" ? readonly OptionalField<ShapeOf<C, N>["record"]>[] : never)
    | undefined;
  /** Remarks for people, which the till receives with the result: a `code` of your own, and a `message`. */
  readonly flags?: readonly { readonly code: string; readonly message?: string }[] | undefined;
  /**
   * More was sold than there was: the id of the `product`, the quantity `expected`, and the quantity `available`.
   * The n-th discrepancy is linked to the n-th `stock_discrepancy` flag; a flag is added for each one left over.
   */
  readonly discrepancies?:
    | readonly { readonly product: string; readonly expected: number; readonly available: number }[]
    | undefined;
  /** Further writes in the same database transaction. They ask no policy and meet no conflict. */
  readonly effects?: readonly Effect<C>[] | undefined;
}
type OptionalField<T> = { [K in keyof T & string]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T &
  string];

/** The verdict that an edit does not take effect. It waits on the till's operations desk. */
export interface Rejected {
  readonly outcome: "rejected";
  /** A stable code of your own, in snake_case, for programs. */
  readonly code: string;
  /** The reason, for people. */
  readonly message: string;
  /** What is wrong with single fields. `path`: the field, with dots between the parts. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[] | undefined;
}

/** The verdict that the operation is kept without effect until a person releases or discards it. */
export interface Quarantined {
  readonly outcome: "quarantined";
  /** A stable code of your own, in snake_case, for programs. */
  readonly code: string;
  /** The reason, for people. */
  readonly message: string;
}

/**
 * A write besides the operation's own row: of the record `id` of `collection`. It has one of `create`, `patch` and
 * `increment`. If the shop's data prevents it, the operation gets a flag and still takes effect; if the effect
 * could never succeed, the policy has failed, as if it had thrown.
 */
export type Effect<C extends CollectionMap> = {
  [N in keyof C & string]: {
    /** The name of a collection. It need not be the operation's own. */
    readonly collection: N;
    /** The record's id: 1 to 64 of `A-Za-z0-9_-`. */
    readonly id: string;
  } & (
    | {
        /** The new record, without counters. If one with other content exists, it stays: flag `id_collision`. */
        readonly create: CreateInput<ShapeOf<C, N>>;
      }
    | (ShapeOf<C, N>["kind"] extends "fact"
        ? never
        : {
            /**
             * Fields to set; `undefined` removes one. A record that does not exist stays so: flag `unknown_row` or
             * `deleted_row`.
             */
            readonly patch: Patch<ShapeOf<C, N>>;
          })
    | ([ShapeOf<C, N>["counters"]] extends [never]
        ? never
        : {
            /** Steps, by counter. They also count if the record does not exist yet. */
            readonly increment: Increments<ShapeOf<C, N>>;
          })
  );
}[keyof C & string];
