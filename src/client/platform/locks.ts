/**
 * The Coordinator of browsers: a Web Lock, taken in turn.
 *
 *   waiting ──► holding ──► (work is over) the next client holds it
 *      │            └──── lost: another took it, because this one seemed frozen
 *      └── the holder is silent ──► takes it away
 *
 * A stolen lock does not stop its former holder, which may wake up at any moment and continue. The fence in the store
 * does: see the port.
 */

import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";
import type { Coordinator } from "../ports/coordinator.ts";
import { broadcasts, type OpenChannel } from "./broadcasts.ts";
import { rollCall } from "./roll-call.ts";

/** What this package uses of `navigator.locks`. */
export interface Locks {
  request(
    name: string,
    options: { readonly signal: AbortSignal } | { readonly steal: true },
    granted: () => Promise<void>,
  ): Promise<unknown>;
}

export interface TabsPlatform {
  readonly locks: Locks;
  readonly channel: OpenChannel;
  readonly clock: Clock;
  readonly random: Random;
}

export function locks({ locks, channel, clock, random }: TabsPlatform): Coordinator {
  return {
    "~port": "coordinator",
    ...broadcasts(channel),
    async exclusive(scope, signal, work) {
      signal.throwIfAborted();
      const name = `tillsync:${scope}:turn`;
      const call = rollCall(name, channel, clock, random);
      const waiting = new AbortController();
      const watching = new AbortController();
      const lost = new AbortController();
      let isHeld = false;
      let forced = false;

      const leave = () => {
        waiting.abort(signal.reason);
        watching.abort(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      try {
        const inTurn = request({ signal: waiting.signal }, waiting.signal).finally(() => watching.abort());
        const [turn, force] = await Promise.allSettled([inTurn, takeAway()]);
        signal.throwIfAborted();
        const { status, reason } = { reason: undefined, ...(forced ? force : turn) };
        if (status === "rejected") throw reason;
      } finally {
        signal.removeEventListener("abort", leave);
        call.close();
      }

      async function takeAway(): Promise<void> {
        await call.silence(watching.signal);
        if (isHeld) return;
        forced = true;
        waiting.abort();
        await request({ steal: true }, signal);
      }

      /** @param cancelled aborted: the lock was granted at the moment at which the request was cancelled */
      async function request(options: Parameters<Locks["request"]>[1], cancelled: AbortSignal): Promise<void> {
        let mine: Promise<void> | undefined;
        const granted = async () => {
          if (cancelled.aborted) return;
          watching.abort();
          call.hold();
          mine = work(lost.signal);
          isHeld = true;
          await mine.catch(() => {}); // thrown below; for the lock, work that failed is over too
        };
        try {
          await locks.request(name, options, granted);
        } catch (error) {
          if (mine === undefined) throw error;
          // If the lock is taken away, the request rejects at once, while the work still continues.
          lost.abort(error);
        }
        await mine;
      }
    },
  };
}
