/** The command lines of `npm run torture` and `npm run torture:browser`. Pure. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isPostgres } from "../../examples/reference-server/database.ts";

export interface CommandLine {
  readonly kills: number;
  readonly seed: number;
  readonly tills: number;
  /** `sqlite`, `postgres`, or the URL of somebody's PostgreSQL. */
  readonly database: string;
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `npm run torture -- [options]

  --kills 50        how often something is killed
  --seed 1          what is killed when, and what the tills and the network do
  --tills 4         half of them on memory, half on IndexedDB
  --database postgres
                    the default: a PostgreSQL of its own with two servers on it; servers and PostgreSQL are killed
  --database sqlite one server with a file
  --database postgres://user@host/database
                    two servers on it; only they are killed

Tills sell over a network that loses, cuts, delays and doubles, to servers that are ended by SIGKILL under load and started
again. After each kill, and when all is quiet, the databases and the tills' stores are read, past server and till.

Ends with 0 if nothing is lost, doubled, half or diverged; 1 if something is; 2 for a wrong call.
`;

export const BROWSER_USAGE = `npm run torture:browser -- [options]

  --kills 50        how often the browser is killed
  --seed 1          when, and what the network does

A page sells without a pause, and says which sales are saved. Its browser is ended by SIGKILL and started again. Before any
till looks at it, and when all is quiet, the browser's database is read.

Ends with 0 if nothing is lost, doubled or half; 1 if something is; 2 for a wrong call.
`;

/** @throws UsageError */
export function parseBrowserCommandLine(args: readonly string[]): Pick<CommandLine, "kills" | "seed"> | "help" {
  const values = read(args, { kills: text, seed: text, help }, BROWSER_USAGE);
  return values.help === true ? "help" : killsAndSeed(values);
}

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine | "help" {
  const values = read(args, { kills: text, seed: text, tills: text, database: text, help }, USAGE);
  if (values.help === true) return "help";
  const { database = "postgres" } = values;
  if (database !== "sqlite" && database !== "postgres" && !isPostgres(database)) {
    throw new UsageError("Expected --database to be sqlite, postgres, or a URL that begins with postgres://.");
  }
  return {
    ...killsAndSeed(values),
    tills: integer("tills", values.tills ?? "4", 1, 32),
    database,
  };
}

const text = { type: "string" } as const;
const help = { type: "boolean", short: "h" } as const;

function killsAndSeed({ kills, seed }: { readonly kills?: string | undefined; readonly seed?: string | undefined }) {
  return { kills: integer("kills", kills ?? "50", 1, 100_000), seed: integer("seed", seed ?? "1", 0, 2_147_483_647) };
}

function read<const O extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: O,
  usage: string,
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

function integer(option: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw new UsageError(`Expected --${option} to be an integer from ${from} to ${to}, got ${JSON.stringify(text)}.`);
}
