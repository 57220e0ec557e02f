/** Carries out one plan, on a platform that is not there. */
import { installPlatform } from "./engine/platform.ts";
import { lowerLimits } from "./limits.ts";
import type { Plan } from "./plan.ts";
import { type Outcome, SimWorld } from "./world.ts";

installPlatform();

export function runPlan(plan: Plan, keepsTrace = false): Promise<Outcome> {
  lowerLimits(plan.options.small ?? false, plan.options.batch);
  return new SimWorld(plan, keepsTrace).run();
}
