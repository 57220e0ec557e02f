/** `npm run torture`: what a till has acknowledged survives whatever is killed, and reaches the server once. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withoutPasswords } from "../../examples/reference-server/database.ts";
import { parseCommandLine, USAGE, UsageError } from "./command-line.ts";
import { type Database, ownPostgres, sharedPostgres, sqliteFile } from "./databases.ts";
import { closingLine, details } from "./report.ts";
import { type Tortured, torture } from "./torture.ts";

const WRONG = 1;
const MISUSED = 2;

async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args);
  if (line === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), "tillsync-torture-"));
  const database = await open(line.database, folder);
  let isKept = true;
  process.stdout.write(
    `seed ${line.seed}, ${line.tills} tills, ${database.servers === 1 ? "1 server" : `${database.servers} servers`}\n`,
  );
  try {
    const result = await torture({ ...line, database, progress: (text) => process.stdout.write(`${text}\n`) });
    isKept = !result.findings.isClean;
    if (isKept) await keep(folder, result);
    for (const text of details(result.findings)) process.stdout.write(`${text}\n`);
    if (isKept)
      process.stdout.write(`what the server and each till hold is in ${folder}; again with --seed ${line.seed}\n`);
    process.stdout.write(`${closingLine(result)}\n`);
    return result.findings.isClean ? 0 : WRONG;
  } catch (error) {
    process.stdout.write(`It did not come to its end. Seed ${line.seed}, files in ${folder}\n`);
    throw error;
  } finally {
    await database.end();
    if (!isKept) await rm(folder, { recursive: true });
  }
}

async function open(database: string, folder: string): Promise<Database> {
  if (database === "sqlite") return sqliteFile(folder);
  return database === "postgres" ? ownPostgres() : sharedPostgres(database);
}

async function keep(folder: string, { server, tills, findings }: Tortured): Promise<void> {
  const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value, null, 1));
  await writeFile(join(folder, "findings.txt"), details(findings).join("\n"));
  await write("server.json", server);
  for (const till of tills) await write(`${till.name}.json`, till);
}

// Leaving in order ends the servers too.
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
