/** The only source of time and timers for client, server and decisions. Adapters may use their platform's. */
import { orAborted } from "./abort.ts";

/**
 * Time and timers.
 *
 * The laws: `monotonic` never goes back, whatever happens to the wall clock. `sleep` rejects early if its signal
 * aborts.
 */
export interface Clock {
  /** The wall clock, in epoch ms. It may jump, in both directions. */
  now(): number;
  /** Milliseconds since some moment. May stand still while the machine sleeps (w3c/hr-time#115). */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds; rejects with the signal's reason. It may resolve late, as in a throttled tab: use
   * `monotonic` afterwards to know how much time has passed.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Browsers and Node store delays in 32 bits: a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The platform's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    let timer: ReturnType<typeof setTimeout>;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    });
    return orAborted(over, signal).finally(() => clearTimeout(timer));
  },
};
