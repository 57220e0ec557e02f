/** What was measured, beside what it is held to. Pure. */

/** The middle of the rounds, and how far they lay apart. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

export type Unit = "ms" | "µs" | "µs CPU" | "ops/s" | "rows/s" | "rows" | "KB" | "×";

export interface Bound {
  /** What is held to it: the figure itself, or its ratio to the hand-written one. */
  readonly of: "value" | "ratio";
  readonly most?: number | undefined;
  readonly least?: number | undefined;
}

export interface Figure {
  /** `browser/sale`: what a filter of the command line is compared with. */
  readonly bench: string;
  readonly name: string;
  readonly unit: Unit;
  readonly ours: Spread;
  /** The same work, written by hand; of growth: at the smallest size. */
  readonly reference?: Spread | undefined;
  /** Round by round, ours to the reference: what a busy machine does to one, it does to the other. */
  readonly ratio?: Spread | undefined;
  readonly bound?: Bound | undefined;
  readonly note?: string | undefined;
}

export type Verdict = "met" | "missed" | "";

export function verdictOf({ ours, ratio, bound }: Figure): Verdict {
  const held = bound?.of === "ratio" ? ratio?.median : ours.median;
  if (bound === undefined || held === undefined) return "";
  const { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY } = bound;
  return held <= most && held >= least ? "met" : "missed";
}

export function spreadOf(rounds: readonly number[]): Spread {
  if (rounds.length === 0) throw new Error("Expected at least one round, got none");
  const sorted = [...rounds].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: sorted[0] as number,
    high: sorted.at(-1) as number,
    rounds: sorted.length,
  };
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], at: number): number {
  const place = (sorted.length - 1) * at;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

/** One round of a comparison: the same work by both, one right after the other. */
export interface Round {
  readonly ours: number;
  readonly byHand: number;
}

export function compared(rounds: readonly Round[]): Pick<Figure, "ours" | "reference" | "ratio"> {
  return {
    ours: spreadOf(rounds.map(({ ours }) => ours)),
    reference: spreadOf(rounds.map(({ byHand }) => byHand)),
    ratio: spreadOf(rounds.map(({ ours, byHand }) => ours / byHand)),
  };
}
