/** Waiting that an `AbortSignal` can end. */

/** What to throw for an aborted signal: its reason, or an `AbortError` if it has none. */
export function aborted(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new DOMException("The call was aborted", "AbortError");
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

/** Settles like the promise, or rejects when the signal aborts, whichever is first. Removes its listener either way. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
