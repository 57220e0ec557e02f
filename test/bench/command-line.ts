/** `npm run bench -- [filter…] [--quick] [--json file] [--markdown file] [--database url]`. Pure. */
import { parseArgs } from "node:util";

export const USAGE = `npm run bench -- [filter…] [options]

  filter             only benches whose name contains it: browser, browser/sale, server/sqlite, growth, size
  --quick            smaller sizes: a look, not what the bounds are about
  --json <file>      the figures, with machine and date
  --markdown <file>  the same as tables
  --database <url>   a PostgreSQL to measure on (default: PG_URL)
`;

export interface CommandLine {
  readonly filters: readonly string[];
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly database: string | undefined;
}

export function parseCommandLine(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): CommandLine | "help" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
      database: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const { quick, json, markdown, database = env.PG_URL } = values;
  return { filters: positionals, quick, json, markdown, database };
}

export function chosen<B extends { readonly id: string }>(
  benches: readonly B[],
  filters: readonly string[],
): readonly B[] {
  return benches.filter(({ id }) => filters.length === 0 || filters.some((filter) => id.includes(filter)));
}
