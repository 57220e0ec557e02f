/** `npm start`: the reference server on the command line. */
import type { Logger } from "tillsync";
import { bringPage } from "../pos-web/build.ts";
import { KEYS_VARIABLE, WeakKeyError } from "./auth/keys.ts";
import { nameOf, withoutPasswords } from "./database.ts";
import { jsonLogger } from "./logger.ts";
import { parseCommandLine, USAGE, UsageError } from "./options.ts";
import { readPage } from "./page.ts";
import { ExposedFileError } from "./private-file.ts";
import type { SecurityLog } from "./security-log.ts";
import { type RunningServer, startServer } from "./server.ts";
import { welcome } from "./welcome.ts";

const FAILED = 1;
const MISUSED = 2;
/** Under npm, Ctrl-C sends the signal twice: from the terminal, and again from npm. */
const SAME_SIGNAL_MS = 500;

async function main(args: readonly string[]): Promise<void> {
  const line = parseCommandLine(args);
  if (line.help) {
    process.stdout.write(USAGE);
    return;
  }
  const logger = jsonLogger(line.log);
  const page = line.page ? readPage(await bringPage(progress)) : undefined;
  // Also with --log error: who signed in must be known afterwards.
  const always = line.log === "silent" ? logger : jsonLogger("info");
  const securityLog: SecurityLog = (event) => always.info("security", event);
  const server = await startServer({ ...line, page, logger, securityLog, secret: process.env[KEYS_VARIABLE] });
  process.stdout.write(`listening on ${server.url}\nthe shop's data: ${nameOf(line.database)}\n`);
  if (page !== undefined) process.stdout.write(`the till: ${server.url}/ in a browser\n`);
  if (server.hasDemo) process.stdout.write(welcome(server.url));
  endOnSignal(server);
  endOnFailure(server, logger);
}

/** Not on standard output: its first line says where the server listens. */
function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The first signal shuts the server down gracefully; the second one ends it at once. */
function endOnSignal(server: RunningServer): void {
  let endingSince: number | undefined;
  const end = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (endingSince !== undefined && now - endingSince < SAME_SIGNAL_MS) return;
    if (endingSince !== undefined) process.exit(FAILED);
    endingSince = now;
    process.stdout.write(`${signal}: finishing the requests under way\n`);
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

/**
 * The last resort, for an error that nobody caught: nothing is known of the process any more, so it is written down, the
 * requests under way are finished, and whoever supervises the process starts a new one.
 */
function endOnFailure(server: RunningServer, logger: Logger): void {
  process.once("uncaughtException", (error) => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger.error("The process ends because of an error that nobody caught", { error: withoutPasswords(what) });
    const end = () => process.exit(FAILED);
    server.close().then(end, end);
  });
}

/** Prints one sentence if the user can fix it, or the stack if it is a bug. */
function fail(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  const isUsage = [UsageError, WeakKeyError, ExposedFileError].some((known) => error instanceof known);
  // By name: importing `isTillSyncError` would load the whole client, and `AuthDatabaseError` the library `pg`.
  const isExplained = error instanceof Error && ["TillSyncError", "AuthDatabaseError"].includes(error.name);
  const message = isUsage || isExplained ? (error as Error).message : explain(code, error);
  process.stderr.write(`${withoutPasswords(message)}\n`);
  process.exit(isUsage ? MISUSED : FAILED);
}

function explain(code: string | undefined, error: unknown): string {
  const { port, address } = error as { port?: number; address?: string };
  switch (code) {
    case "EADDRINUSE":
      return `Expected port ${port} of ${address} to be free: another program listens there. Stop it, or start with --port ${(port ?? 0) + 1}.`;
    case "EACCES":
      return `${(error as Error).message}: permission denied. Ports below 1024 and other people's folders require a permission.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `Expected --host to be an address of this computer, got ${address ?? (error as Error).message}. 127.0.0.1 always is.`;
    case "ERR_MODULE_NOT_FOUND":
      return `${(error as Error).message}. Install what is missing with \`npm install\`: \`pg\` for PostgreSQL, \`libsql\` for a file.`;
    default:
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => fail(error));
