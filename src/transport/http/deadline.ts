/** The time that one call has. */

export interface Deadline {
  /** Aborts with the caller's signal, or when the time is up. */
  readonly signal: AbortSignal;
  /** Lets go of the timer and of the caller's signal. */
  end(): void;
}

/**
 * Not `AbortSignal.any` with `AbortSignal.timeout`: the tablets that tills are lack the first, and the caller's signal
 * lives as long as its client does, so that each call must take its listener off again.
 */
export function startDeadline(outer: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  const stop = () => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(new DOMException("The call took too long", "TimeoutError")), ms);
  if (outer.aborted) stop();
  outer.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer.removeEventListener("abort", stop);
    },
  };
}
