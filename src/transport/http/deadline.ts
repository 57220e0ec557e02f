/** The deadline of one call. */

export interface Deadline {
  /** Aborts with the caller's signal, or when the time is up. */
  readonly signal: AbortSignal;
  /** Clears the timer, and removes the listener from the caller's signal. */
  end(): void;
}

/**
 * Not `AbortSignal.any` with `AbortSignal.timeout`: tablets that are used as tills lack the former. And the caller's
 * signal lives as long as its client, so each call must remove its listener.
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
