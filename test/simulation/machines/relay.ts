/** Carries pokes between the processes of the server: late, and never to the one that said them. */
import type { PokeHint, PokeRelay } from "../../../src/server/ports/poke-relay.ts";
import type { Timeline } from "../engine/timeline.ts";

const CARRIED_MS = 40;

export class Relay {
  readonly #timeline: Timeline;
  readonly #listeners = new Map<string, (hint: PokeHint) => void>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Of one process: whoever was there under that name before is gone. */
  of(process: string): PokeRelay {
    return {
      "~port": "poke-relay",
      publish: (hint) => {
        this.#timeline.after(CARRIED_MS, () => {
          for (const [name, listener] of this.#listeners) if (name !== process) listener(hint);
        });
      },
      subscribe: (listener) => void this.#listeners.set(process, listener),
      close: async () => void this.#listeners.delete(process),
    };
  }
}
