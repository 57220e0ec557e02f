/** Carries out one seed, or one plan. (simulation) */
import { installPlatform } from "./engine/platform.ts";
import { type Plan, planOf } from "./plan.ts";
import { type Outcome, World } from "./world.ts";

installPlatform();

export function runPlan(plan: Plan, keepsTrace = false): Promise<Outcome> {
  return new World(plan, keepsTrace).run();
}

export function runSeed(seed: number, keepsTrace = false): Promise<Outcome> {
  return runPlan(planOf(seed), keepsTrace);
}
