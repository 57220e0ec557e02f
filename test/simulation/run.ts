/** Carries out one plan, on a platform that is not there. */
import { installPlatform } from "./engine/platform.ts";
import type { Plan } from "./plan.ts";
import { type Outcome, World } from "./world.ts";

installPlatform();

export function runPlan(plan: Plan, keepsTrace = false): Promise<Outcome> {
  return new World(plan, keepsTrace).run();
}
