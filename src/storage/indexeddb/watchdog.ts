/**
 * The only timers of this adapter.
 *
 * A promise of IndexedDB that never settles is a normal failure: WebKit's lost database process, a frozen tab that holds a
 * lock, an upgrade that is blocked. So everything that waits for the platform waits under a watchdog.
 */

import { silence } from "./failures.ts";

export interface Watch {
  /** Something was heard: the patience begins anew. */
  touch(): void;
  stop(): void;
}

/**
 * Calls `onSilence` once, when nothing was heard for `ms` (up to half as much again).
 *
 * It looks twice, half the time apart: in a page that wakes from being frozen, an overdue timer may well run before the
 * answers that have been waiting with it.
 */
export function watch(ms: number, onSilence: () => void): Watch {
  let silentLooks = 0;
  const look = () => {
    if (++silentLooks >= 2) onSilence();
    else timer = setTimeout(look, ms / 2);
  };
  let timer = setTimeout(look, ms / 2);
  return {
    touch() {
      // No timer is set anew: this is called for each row that is answered.
      silentLooks = -1;
    },
    stop: () => clearTimeout(timer),
  };
}

/** The promise, or an error when it stays silent for too long. What it brings later is left to `promise`'s other listeners. */
export function answered<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const guard = watch(ms, () => reject(silence(what, ms)));
    promise.then(resolve, reject).finally(guard.stop);
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
