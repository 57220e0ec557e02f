/** Measures both tills side by side, in the page. */
import type { Round } from "../figures.ts";

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Who goes first changes from round to round: the second one finds the disk as the first one left it. */
export async function timedBoth(
  round: number,
  ours: () => Promise<unknown>,
  byHand: () => Promise<unknown>,
): Promise<Round> {
  if (round % 2 === 0) {
    const first = await timed(ours);
    return { ours: first, byHand: await timed(byHand) };
  }
  const first = await timed(byHand);
  return { ours: await timed(ours), byHand: first };
}

/** One by one in turn, so that whatever slows the machine down slows down both. The mean of each. */
export async function inTurns(
  times: number,
  ours: (at: number) => Promise<unknown>,
  byHand: (at: number) => Promise<unknown>,
): Promise<Round> {
  let sums = { ours: 0, byHand: 0 };
  for (let at = 0; at < times; at++) {
    const one = await timedBoth(
      at,
      () => ours(at),
      () => byHand(at),
    );
    sums = { ours: sums.ours + one.ours, byHand: sums.byHand + one.byHand };
  }
  return { ours: sums.ours / times, byHand: sums.byHand / times };
}

/** Rounds after one that warms up, and counts for nothing. */
export async function rounds(count: number, run: (round: number) => Promise<Round>): Promise<readonly Round[]> {
  const all: Round[] = [];
  for (let round = -1; round < count; round++) {
    const one = await run(round);
    if (round >= 0) all.push(one);
    await settled();
  }
  return all;
}

/** Lets the browser finish what it does behind a commit. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}
