/** The command line. */
import { parseArgs } from "node:util";
import { isPostgres } from "../reference-server/database.ts";

export interface CommandLine {
  readonly csv: string;
  readonly tills: number;
  readonly faults: boolean;
  readonly seed: number;
  /** A PostgreSQL URL; undefined: a SQLite file of its own. */
  readonly database: string | undefined;
  readonly json: string | undefined;
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `npm run replay -- <csv> [options]

  <csv>             a sales log with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
                    CustomerID, Country
  --tills 4         how many tills share its invoices, 1 to 32
  --faults          lose, cut, delay, double and forge requests and answers; kill tills and the server
  --seed n          which schedule. Default 1
  --database postgres://…
                    two servers share it, and the tills are spread over both. Default: one server with a SQLite file
  --json out.json   writes what was found on the server

Sells a real log again: tills in this process, over HTTP, to the reference server, in a process of its own. The same
seed deals the same invoices, outages and faults in the same order; which requests are under way just then is up to the
machine, and differs from run to run.

Ends with 0 if the server and every till hold what the log says, 1 if not (a file is kept), 2 for a wrong call.
`;

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine | "help" {
  const { values, positionals } = read(args);
  if (values.help === true) return "help";
  const [csv, ...more] = positionals;
  if (csv === undefined) throw wrong("the path of a sales log", "nothing", "npm run replay -- sales.csv --faults");
  if (more.length > 0) throw wrong("one sales log", positionals.join(" "), "Quote a path that has spaces in it.");
  const { database } = values;
  if (database !== undefined && !isPostgres(database)) {
    throw wrong("--database to be a PostgreSQL URL", "something else", "Without it, a SQLite file is made.");
  }
  if (values.json === "") throw wrong("--json to name a file", "nothing", "For example --json out.json.");
  return {
    csv,
    tills: integer("tills", values.tills ?? "4", 1, 32),
    faults: values.faults === true,
    seed: integer("seed", values.seed ?? "1", 0, 2_147_483_647),
    database,
    json: values.json,
  };
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { tills: text, faults: flag, seed: text, database: text, json: text, help: { ...flag, short: "h" } },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function integer(option: string, text: string, from: number, to: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw wrong(
    `--${option} to be an integer from ${from} to ${to}`,
    JSON.stringify(text),
    `For example --${option} ${from + 3}.`,
  );
}

function wrong(expected: string, received: string, hint: string): UsageError {
  return new UsageError(`Expected ${expected}, got ${received}. ${hint}`);
}
