/** Waiting that can be called off. (shared) */

/** The reason of an aborted signal, always something that can be thrown. */
export function aborted(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new DOMException("The wait was called off", "AbortError");
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

/** The promise, or the abort, whichever is first. The listener is removed either way. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {}); // the loser of a race must not become an unhandled rejection
    return Promise.reject(aborted(signal));
  }
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
