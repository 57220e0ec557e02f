/** How a test makes this store fail. */

/** A step of the store's work, reported before it happens. */
export interface MemoryStep {
  /**
   * - `open`, `close`, `destroy`: the call of that name.
   * - `get`, `scan`, `count`: a read outside of a transaction.
   * - `transact`: it is this transaction's turn; its script has not run.
   * - `commit`: the script has run; nothing is stored.
   * - `committed`: everything is stored; the caller does not know it yet.
   */
  readonly kind: "open" | "get" | "scan" | "count" | "transact" | "commit" | "committed" | "close" | "destroy";
  /** The name that the store was opened with. */
  readonly store: string;
  /** The table of a read. */
  readonly table?: string | undefined;
  /** The label of a transaction. */
  readonly label?: string | undefined;
  /** The durability of a transaction. */
  readonly durability?: "strict" | "relaxed" | undefined;
}

/** Where a test can interfere. */
export interface MemoryFaults {
  /**
   * Called before each step.
   *
   * - If it throws or rejects, the step fails with that error. Before `commit`, nothing is stored. Before `committed`,
   *   everything is stored, and yet the caller gets the error, as when a process dies between the two.
   * - If it returns a promise, the step waits until it settles. A transaction that waits keeps all others of its store
   *   waiting, as a frozen tab does. To let it fail, reject the promise.
   */
  before?(step: MemoryStep): void | Promise<void>;
}
