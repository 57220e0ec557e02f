/**
 * Keeps the channel for pokes open while the till is online. Pokes are hints: without them the lanes poll, only later
 * [M7].
 */
import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";
import { type BackoffOptions, backoffMs } from "../decide/backoff.ts";
import type { Transport } from "../ports/transport.ts";

export interface PokesDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: BackoffOptions;
  /** The device id; `undefined` while it is not known. */
  device(): string | undefined;
  /** A poke has arrived. */
  poked(): void;
}

export class Pokes {
  readonly #deps: PokesDeps;
  #wanted: AbortController | undefined;

  constructor(deps: PokesDeps) {
    this.#deps = deps;
  }

  /** Sets whether the channel should be open. It is closed at once; opening is retried for as long as it is wanted. */
  want(wanted: boolean): void {
    if (wanted === (this.#wanted !== undefined) || this.#deps.transport.live === undefined) return;
    if (!wanted) {
      this.#wanted?.abort();
      this.#wanted = undefined;
      return;
    }
    const wish = new AbortController();
    this.#wanted = wish;
    void this.#keepOpen(wish.signal).catch(() => {}); // it ends when `want(false)` aborts it
  }

  async #keepOpen(signal: AbortSignal): Promise<void> {
    const { clock, random, backoff } = this.#deps;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const openedAt = clock.monotonic();
      await this.#untilClosed(signal);
      // After a channel that stayed open for a while, the backoff starts from its minimum again.
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
