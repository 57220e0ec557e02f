/** Plans that once failed, cut down to what it took: they run first. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../scripts/entries.mjs";
import { runPlans } from "./crash-points.ts";
import type { Plan } from "./plan.ts";
import type { Outcome } from "./world.ts";

export const regressionsFolder = join(root, "test/simulation/regressions");

export async function regressions(): Promise<readonly Plan[]> {
  await mkdir(regressionsFolder, { recursive: true });
  const names = (await readdir(regressionsFolder)).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(regressionsFolder, name), "utf8")) as Plan),
  );
}

export async function runRegressions(path: string): Promise<readonly Outcome[]> {
  const plans = await regressions();
  return plans.length === 0 ? [] : runPlans(path, plans);
}
