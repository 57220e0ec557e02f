/** `npm run bench`: what tillsync costs, beside the same work written by hand, in the same run. */
import { writeFile } from "node:fs/promises";
import { browserBenches } from "./browser/suite.ts";
import { chosen, parseCommandLine, USAGE } from "./command-line.ts";
import type { Figure } from "./figures.ts";
import { machine } from "./machine.ts";
import { markdown, summary, table } from "./report.ts";
import { serverBenches } from "./server/suite.ts";
import { sizeBench } from "./size.ts";
import { full, quick } from "./sizes.ts";
import type { Bench, Context } from "./suite.ts";

const say = (...lines: readonly string[]) => process.stdout.write(`${lines.join("\n")}\n`);

async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, process.env);
  if (line === "help") {
    say(USAGE);
    return 0;
  }
  const benches = chosen<Bench>([...browserBenches(), ...serverBenches(), sizeBench], line.filters);
  if (benches.length === 0) {
    say(`There is no bench like ${line.filters.join(" or ")}.`, "", USAGE);
    return 2;
  }
  const versions: Record<string, string> = { node: process.versions.node };
  const context: Context = {
    sizes: line.quick ? quick : full,
    database: line.database,
    versions,
    progress: (text) => process.stderr.write(`${text}\n`),
  };
  const before = machine();
  const date = new Date().toISOString().slice(0, 10);
  const figures: Figure[] = [];
  for (const bench of benches) {
    const start = performance.now();
    figures.push(...(await bench.run(context)));
    context.progress(`${bench.id}: ${((performance.now() - start) / 1_000).toFixed(0)} s`);
  }
  const measuredWith = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const about = [
    ...before,
    measuredWith.join(", "),
    `${date}${line.quick ? ", --quick: not the sizes of the bounds" : ""}`,
  ];
  say("", ...about, "", ...table(figures), "", summary(figures));
  if (line.json !== undefined)
    await writeFile(line.json, `${JSON.stringify({ date, machine: about, figures }, null, 2)}\n`);
  if (line.markdown !== undefined) await writeFile(line.markdown, `${[...markdown(figures)].join("\n")}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
