/** What the lists of both desks share. */
import type { LocalStore } from "../store/local-store.ts";
import type { Writer } from "../store/writer.ts";
import type { CommitFeed } from "../tab/commit-feed.ts";

export interface DeskDeps {
  readonly store: LocalStore;
  readonly writer: Writer;
  readonly feed: CommitFeed;
  readonly inFlight: ReadonlySet<string>;
  /** Sends now, whatever is being waited for. */
  wake(): void;
}

/** A list has no place for an error: what was read before stays, and whoever listens for errors is told. */
export const keeping =
  ({ reportError }: CommitFeed) =>
  <T>(before: T, error: unknown): T => {
    reportError(error);
    return before;
  };

/** The same list as before where it says the same: whoever shows it has nothing to do. */
export function unlessSame<T>(before: readonly T[], next: readonly T[]): readonly T[] {
  return JSON.stringify(next) === JSON.stringify(before) ? before : next;
}
