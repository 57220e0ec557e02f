/** A clock that moves only when a test moves it. */
import { aborted } from "../shared/abort.ts";
import type { Clock } from "../shared/clock.ts";

/** A clock that moves only when a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time by `ms` milliseconds, and runs everything that becomes due, in order, until nothing is left to do. */
  advance(ms: number): Promise<void>;
  /** Runs what is due already, without moving time. */
  settle(): Promise<void>;
  /** Sets the wall clock, as a person might. `monotonic` doesn't change. */
  setWallClock(epochMs: number): void;
}

/** For the other fakes: time must not move while they are working. */
export interface WorkWatch {
  /** Tells the clock that something has happened. */
  stir(): void;
  /** Time stands still until the work is done: compression and digests take real time, in any number of turns. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

interface Sleeper {
  readonly at: number;
  wake(): void;
}

// Read before a test framework can fake it: letting promises run is not waiting.
const { setTimeout: defer } = globalThis;
const turn = () => new Promise<void>((resolve) => defer(resolve, 0));

/** So many turns of the event loop in which nothing happens count as quiet: a request through streams takes several. */
const QUIET_TURNS = 4;

/**
 * Makes a clock that moves only when the test moves it.
 *
 * @param start the wall clock at the beginning: epoch ms, or an RFC 3339 text; 2026-01-01T00:00:00Z if it is left out
 */
export function fakeClock(start: number | string = Date.UTC(2026, 0, 1)): FakeClock {
  let wall = typeof start === "number" ? start : Date.parse(start);
  let elapsed = 0;
  let stirred = 0;
  let held = 0;
  const sleepers = new Set<Sleeper>();

  async function quiet(): Promise<void> {
    for (let turns = 0, seen = stirred; turns < QUIET_TURNS; turns += 1) {
      await turn();
      if (stirred !== seen || held > 0) [turns, seen] = [-1, stirred];
    }
  }

  const clock: FakeClock & WorkWatch = {
    now: () => wall,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      stirred += 1;
      if (signal?.aborted) return Promise.reject(aborted(signal));
      return new Promise((resolve, reject) => {
        const stop = () => {
          sleepers.delete(sleeper);
          stirred += 1;
          reject(aborted(signal));
        };
        const sleeper: Sleeper = {
          at: elapsed + Math.max(0, ms),
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", stop);
            stirred += 1;
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", stop, { once: true });
      });
    },
    async advance(ms) {
      const end = elapsed + ms;
      await quiet();
      for (let next = earliest(sleepers, end); next; next = earliest(sleepers, end)) {
        wall += next.at - elapsed;
        elapsed = next.at;
        next.wake();
        await quiet();
      }
      wall += end - elapsed;
      elapsed = end;
    },
    settle: () => clock.advance(0),
    setWallClock(epochMs) {
      wall = epochMs;
    },
    stir() {
      stirred += 1;
    },
    async during(work) {
      held += 1;
      try {
        return await work();
      } finally {
        held -= 1;
        stirred += 1;
      }
    },
  };
  return clock;
}

function earliest(sleepers: ReadonlySet<Sleeper>, end: number): Sleeper | undefined {
  let first: Sleeper | undefined;
  for (const sleeper of sleepers)
    if (sleeper.at <= end && (first === undefined || sleeper.at < first.at)) first = sleeper;
  return first;
}
