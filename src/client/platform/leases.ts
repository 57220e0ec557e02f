/**
 * The Coordinator of browsers without Web Locks (old ones, and pages that are not served over https): a lease in the
 * store. Its holder renews it; any client can take it when it has expired.
 */

import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";
import type { Coordinator, Lease } from "../ports/coordinator.ts";
import { broadcasts, type OpenChannel } from "./broadcasts.ts";

export interface LeasePlatform {
  readonly channel: OpenChannel;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * How long a crashed or frozen holder keeps the others waiting. A hidden one, whose timers are throttled, may lose its
 * turn too.
 */
const TERM_MS = 15_000;
const RENEWAL_MS = 5_000;
/** The average wait between two attempts to take the lease. */
const POLL_MS = 3_000;

export function leases({ channel, clock, random }: LeasePlatform): Coordinator {
  return {
    "~port": "coordinator",
    ...broadcasts(channel),
    async exclusive(_scope, signal, work, lease) {
      signal.throwIfAborted();
      while (!(await lease.take(TERM_MS))) await clock.sleep(POLL_MS * (0.5 + random.unit()), signal);
      const over = new AbortController();
      const lost = new AbortController();
      const renewing = renew(lease, over.signal).catch((error: unknown) => lost.abort(error));
      try {
        signal.throwIfAborted();
        await work(lost.signal);
      } finally {
        over.abort();
        await renewing;
        // If it can't be given back, it expires.
        await lease.give().catch(() => {});
      }
    },
  };

  /** Ends with `over`. Rejects if another client has the lease, or it can't be renewed. */
  async function renew(lease: Lease, over: AbortSignal): Promise<void> {
    for (;;) {
      const isOver = await clock.sleep(RENEWAL_MS, over).then(
        () => false,
        () => true,
      );
      if (isOver) return;
      if (!(await lease.take(TERM_MS))) throw new Error("The lease expired, and another client has taken it.");
    }
  }
}
