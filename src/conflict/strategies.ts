/**
 * The resolvers that need no rules for fields.
 *
 * Each has its name in the property `~strategy`: if one side has deleted the record, a function can't be called, and
 * the name decides. A property also works if two copies of the package are loaded.
 */
import type { ConflictContext, ConflictResolver } from "../schema/types.ts";

/** The side to keep, or `manual` to leave the decision to people. */
export type Side = "server" | "client" | "manual";
/** The name of a resolver. */
export type Strategy = "server_wins" | "client_wins" | "last_write_wins" | "manual" | "merge";

/** What marks a resolver of this package. */
export interface StrategyMark {
  readonly "~strategy": Strategy;
  /** What is kept if one side has deleted the record; with `mergeFields` also in fields without a rule of their own. */
  readonly "~otherwise": Side;
}

// biome-ignore lint/suspicious/noExplicitAny: these fit any collection, as they look at no field
export type AnyResolver = ConflictResolver<any>;

/**
 * A resolver that keeps the server's record. The edit that lost stays on the desk, settled.
 *
 * @example
 * ```ts
 * const settings = defineCollection({ schema: z.object({ footer: z.string() }), conflict: serverWins() });
 * ```
 */
export function serverWins(): AnyResolver {
  return markStrategy(() => "server", "server_wins", "server");
}

/**
 * A resolver that writes the client's edit over the server's record, as a new operation.
 *
 * @example
 * ```ts
 * const drafts = defineCollection({ schema: z.object({ text: z.string() }), conflict: clientWins() });
 * ```
 */
export function clientWins(): AnyResolver {
  return markStrategy(() => "client", "client_wins", "client");
}

/**
 * A resolver that keeps the edit that reaches the server last. The order is that of the server, never that of a clock.
 * Don't use it for prices: a till that was offline for a day would undo the day's changes.
 *
 * Updates and deletes are sent with `force`. The server's policy must allow `force`; otherwise they are rejected with
 * `not_permitted`. A create of an existing id, and an update of a deleted record, can still be in conflict: this
 * resolver then keeps the client's side.
 *
 * @example
 * ```ts
 * const settings = defineCollection({ schema: z.object({ footer: z.string() }), conflict: lastWriteWins() });
 * ```
 */
export function lastWriteWins(): AnyResolver {
  return markStrategy(() => "client", "last_write_wins", "client");
}

/**
 * A resolver that leaves the decision to people: the conflict waits in `client.conflicts`, and on the server's desk.
 *
 * @example
 * ```ts
 * const customers = defineCollection({ schema: z.object({ phone: z.string() }), conflict: manual() });
 * ```
 */
export function manual(): AnyResolver {
  return markStrategy(() => "manual", "manual", "manual");
}

/** Marks a resolver, and freezes it. */
export function markStrategy<T>(
  resolve: (conflict: ConflictContext<T>) => T | Side,
  strategy: Strategy,
  otherwise: Side,
): ConflictResolver<T> & StrategyMark {
  return Object.freeze(Object.assign(resolve, { "~strategy": strategy, "~otherwise": otherwise }));
}

/** The name of a resolver; `custom` for any other function. */
export function strategyOf(resolver: AnyResolver): Strategy | "custom" {
  return (resolver as Partial<StrategyMark>)["~strategy"] ?? "custom";
}

/** What is kept if one side has deleted the record, so that the resolver can't be called. */
export function sideOf(resolver: AnyResolver): Side {
  return (resolver as Partial<StrategyMark>)["~otherwise"] ?? "manual";
}
