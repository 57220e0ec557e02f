/**
 * The Connectivity port: the platform's hints about the network. Only a request shows whether the server is reachable.
 */
export interface Connectivity {
  /** Marks the object as an implementation of this port. */
  readonly "~port": "connectivity";
  /** `false` can be believed: no network interface is up. `true` says nothing: captive portals, virtual adapters. */
  online(): boolean;
  /** Calls the listener when something may have changed. Returns a function that removes it. */
  subscribe(listener: (hint: ConnectivityHint) => void): () => void;
}

/**
 * What the platform has noticed:
 * - `online`, `offline`: the network may have come or gone.
 * - `visible`: the page is visible or has the focus again.
 * - `frozen`: the page is about to be frozen, and may never run again.
 * - `resumed`: the page runs again, and has missed everything since it was frozen.
 */
export type ConnectivityHint = "online" | "offline" | "visible" | "frozen" | "resumed";
