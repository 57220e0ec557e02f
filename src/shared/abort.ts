/** Waiting that can be called off. */

/** The reason of an aborted signal, always something that can be thrown. */
export function aborted(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new DOMException("Called off", "AbortError");
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

/** The promise, or the abort, whichever is first. The listener is removed either way. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
