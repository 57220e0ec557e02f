/** Trying again what a database refused for a reason that passes: a lock that another process holds, a serialisation failure. */
import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 50;

export interface RetryOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  readonly random: Pick<Random, "unit">;
  readonly busyTimeoutMs: number;
}

/** With growing, jittered waits. At the end of its patience: the last error. */
export async function retryWhile<T>(
  { clock, random, busyTimeoutMs }: RetryOptions,
  passes: (error: unknown) => boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = clock.monotonic() + busyTimeoutMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error) || clock.monotonic() >= deadline) throw error;
    }
    await clock.sleep(wait * (0.5 + random.unit()));
  }
}
