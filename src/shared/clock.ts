/** Where decisions, client and server have time and timers from; an adapter has those of its platform. */
import { orAborted } from "./abort.ts";

/** Law: `monotonic` never goes back, whatever is done to the wall clock; `sleep` ends early, by rejecting, when its signal aborts. */
export interface Clock {
  /** Wall clock, epoch ms. May jump, in both directions. */
  now(): number;
  /** Ms since some moment. May stand still while the machine sleeps (w3c/hr-time#115). */
  monotonic(): number;
  /** Resolves after `ms`. Rejects with the signal's reason. A throttled tab may call late: compute from `monotonic` on waking. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Browsers and Node keep delays in 32 bits: a longer one fires at once. */
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
