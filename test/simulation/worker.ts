/** One process of a simulation: runs what it is told, and answers a line of JSON for each run. Bundled by `bundle.ts`. */
import { readFileSync } from "node:fs";
import { platform } from "./engine/platform.ts";
import { type Plan, planOf } from "./plan.ts";
import { runPlan } from "./run.ts";
import { shrink } from "./shrink.ts";
import type { Outcome } from "./world.ts";

export type Task =
  | {
      readonly kind: "seeds";
      readonly first: number;
      readonly step: number;
      readonly until: number;
      readonly stopsAt: number;
      /** None is run twice. */
      readonly once?: boolean | undefined;
    }
  | { readonly kind: "plans"; readonly plans: readonly Plan[] }
  | { readonly kind: "trace"; readonly plan: Plan }
  | { readonly kind: "shrink"; readonly plan: Plan };

export type Answer =
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  /** The same seed came out differently the second time. */
  | { readonly kind: "differed"; readonly seed: number }
  | { readonly kind: "shrunk"; readonly plan: Plan; readonly runs: number };

/** Every so many seeds is run twice: the trace must be the same. */
const SAMPLE = 50;

const say = (answer: Answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function work(task: Task): Promise<void> {
  if (task.kind === "trace") say({ kind: "outcome", outcome: await guarded(task.plan, true) });
  if (task.kind === "plans") for (const plan of task.plans) say({ kind: "outcome", outcome: await guarded(plan) });
  if (task.kind === "shrink") say({ kind: "shrunk", ...(await shrink(task.plan, guarded)) });
  if (task.kind !== "seeds") return;
  let violated = 0;
  for (let seed = task.first; seed < task.until && violated < task.stopsAt; seed += task.step) {
    const outcome = await guarded(planOf(seed));
    say({ kind: "outcome", outcome });
    if (outcome.violations.length > 0) violated += 1;
    if (!task.once && seed % SAMPLE === 0 && (await guarded(planOf(seed))).digest !== outcome.digest)
      say({ kind: "differed", seed });
  }
}

/** What throws out of a run is a violation too: of the simulation itself, or of a law that the code asserts. */
async function guarded(plan: Plan, keepsTrace = false): Promise<Outcome> {
  try {
    return await runPlan(plan, keepsTrace);
  } catch (error) {
    const what = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
    const violation = { invariant: "run", what, at: platform.timeline.now };
    return {
      seed: plan.seed,
      violations: [violation],
      digest: "",
      operations: 0,
      hits: {},
      states: [],
      reached: {},
      virtualMs: 0,
      lines: [],
    };
  }
}

/** A promise that nobody awaits must not reject: of the code as of the simulation. It is told with the run that it happened in. */
process.on("unhandledRejection", (error) => platform.timeline.fail(error));

await work(JSON.parse(readFileSync(0, "utf8")) as Task);
