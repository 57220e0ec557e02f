/** The Connectivity port: what the platform thinks. Hints only: reachable is what a request found. (client port) */
export interface Connectivity {
  readonly "~port": "connectivity";
  /** `false` is worth believing (no interface is up); `true` means nothing (captive portals, virtual adapters). */
  online(): boolean;
  /** Calls the listener when something may have changed: back online, the page visible again, resumed from a freeze. */
  subscribe(listener: (hint: "online" | "offline" | "visible" | "resumed") => void): () => void;
}
