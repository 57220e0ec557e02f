/** The Connectivity port: what the platform thinks. Hints only: reachable is what a request found. */
export interface Connectivity {
  readonly "~port": "connectivity";
  /** `false` is worth believing (no interface is up); `true` means nothing (captive portals, virtual adapters). */
  online(): boolean;
  /** Calls the listener when something may have changed. */
  subscribe(listener: (hint: ConnectivityHint) => void): () => void;
}

/** `frozen`: the page is about to stand still, and may never go on. `resumed`: it goes on, and has missed everything between. */
export type ConnectivityHint = "online" | "offline" | "visible" | "frozen" | "resumed";
