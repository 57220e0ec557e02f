/** Runs seeds of a planted bug until something that must hold does not. */
import { bundleWorker } from "../bundle.ts";
import { runWorker, type WorkerLimits } from "../processes.ts";
import type { Outcome, Violation } from "../world.ts";
import type { Mutant } from "./mutant.ts";

export interface HuntOptions {
  /** At most. */
  readonly seeds: number;
  /** Of the first so many it is counted how many catch it. 0: it ends with the first. */
  readonly sample: number;
}

export interface Catch {
  readonly mutant: Mutant;
  /** `undefined`: no seed has caught it. */
  readonly first?: { readonly seed: number; readonly violation: Violation } | undefined;
  /** Seeds that caught it, of those that were run for the count. */
  readonly caught: number;
  readonly counted: number;
  readonly seconds: number;
}

/** A bug that ends in no event any more is caught by silence: a seed takes a second, on a busy machine some. */
const SILENCE_MS = 90_000;
const SILENT: Violation = { invariant: "V3", what: "the run did not end", at: 0 };

export async function hunt(mutant: Mutant, { seeds, sample }: HuntOptions): Promise<Catch> {
  const began = process.hrtime.bigint();
  const bundle = await bundleWorker(mutant.patches);
  let first: Catch["first"];
  const counts = { caught: 0, counted: 0 };
  try {
    const found = await run(bundle.path, 1, Math.min(sample, seeds), Number.POSITIVE_INFINITY);
    first = found.first;
    counts.caught = found.caught;
    counts.counted = found.runs;
    if (first === undefined && sample < seeds) {
      const more = await run(bundle.path, sample + 1, seeds, 1);
      first = more.first;
      if (sample === 0) {
        counts.caught = more.caught;
        counts.counted = more.runs;
      }
    }
  } finally {
    await bundle.remove();
  }
  return { mutant, first, ...counts, seconds: Number(process.hrtime.bigint() - began) / 1e9 };
}

interface Run {
  readonly first: Catch["first"];
  readonly caught: number;
  readonly runs: number;
}

async function run(path: string, from: number, to: number, stopsAt: number): Promise<Run> {
  let [caught, runs, next] = [0, 0, from];
  let first: Catch["first"];
  const heard = ({ seed, violations: [violation] }: Outcome) => {
    next = seed + 1;
    runs += 1;
    if (violation === undefined) return;
    caught += 1;
    first ??= { seed, violation };
  };
  const limits: WorkerLimits = { silenceMs: SILENCE_MS };
  while (next <= to && caught < stopsAt) {
    const task = {
      kind: "seeds",
      first: next,
      step: 1,
      until: to + 1,
      stopsAt: Math.min(stopsAt, to),
      once: true,
    } as const;
    const ended = await runWorker(path, task, (answer) => answer.kind === "outcome" && heard(answer.outcome), limits);
    if (ended !== "silent") break;
    heard({ seed: next, violations: [SILENT] } as unknown as Outcome);
  }
  return { first, caught, runs };
}
