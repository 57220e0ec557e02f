/** What a person reads of a simulation. */
import { type Coverage, kindsOfFault } from "./coverage.ts";
import type { Outcome } from "./world.ts";

const MOST = 3;
const MOST_TEXT = 600;
const LINE_MS = 5_000;

export function told({ seed, violations }: Outcome): readonly string[] {
  if (violations.length === 0) return [`seed ${seed}: nothing was violated`];
  const some = violations
    .slice(0, MOST)
    .map(({ invariant, what, at }) => `  ${invariant} at ${at} ms: ${what.slice(0, MOST_TEXT)}`);
  const more = violations.length - some.length;
  return [`seed ${seed}: ${violations.length} violations`, ...some, ...(more > 0 ? [`  and ${more} more`] : [])];
}

export interface Counted {
  readonly first: number;
  readonly runs: number;
  readonly operations: number;
  readonly virtualMs: number;
  readonly violated: readonly number[];
  readonly differed: readonly number[];
  readonly regressions: number;
  /** Of those, how many fail again. */
  readonly again: number;
  readonly seconds: number;
}

export function summary(counted: Counted, coverage: Coverage): readonly string[] {
  const { first, runs, operations, virtualMs, violated, differed, seconds } = counted;
  const pairs = coverage.unreachedPairs();
  const kinds = kindsOfFault();
  const allPairs = (kinds.length * (kinds.length - 1)) / 2;
  const hits = [...coverage.hits].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count}`);
  const told = [...coverage.lies].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count}`);
  const faults = [...coverage.hits.values()].reduce((sum, count) => sum + count, 0);
  return [
    "",
    `seeds        ${runs} from ${first}, and ${counted.regressions} regressions (${counted.again} failed)`,
    `operations   ${operations}, ${Math.round(operations / seconds)} a second`,
    `time         ${seconds.toFixed(0)} s for ${(virtualMs / 3_600_000).toFixed(0)} hours of a shop`,
    `faults       ${faults}: ${hits.join(", ")}`,
    `lies         ${told.length === 0 ? "none" : told.join(", ")}; not: ${listed(coverage.unreachedLies())}`,
    `not reached  faults: ${listed(coverage.unreachedFaults())}; states: ${listed(coverage.unreachedStates())}`,
    `pairs        ${allPairs - pairs.length} of ${allPairs} kinds of fault met in one run; not: ${listed(pairs, 30)}`,
    `same trace   ${differed.length === 0 ? "each seed that was run twice" : `not for ${differed.join(", ")}`}`,
    `violations   ${violated.length}${violated.length > 0 ? `: seeds ${violated.join(", ")}` : ""}`,
  ];
}

/** @param most how many are named; the others are counted */
function listed(all: readonly string[], most = all.length): string {
  if (all.length === 0) return "none";
  const rest = all.length > most ? ` and ${all.length - most} more` : "";
  return `${all.slice(0, most).join(", ")}${rest}`;
}

/** On a terminal one line that changes; elsewhere one every few seconds. */
export function progress(stream: NodeJS.WriteStream): (text: string) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (text) => {
    const now = performance.now();
    if (stream.isTTY) {
      stream.write(`\r\u001b[K${text}`);
      return;
    }
    if (now - saidAt < LINE_MS) return;
    saidAt = now;
    stream.write(`${text}\n`);
  };
}
