/**
 * The Coordinator port: who of several clients on one store talks to the server. (client port)
 *
 * Law: at most one holder at a time as far as the platform can tell. That is a courtesy, not a fence: a frozen holder may wake
 * after another has taken over. Therefore every drain transaction checks the fencing epoch that its holder was given (§5 of the
 * architecture); and two drainers are harmless to the server anyway (L2).
 */
export interface Coordinator {
  readonly "~port": "coordinator";
  /** Waits for its turn, runs `work` until it settles or `signal` aborts, then lets the next one in. Rejects only with the signal's reason. */
  exclusive(scope: string, signal: AbortSignal, work: (lost: AbortSignal) => Promise<void>): Promise<void>;
  /** Tells the other clients of this scope that something was written. A hint only. */
  broadcast(scope: string, message: CoordinatorMessage): void;
  subscribe(scope: string, listener: (message: CoordinatorMessage) => void): () => void;
}

export type CoordinatorMessage =
  /** Something was written: rows of these collections, or only the queue. */
  | { readonly kind: "changed"; readonly from: string; readonly collections: readonly string[] }
  /** Operations were queued: the holder has something to send. */
  | { readonly kind: "queued"; readonly from: string };
