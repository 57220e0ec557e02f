/** Keeps the channel for pokes open while the till is online. A hint only: without it the interval does the same, later [M7]. */
import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";
import { type BackoffOptions, backoffMs } from "../decide/backoff.ts";
import type { Transport } from "../ports/transport.ts";

export interface PokesDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: BackoffOptions;
  device(): string | undefined;
  poked(): void;
}

export class Pokes {
  readonly #deps: PokesDeps;
  #wanted: AbortController | undefined;

  constructor(deps: PokesDeps) {
    this.#deps = deps;
  }

  /** Whether the channel should be open. Closing it is at once, opening is tried until it is no longer wanted. */
  want(wanted: boolean): void {
    if (wanted === (this.#wanted !== undefined) || this.#deps.transport.live === undefined) return;
    if (!wanted) {
      this.#wanted?.abort();
      this.#wanted = undefined;
      return;
    }
    const wish = new AbortController();
    this.#wanted = wish;
    void this.#keepOpen(wish.signal).catch(() => {}); // ends by the abort that ends the wish
  }

  async #keepOpen(signal: AbortSignal): Promise<void> {
    const { clock, random, backoff } = this.#deps;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const openedAt = clock.monotonic();
      await this.#untilClosed(signal);
      // A channel that held for a while starts the backoff anew.
      if (clock.monotonic() - openedAt > backoff.maxMs) attempt = 0;
      await clock.sleep(backoffMs(attempt, 0, random.unit(), backoff), signal);
    }
  }

  #untilClosed(signal: AbortSignal): Promise<void> {
    const device = this.#deps.device();
    if (device === undefined || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const listener = { poke: () => this.#deps.poked(), closed: () => resolve() };
      this.#deps.transport.live?.(listener, { device, requestId: this.#deps.random.uuid(), signal });
    });
  }
}
