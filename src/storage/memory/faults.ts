/** The seam through which a test makes this disk fail. */

/**
 * A moment of the store's work, named before it happens.
 *
 * - `open`, `close`, `destroy`
 * - `get`, `scan`, `count`: a read outside a transaction
 * - `transact`: it is this transaction's turn, its script has not run
 * - `commit`: the script has run, nothing is stored
 * - `committed`: everything is stored, the caller has not been told
 */
export interface MemoryStep {
  readonly kind: "open" | "get" | "scan" | "count" | "transact" | "commit" | "committed" | "close" | "destroy";
  /** The store, as it was named to `open`. */
  readonly store: string;
  /** Of a read. */
  readonly table?: string | undefined;
  /** Of a transaction. */
  readonly label?: string | undefined;
  readonly durability?: "strict" | "relaxed" | undefined;
}

export interface MemoryFaults {
  /**
   * Called before each step.
   *
   * - Throwing (or rejecting) fails the step with that very error: before `commit` nothing is stored; before `committed`
   *   everything is, and the caller is told otherwise, as when a process dies between the two.
   * - A promise holds the step up until it settles. A transaction that is held up holds up all others on its store, as a
   *   frozen tab does. To let it die, reject the promise.
   */
  before?(step: MemoryStep): void | Promise<void>;
}
