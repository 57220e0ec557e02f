/** What the lists of both desks share. */
import type { LocalStore } from "../store/local-store.ts";
import type { Writer } from "../store/writer.ts";
import type { CommitFeed } from "../tab/commit-feed.ts";

export interface DeskDeps {
  readonly store: LocalStore;
  readonly writer: Writer;
  readonly feed: CommitFeed;
  /** The ids of the operations that are in a push right now. */
  readonly inFlight: ReadonlySet<string>;
  /** Sends now, without waiting for a backoff or a timer. */
  wake(): void;
}

/**
 * A list has no place for an error: it keeps what was read before, and the error is reported to the listeners of
 * `error`.
 */
export const keeping =
  ({ reportError }: CommitFeed) =>
  <T>(before: T, error: unknown): T => {
    reportError(error);
    return before;
  };

/** The list as before if its content is the same, so whoever shows it has nothing to do. */
export function unlessSame<T>(before: readonly T[], next: readonly T[]): readonly T[] {
  return JSON.stringify(next) === JSON.stringify(before) ? before : next;
}
