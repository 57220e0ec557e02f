/**
 * The only timers of this adapter.
 *
 * A promise of IndexedDB that never settles is a normal failure: WebKit's lost database process, a frozen tab that
 * holds a lock, an upgrade that is blocked. So every wait for the platform has a watchdog.
 */

import { silence } from "./failures.ts";

export interface Watchdog {
  /** There was a sign of life: the time starts again. */
  touch(): void;
  stop(): void;
}

/**
 * Calls `onSilence` once, after no sign of life for `ms`, or up to half as long again.
 *
 * It looks twice, half the time apart: in a page that was frozen and runs again, an overdue timer may run before the
 * answers that have been waiting with it.
 */
export function startWatchdog(ms: number, onSilence: () => void): Watchdog {
  let silentLooks = 0;
  const look = () => {
    if (++silentLooks >= 2) onSilence();
    else timer = setTimeout(look, ms / 2);
  };
  let timer = setTimeout(look, ms / 2);
  return {
    touch() {
      // No new timer: this is called for each row.
      silentLooks = -1;
    },
    stop: () => clearTimeout(timer),
  };
}

/** The promise, or an error if it does not settle for too long. What it settles with later is ignored here. */
export function withWatchdog<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const watchdog = startWatchdog(ms, () => reject(silence(what, ms)));
    promise.then(resolve, reject).finally(watchdog.stop);
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
