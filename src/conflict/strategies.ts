/**
 * The resolvers that need no rule per field.
 *
 * Each carries its name as `~strategy`: where one side has been deleted there is no record to hand to a function, and the
 * name must decide. A property, so that it survives two copies of the package.
 */
import type { ConflictContext, ConflictResolver } from "../schema/types.ts";

/** A side, or people. */
export type Side = "server" | "client" | "manual";
export type Strategy = "server_wins" | "client_wins" | "last_write_wins" | "manual" | "merge";

export interface StrategyMark {
  readonly "~strategy": Strategy;
  /** Who wins where one side has deleted the record; with `mergeFields` also in fields without a rule of their own. */
  readonly "~otherwise": Side;
}

// biome-ignore lint/suspicious/noExplicitAny: these fit any collection, as they look at no field
export type AnyResolver = ConflictResolver<any>;

/** The server's record stands. The edit that lost stays on the desk, settled. */
export function serverWins(): AnyResolver {
  return markStrategy(() => "server", "server_wins", "server");
}

/** The till's edit goes over the server's, as a new operation. */
export function clientWins(): AnyResolver {
  return markStrategy(() => "client", "client_wins", "client");
}

/**
 * What reaches the server last wins: the order in which the server took them, never a clock. Not for prices, as a till that was
 * offline for a day would undo the day's changes.
 *
 * Such edits are sent with `force`, so that this is asked only where a server's policy did not allow that; the edit that
 * comes now is then the last.
 */
export function lastWriteWins(): AnyResolver {
  return markStrategy(() => "client", "last_write_wins", "client");
}

/** People decide: the conflict waits on `client.conflicts`, and in the back office. */
export function manual(): AnyResolver {
  return markStrategy(() => "manual", "manual", "manual");
}

/** Gives a resolver its mark. */
export function markStrategy<T>(
  resolve: (conflict: ConflictContext<T>) => T | Side,
  strategy: Strategy,
  otherwise: Side,
): ConflictResolver<T> & StrategyMark {
  return Object.freeze(Object.assign(resolve, { "~strategy": strategy, "~otherwise": otherwise }));
}

/** What a resolver does, as far as that can be said without calling it. */
export function strategyOf(resolver: AnyResolver): Strategy | "custom" {
  return (resolver as Partial<StrategyMark>)["~strategy"] ?? "custom";
}

/** Who wins where one side has deleted the record, so that no resolver can be called. */
export function sideOf(resolver: AnyResolver): Side {
  return (resolver as Partial<StrategyMark>)["~otherwise"] ?? "manual";
}
