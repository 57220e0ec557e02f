/** Waiting for another process's write lock. (server/sqlite) */
import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";
import { isBusy } from "./errors.ts";

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 50;

export interface Patience {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  readonly random: Pick<Random, "unit">;
  readonly busyTimeoutMs: number;
}

/** Attempts again while the database is busy, with growing, jittered waits. At the end of its patience: the busy error. */
export async function retryBusy<T>({ clock, random, busyTimeoutMs }: Patience, attempt: () => Promise<T>): Promise<T> {
  const deadline = clock.monotonic() + busyTimeoutMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() >= deadline) throw error;
    }
    await clock.sleep(wait * (0.5 + random.unit()));
  }
}
