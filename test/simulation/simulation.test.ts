/**
 * A short simulation (L1, L2, L5): `npm run sim` runs as many seeds as one likes. That its alarm works is in mutants.test.ts.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bundle, bundleWorker } from "./bundle.ts";
import { Coverage } from "./coverage.ts";
import { crashPoints, runPlans } from "./crash-points.ts";
import { planOf } from "./plan.ts";
import { runSeeds, runWorker } from "./processes.ts";
import { runRegressions } from "./regressions.ts";
import { told } from "./report.ts";
import { drawnSeed } from "./seed.ts";
import type { Outcome } from "./world.ts";

const SEEDS = 40;
/** Other seeds in each run, because a fixed few find nothing new. It is in the test's name too, for a timeout or a dead worker. */
const FIRST = drawnSeed();
const REPEAT = `seeds ${SEEDS} from ${FIRST}; to repeat: npm run sim -- --seeds ${SEEDS} --seed ${FIRST}`;
const EVERY = 24;
/** A run takes its CPU, and a busy machine gives it late. */
const patience = { timeout: 900_000 };

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleWorker();
});
afterAll(() => bundle.remove());

const violations = (outcomes: readonly Outcome[]) =>
  outcomes.filter((outcome) => outcome.violations.length > 0).flatMap(told);

async function trace(seed: number): Promise<Outcome> {
  const found: Outcome[] = [];
  await runWorker(bundle.path, { kind: "trace", plan: planOf(seed) }, (answer) => {
    if (answer.kind === "outcome") found.push(answer.outcome);
  });
  return found[0] as Outcome;
}

test("what was found once is not found again", patience, async () => {
  expect(violations(await runRegressions(bundle.path))).toEqual([]);
});

test(
  `no sale is lost or doubled, and all agree, whatever goes wrong: ${SEEDS} seeds from ${FIRST}`,
  patience,
  async () => {
    const outcomes: Outcome[] = [];
    const coverage = new Coverage();
    await runSeeds(bundle.path, { first: FIRST, count: SEEDS, processes: 1, stopsAt: 3 }, (answer) => {
      expect(answer.kind, REPEAT).toBe("outcome");
      if (answer.kind === "outcome") {
        outcomes.push(answer.outcome);
        coverage.add(answer.outcome);
      }
    });
    expect(violations(outcomes), REPEAT).toEqual([]);
    expect(outcomes, REPEAT).toHaveLength(SEEDS);
    // So many seeds reach nearly every kind of fault: a plan that draws none would find nothing.
    expect(coverage.unreachedFaults().length, REPEAT).toBeLessThanOrEqual(6);
    expect(coverage.pairs.size, REPEAT).toBeGreaterThan(300);
    expect(coverage.lies.size, REPEAT).toBeGreaterThan(10);
  },
);

test("a seed says the same each time, in another process too", patience, async () => {
  const [one, again] = [await trace(7), await trace(7)];
  expect(again.lines).toEqual(one.lines);
  expect(again.digest).toBe(one.digest);
  expect((await trace(8)).digest).not.toBe(one.digest);
});

test(`a till or a server that dies at any step of its work: every ${EVERY}th`, patience, async () => {
  const plans = await crashPoints(bundle.path, EVERY, false);
  expect(plans.length).toBeGreaterThan(10);
  expect(violations(await runPlans(bundle.path, plans))).toEqual([]);
});
