/**
 * The Coordinator port: who of several clients on one store talks to the server.
 *
 * Law: at most one holder at a time as far as the platform can tell. That is a courtesy, not a fence: a frozen holder may wake
 * after another has taken over. Therefore every transaction that applies an answer checks that the fence in the store is still the one
 * that its holder was given; and two clients that send the same operations are harmless to the server anyway (L2).
 */
export interface Coordinator {
  readonly "~port": "coordinator";
  /**
   * Every broadcast arrives, for as long as its listener lives. Where it may not (a frozen page hears nothing, and nobody tells it
   * later) the client also looks at the store by itself.
   * @default false
   */
  readonly reliable?: boolean | undefined;
  /**
   * Waits for its turn, runs `work` until it settles or `signal` aborts, then lets the next one in. `lost` aborts when the turn was
   * taken away. Rejects with the signal's reason, or with what `lease` threw.
   */
  exclusive(
    scope: string,
    signal: AbortSignal,
    work: (lost: AbortSignal) => Promise<void>,
    lease: Lease,
  ): Promise<void>;
  /** Tells the other clients of this scope. A hint only. */
  broadcast(scope: string, message: CoordinatorMessage): void;
  subscribe(scope: string, listener: (message: CoordinatorMessage) => void): () => void;
}

/** A turn that is kept in the store itself, for platforms that have no locks. */
export interface Lease {
  /** Takes it or renews it, for `ms` from now. `false`: it is another client's. */
  take(ms: number): Promise<boolean>;
  /** Gives it back, if it still is this client's. */
  give(): Promise<void>;
}

/** What clients tell each other: plain data, which a Coordinator only carries. Between versions of an app too: unknown kinds are ignored. */
export interface CoordinatorMessage {
  readonly kind: string;
  /** The client that says it. */
  readonly from: string;
}
