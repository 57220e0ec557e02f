/**
 * The PokeRelay port: how a poke reaches the tills whose sockets another process holds.
 *
 * A hint and nothing more [M7]: an implementation may lose, double or delay whatever it is given, and tills still hear of every
 * change when they poll. What it must not do is throw, or make a push wait.
 */

export interface PokeHint {
  readonly tenant: string;
  /** Has its answer already, and is not poked. */
  readonly device: string | undefined;
  readonly collections: readonly string[];
}

export interface PokeRelay {
  readonly "~port": "poke-relay";
  /** Tells the other processes, some time soon. */
  publish(hint: PokeHint): void;
  /** Hears what the others publish, and not what this one does. */
  subscribe(listener: (hint: PokeHint) => void): void;
  close(): Promise<void>;
}
