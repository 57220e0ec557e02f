/** `npm run sim`: many seeds on all processors, or one with its trace. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../scripts/entries.mjs";
import { bundleWorker } from "./bundle.ts";
import { Coverage } from "./coverage.ts";
import { crashPoints, runPlans } from "./crash-points.ts";
import { type Plan, planOf } from "./plan.ts";
import { runSeeds, runWorker } from "./processes.ts";
import { regressionsFolder, runRegressions } from "./regressions.ts";
import { progress, summary, told } from "./report.ts";
import { drawnSeed } from "./seed.ts";
import type { Answer } from "./worker.ts";
import type { Outcome } from "./world.ts";

const USAGE = `npm run sim -- --seed 4711                  one run, with its trace
npm run sim -- --seed 4711 --shrink         cut down to what it takes to fail
                [--keep <name>]             and kept, as a regression that runs first
npm run sim -- --plan <file>                a plan that was kept, with its trace
npm run sim -- --seeds 5000 [--seed first]  many runs; ends with 1 if an invariant was violated. Without --seed the
                                            first seed is drawn at random; the summary names it
                [--processes 2]
npm run sim -- --crash-points               one tape, cut once at every step of the till and of the server
`;

const WRONG = 1;
const MISUSED = 2;
/** Enough to see that something is wrong; the rest would say the same. */
const STOPS_AT = 10;

const out = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      plan: { type: "string" },
      shrink: { type: "boolean" },
      keep: { type: "string" },
      "crash-points": { type: "boolean" },
      processes: { type: "string", default: "2" },
      help: { type: "boolean" },
    },
  });
  const seed = values.seed === undefined ? undefined : wholeNumber("--seed", values.seed);
  if (
    values.help ||
    (seed === undefined && values.seeds === undefined && values.plan === undefined && !values["crash-points"])
  ) {
    out(USAGE);
    return values.help ? 0 : MISUSED;
  }
  const bundle = await bundleWorker();
  try {
    if (values["crash-points"]) return await everyCrash(bundle.path);
    if (values.seeds !== undefined) {
      const count = wholeNumber("--seeds", values.seeds);
      return await many(bundle.path, seed ?? drawnSeed(), count, wholeNumber("--processes", values.processes));
    }
    const plan =
      values.plan === undefined ? planOf(seed ?? 1) : (JSON.parse(await readFile(values.plan, "utf8")) as Plan);
    return values.shrink ? await shrunk(bundle.path, plan, values.keep) : await one(bundle.path, plan);
  } finally {
    await bundle.remove();
  }
}

async function one(path: string, plan: Plan): Promise<number> {
  let isRight = false;
  await runWorker(path, { kind: "trace", plan }, (answer) => {
    if (answer.kind !== "outcome") return;
    const { lines, violations, digest } = answer.outcome;
    out([...lines, ...told(answer.outcome), `trace ${digest}`].join("\n"));
    isRight = violations.length === 0;
  });
  return isRight ? 0 : WRONG;
}

async function shrunk(path: string, plan: Plan, name: string | undefined): Promise<number> {
  await runWorker(path, { kind: "shrink", plan }, (answer) => {
    if (answer.kind !== "shrunk") return;
    const { commands, faults } = answer.plan;
    out(`${answer.runs} runs: ${commands.length} commands and ${faults.length} faults are left`);
    const file = name === undefined ? undefined : join(regressionsFolder, `${name}.json`);
    const text = `${JSON.stringify(answer.plan, null, 2)}\n`;
    if (file === undefined) out(text);
    else void writeFile(file, text).then(() => out(`kept in ${file.slice(root.length)}`));
  });
  return WRONG;
}

async function everyCrash(path: string): Promise<number> {
  const plans = await crashPoints(path);
  const show = progress(process.stdout);
  const counts = new Map<string, number>();
  let [done, violated] = [0, 0];
  const heard = (outcome: Outcome) => {
    done += 1;
    if (outcome.violations.length > 0) {
      violated += 1;
      out(told(outcome).join("\n"));
    }
    show(`${done} of ${plans.length} crashes, ${violated} violated`);
  };
  for (const { crash } of plans) if (crash) counts.set(crash.where, (counts.get(crash.where) ?? 0) + 1);
  const half = plans.length >> 1;
  await Promise.all([runPlans(path, plans.slice(0, half), heard), runPlans(path, plans.slice(half), heard)]);
  out(`\ncrashes      ${plans.length}: ${[...counts].map(([where, count]) => `${where} ${count}`).join(", ")}`);
  out(`violations   ${violated}`);
  return violated === 0 ? 0 : WRONG;
}

async function many(path: string, first: number, count: number, processes: number): Promise<number> {
  const began = process.hrtime.bigint();
  const seconds = () => Number(process.hrtime.bigint() - began) / 1e9;
  const coverage = new Coverage();
  const counted = { runs: 0, operations: 0, virtualMs: 0, violated: [] as number[], differed: [] as number[] };
  const show = progress(process.stdout);
  const heard = (answer: Answer) => {
    if (answer.kind === "differed") {
      counted.differed.push(answer.seed);
      out(`seed ${answer.seed}: the second run had another trace`);
    }
    if (answer.kind !== "outcome") return;
    const { outcome } = answer;
    counted.runs += 1;
    counted.operations += outcome.operations;
    counted.virtualMs += outcome.virtualMs;
    coverage.add(outcome);
    if (outcome.violations.length > 0) {
      counted.violated.push(outcome.seed);
      out(told(outcome).join("\n"));
    }
    show(`${counted.runs} of ${count} seeds, ${counted.operations} operations, ${counted.violated.length} violated`);
  };
  const regressed = await runRegressions(path);
  for (const outcome of regressed) if (outcome.violations.length > 0) out(told(outcome).join("\n"));
  const again = regressed.filter(({ violations }) => violations.length > 0).length;
  await runSeeds(path, { first, count, processes, stopsAt: STOPS_AT }, heard);
  out(summary({ ...counted, first, regressions: regressed.length, again, seconds: seconds() }, coverage).join("\n"));
  return counted.violated.length + counted.differed.length + again === 0 ? 0 : WRONG;
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`Expected ${option} to be a whole number from 1, got ${text}.\n`);
  process.exit(MISUSED);
}

process.exitCode = await main();
