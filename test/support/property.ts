/**
 * How often a property is tried, and from where: the same cases in every run, so that nothing is red on one machine
 * only. What fails prints its seed and its path. `FC_RUNS=10` tries ten times as many cases, the usual ones first;
 * `FC_SEED=7` tries others.
 */
export function times(runs: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Math.ceil(runs * setting("FC_RUNS", 1)), seed: setting("FC_SEED", 20_261_120) };
}

function setting(name: string, usual: number): number {
  const value = Number(process.env[name] ?? usual);
  if (!Number.isFinite(value)) throw new Error(`Expected ${name} to be a number, got ${process.env[name]}`);
  return value;
}
