/**
 * The Coordinator port: which of several clients of one store talks to the server.
 *
 * Law: at most one holder at a time, as far as the platform can tell. This saves work, but it is not a fence: a frozen
 * holder may wake up after another has taken over. Therefore every transaction that stores an answer of the server
 * checks that the fence in the store is still the one that its holder was given; and two clients that send the same
 * operations do no harm on the server anyway (L2).
 */
export interface Coordinator {
  /** Marks the object as an implementation of this port. */
  readonly "~port": "coordinator";
  /**
   * Every broadcast arrives, as long as its listener lives. If it may not (a frozen page receives nothing, then or
   * later), the client also looks at the store regularly.
   * @default false
   */
  readonly reliable?: boolean | undefined;
  /**
   * Waits for its turn, runs `work` until it settles or `signal` aborts, then lets the next client in. `lost` aborts if
   * the turn was taken away. Rejects with the signal's reason, or with what `lease` threw.
   */
  exclusive(
    scope: string,
    signal: AbortSignal,
    work: (lost: AbortSignal) => Promise<void>,
    lease: Lease,
  ): Promise<void>;
  /** Sends a message to the other clients of this scope. A hint only. */
  broadcast(scope: string, message: CoordinatorMessage): void;
  /**
   * Calls the listener with the messages of this scope. A client's own messages may be among them. Returns a function
   * that removes the listener.
   */
  subscribe(scope: string, listener: (message: CoordinatorMessage) => void): () => void;
}

/** A turn that is kept in the store itself, for platforms that have no locks. */
export interface Lease {
  /** Takes or renews it, for `ms` from now. `false`: another client has it. */
  take(ms: number): Promise<boolean>;
  /** Gives it back, if it still belongs to this client. */
  give(): Promise<void>;
}

/**
 * A message from one client to the others: plain data, which a Coordinator only carries. The clients may be of
 * different versions of an app: unknown kinds are ignored.
 */
export interface CoordinatorMessage {
  /** What the message says. Its other members depend on it. */
  readonly kind: string;
  /** The client that sent it. */
  readonly from: string;
}
