/** Publishes what was committed to its subscribers: live queries, waits, the status. */
import type { Commit } from "../store/local-store.ts";

export class CommitFeed {
  readonly #listeners = new Set<(commit: Commit) => void>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Returns a function that ends the subscription. */
  subscribe(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Reports what a listener of a live value threw: it has no caller either. */
  readonly reportError = (error: unknown): void => this.#failed(error);

  /** A listener that throws must not keep the commit from the others, or fail the write that caused it. */
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
