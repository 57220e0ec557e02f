/** `npm run replay -- <csv>`: a real day of a shop, sold again by tills that go offline and come back. */
import { readFile, writeFile } from "node:fs/promises";
import { withoutPasswords } from "../reference-server/database.ts";
import { LogError, parseLog, type SalesLog, totalsOf } from "./log.ts";
import { type CommandLine, parseCommandLine, USAGE, UsageError } from "./options.ts";
import { type Progress, replay } from "./replay.ts";
import { closingLine, details, progressLine, table } from "./report.ts";

const WRONG = 1;
const MISUSED = 2;
/** The output is no terminal: lines can't be overwritten. */
const LINE_MS = 2_000;

async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args);
  if (line === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const log = await readLog(line.csv);
  const { report, findings, kept } = await replay({ ...line, log, progress: progressTo(process.stdout) });
  if (line.json !== undefined) await writeJson(line.json, report);
  const said = [...details(findings), ...table(report, totalsOf(log))];
  const where = line.database === undefined ? "the database and the tills' disks are" : "the tills' disks are";
  if (kept !== undefined) said.push(`${where} in ${kept}`);
  process.stdout.write(`${[...said, closingLine(report)].join("\n")}\n`);
  return report.lost + report.duplicated + report.diverged === 0 ? 0 : WRONG;
}

async function readLog(path: string): Promise<SalesLog> {
  try {
    const log = parseLog(await readFile(path, "utf8"));
    if (log.invoices.length === 0)
      throw new UsageError(`Expected ${path} to have invoices in it, got its header alone.`);
    return log;
  } catch (error) {
    if (error instanceof LogError) throw new UsageError(`Expected ${path} to be a sales log: ${error.message}.`);
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new UsageError(`Expected ${path} to be a file that can be read, got ${(error as Error).message}.`);
  }
}

async function writeJson(path: NonNullable<CommandLine["json"]>, report: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
}

/** On a terminal one line that changes; otherwise one line every few seconds. */
function progressTo(out: NodeJS.WriteStream): (progress: Progress, isLast: boolean) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (progress, isLast) => {
    const text = progressLine(progress);
    if (out.isTTY) {
      out.write(`\r\u001b[K${text}${isLast ? "\n" : ""}`);
      return;
    }
    const now = performance.now();
    if (!isLast && now - saidAt < LINE_MS) return;
    saidAt = now;
    out.write(`${text}\n`);
  };
}

// A regular exit also ends the server.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(WRONG));

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageError;
    const said = isUsage ? error.message : error instanceof Error ? error.stack : error;
    process.stderr.write(`${withoutPasswords(String(said))}\n`);
    process.exitCode = isUsage ? MISUSED : WRONG;
  },
);
