/** Cuts a plan that fails down to what it takes: fewer events, until none can be left out. */
import type { Plan, PlannedCommand, PlannedLie } from "./plan.ts";
import type { Outcome } from "./world.ts";

const MOST_RUNS = 600;

export async function shrink(plan: Plan, run: (plan: Plan) => Promise<Outcome>): Promise<{ plan: Plan; runs: number }> {
  const first = await run(plan);
  const wanted = first.violations[0]?.invariant;
  let runs = 1;
  let smallest = plan;
  if (wanted === undefined) return { plan, runs };
  const stillFails = async (candidate: Plan): Promise<boolean> => {
    runs += 1;
    const isSame = (await run(candidate)).violations.some(({ invariant }) => invariant === wanted);
    if (isSame) smallest = candidate;
    return isSame;
  };
  for (let before = -1; before !== size(smallest) && runs < MOST_RUNS; ) {
    before = size(smallest);
    for (const part of ["faults", "commands", "lies"] as const) {
      for (
        let chunk = Math.ceil((smallest[part]?.length ?? 0) / 2);
        chunk >= 1;
        chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)
      ) {
        for (let at = 0; at < (smallest[part]?.length ?? 0) && runs < MOST_RUNS; ) {
          const all: readonly (PlannedCommand | PlannedLie)[] = smallest[part] ?? [];
          const fewer = [...all.slice(0, at), ...all.slice(at + chunk)];
          if (!(await stillFails({ ...smallest, [part]: fewer }))) at += chunk;
        }
      }
    }
    const { options } = smallest;
    for (const fewer of [
      { ...options, tills: options.tills - 1 },
      { ...options, secondTab: 0 },
      { ...options, diskMs: 0 },
    ])
      if (fewer.tills > 0) await stillFails({ ...smallest, options: fewer });
  }
  return { plan: smallest, runs };
}

const size = ({ commands, faults, lies = [], options }: Plan) =>
  commands.length + faults.length + lies.length + options.tills;
