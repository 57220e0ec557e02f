/** `npm run sim:mutants`: plants one bug after the other, and ends with 1 where a simulation has not seen it. */
import { parseArgs } from "node:util";
import { bundleWorker } from "../bundle.ts";
import { planOf } from "../plan.ts";
import { runWorker } from "../processes.ts";
import { type Catch, hunt } from "./hunt.ts";
import { mutants } from "./index.ts";
import { line, markdown } from "./report.ts";

const USAGE = `npm run sim:mutants -- [--only text]      those whose name has the text
                       [--seeds 2000]     at most
                       [--sample 100]     of the first so many it is counted how many catch it
                       [--processes 2]     that many bugs at a time
                       [--skip-canary]    without a run of the same seeds on the code as it is
                       [--markdown]       the page docs/planted-bugs.md
`;
const WRONG = 1;
const MISUSED = 2;

const out = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      seeds: { type: "string", default: "2000" },
      sample: { type: "string", default: "100" },
      processes: { type: "string", default: "2" },
      "skip-canary": { type: "boolean" },
      markdown: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const [seeds, sample, processes] = [Number(values.seeds), Number(values.sample), Number(values.processes)];
  const wanted = mutants.filter(({ name }) => values.only?.some((text) => name.includes(text)) ?? true);
  if (values.help || wanted.length === 0 || !(seeds > 0) || !(sample >= 0) || !(processes > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : MISUSED;
  }
  const catches: Catch[] = [];
  const left = wanted.entries();
  const work = async () => {
    for (const [at, mutant] of left) {
      const found = await hunt(mutant, { seeds, sample });
      catches[at] = found;
      // The page may be written to a file, so progress is written to stderr.
      process[values.markdown ? "stderr" : "stdout"].write(`${line(found)}\n`);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  const isSound = values["skip-canary"] || (await isCanaryAlive(catches, sample));
  const missed = catches.filter(({ first }) => first === undefined);
  if (values.markdown) out(markdown(catches, sample));
  else out(`\n${catches.length - missed.length} of ${catches.length} caught`);
  return isSound && missed.length === 0 ? 0 : WRONG;
}

/** The code as it is must pass each seed that counts: else everything would be caught, by anything. */
async function isCanaryAlive(catches: readonly Catch[], sample: number): Promise<boolean> {
  const counted = Array.from({ length: sample }, (_, at) => at + 1);
  const seeds = new Set([...counted, ...catches.flatMap(({ first }) => first?.seed ?? [])]);
  const bundle = await bundleWorker();
  let isAlive = true;
  try {
    const plans = [...seeds].map(planOf);
    await runWorker(bundle.path, { kind: "plans", plans }, (answer) => {
      if (answer.kind !== "outcome" || answer.outcome.violations.length === 0) return;
      isAlive = false;
      const { seed, violations } = answer.outcome;
      process.stderr.write(
        `The code as it is fails with seed ${seed}, too (${violations[0]?.invariant}): it has caught nothing.\n`,
      );
    });
  } finally {
    await bundle.remove();
  }
  return isAlive;
}

process.exitCode = await main();
