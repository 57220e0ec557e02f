/**
 * Retries what a database refused for a transient reason: a lock that another process holds, a serialisation failure.
 */
import type { Clock } from "../../shared/clock.ts";
import type { Random } from "../../shared/random.ts";

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 50;

export interface RetryOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  readonly random: Pick<Random, "unit">;
  /** How long to go on retrying, in ms. */
  readonly busyTimeoutMs: number;
}

/**
 * Retries `attempt` with exponential, jittered backoff while `isTransient` holds for its error. After `busyTimeoutMs`
 * it rejects with the last error.
 */
export async function retryWhile<T>(
  { clock, random, busyTimeoutMs }: RetryOptions,
  isTransient: (error: unknown) => boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = clock.monotonic() + busyTimeoutMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) || clock.monotonic() >= deadline) throw error;
    }
    await clock.sleep(wait * (0.5 + random.unit()));
  }
}
