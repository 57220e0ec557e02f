/**
 * The PokeRelay port: how a poke reaches the tills whose sockets another process holds.
 *
 * A poke is only a hint [M7]. An implementation may lose, duplicate or delay hints, and tills still learn of every
 * change when they poll. It must not throw, or make a push wait.
 */

/** Something has changed in a tenant. It has no content: tills pull. */
export interface PokeHint {
  /** The tenant whose tills are poked. */
  readonly tenant: string;
  /** The device that made the change: it has its answer and is not poked. `undefined`: every device is poked. */
  readonly device: string | undefined;
  /** The names of the collections that changed. Empty: any of them may have. */
  readonly collections: readonly string[];
  /**
   * The branch whose tills see what changed; "" for the whole tenant. `undefined`: not known. A relay that does not
   * pass it on makes tills of other branches pull for nothing.
   */
  readonly scope?: string | undefined;
}

/** The port. `postgresPokes` of `tillsync/server/postgres` implements it. */
export interface PokeRelay {
  readonly "~port": "poke-relay";
  /** Passes a hint on to the other processes, soon. It does not wait, and never throws. */
  publish(hint: PokeHint): void;
  /** `listener` receives what other processes publish, and not what this process does. */
  subscribe(listener: (hint: PokeHint) => void): void;
  /** Stops passing on and receiving. Resolves when the relay has let go of its connection. */
  close(): Promise<void>;
}
