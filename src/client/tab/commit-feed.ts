/** What was committed, told to whoever shows it: live queries, waits, the status. */
import type { Commit } from "../store/local-store.ts";

export class CommitFeed {
  readonly #listeners = new Set<(commit: Commit) => void>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  subscribe(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** What a listener of something live threw: it has no caller either. */
  readonly reportError = (error: unknown): void => this.#failed(error);

  /** One listener that throws must not keep the news from the others, or fail the write that it is told of. */
  publish(commit: Commit): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(commit);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
