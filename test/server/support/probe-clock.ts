/** A clock for `postgresPokes`: how long a first notification is waited for is up to the test, and nothing else takes time. */

/** As `PROBE_MS` in src/server/postgres/postgres-pokes.ts. */
const PROBE_MS = 5_000;

export function probeClock(probeIsOver: Promise<unknown> = new Promise(() => {})) {
  return {
    async sleep(ms: number, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      if (ms !== PROBE_MS) return;
      const aborted = new Promise<void>((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      await Promise.race([probeIsOver, aborted]);
    },
  };
}
