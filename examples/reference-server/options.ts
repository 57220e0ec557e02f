/** The options of the command line. */
import { parseArgs } from "node:util";
import type { SecondFactorFor } from "./auth/auth-parts.ts";
import type { Registration } from "./auth/auth-service.ts";
import { LOG_LEVELS, type LogLevel } from "./logger.ts";

export interface CommandLine {
  readonly port: number;
  readonly host: string;
  readonly proxies: number;
  readonly database: string;
  readonly authDatabase: string | undefined;
  readonly seed: "demo" | "none";
  readonly origins: readonly string[];
  /** Whether browsers receive the till's page at `/`. */
  readonly page: boolean;
  readonly registration: Registration;
  readonly secondFactorFor: SecondFactorFor;
  readonly hsts: boolean;
  readonly log: LogLevel;
  readonly help: boolean;
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `npm start -- [options]

  --port 8787                       0: any free port
  --host 127.0.0.1                  0.0.0.0: every network of this computer. Put a proxy with TLS in front
  --proxy 1                         how many proxies, which add to X-Forwarded-For, every request passes. Default: 0
  --database ./data/shop.sqlite     created if there is none
  --database postgres://user@host/shop
                                    for any number of servers. The password: PGPASSWORD, ~/.pgpass, or user:password@
  --auth-database <file or URL>     users, devices and revocations in a separate database
  --seed demo|none                  demo: a shop to try, in a database without a shop.
                                    Default: demo if only this computer can call, otherwise none
  --origin https://till.example     a page that may call; repeat it for each page
  --registration open|first|closed  who may register a shop: anybody, whoever is first in an empty database, or nobody.
                                    Default: open
  --second-factor nobody|office     office: owners and managers need one. Default: nobody, who may still set one up
  --hsts                            browsers must use TLS for this host, and those below it, for a year
  --no-page                         only the API, without the till in the browser
  --log silent|error|info|debug     default: info

  TILLSYNC_JWT_SECRET               signs the tokens, instead of the key that is stored with the users
`;

const SEEDS = ["demo", "none"] as const;
const REGISTRATIONS = ["first", "open", "closed"] as const;
const SECOND_FACTORS = ["nobody", "office"] as const;

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const given = read(args);
  const host = given.host ?? "127.0.0.1";
  if (host === "") throw wrong("host", "an address to listen on", "nothing", "127.0.0.1 is this computer only.");
  const isLocal = isLoopback(host);
  const seed = oneOf("seed", given.seed ?? (isLocal ? "demo" : "none"), SEEDS);
  if (seed === "demo" && !isLocal) {
    throw wrong("seed", `none with --host ${host}`, "demo", "The demo's password is public. Use POST /auth/register.");
  }
  const database = given.database ?? "./data/shop.sqlite";
  if (database === "")
    throw wrong("database", "a file or a PostgreSQL URL", "nothing", "For example ./data/shop.sqlite.");
  if (given["auth-database"] === "")
    throw wrong("auth-database", "a file or a PostgreSQL URL", "nothing", "Leave it out to use --database.");
  return {
    port: portOf(given.port ?? "8787"),
    host,
    proxies: proxiesOf(given.proxy ?? "0"),
    database,
    authDatabase: given["auth-database"],
    seed,
    origins: (given.origin ?? []).map(originOf),
    page: given["no-page"] !== true,
    registration: oneOf("registration", given.registration ?? "open", REGISTRATIONS),
    secondFactorFor: oneOf("second-factor", given["second-factor"] ?? "nobody", SECOND_FACTORS),
    hsts: given.hsts === true,
    log: oneOf("log", given.log ?? "info", LOG_LEVELS),
    help: given.help === true,
  };
}

/** Whether only this computer can call. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: text,
        host: text,
        proxy: text,
        database: text,
        "auth-database": text,
        seed: text,
        origin: { type: "string", multiple: true },
        registration: text,
        "second-factor": text,
        hsts: { type: "boolean" },
        "no-page": { type: "boolean" },
        log: text,
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw wrong("port", "an integer from 0 to 65535", text, "0 takes any free port.");
}

function proxiesOf(text: string): number {
  if (/^\d$/.test(text)) return Number(text);
  throw wrong("proxy", "a number from 0 to 9", text, "1 for one proxy in front of this server.");
}

function originOf(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text;
  throw wrong("origin", "scheme, host and port of a page", text, "For example https://till.example, without a path.");
}

function oneOf<const T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((literal) => literal === value);
  if (found !== undefined) return found;
  throw wrong(option, allowed.join(" or "), value, "Leave it out for the default.");
}

function wrong(option: string, expected: string, received: string, hint: string): UsageError {
  return new UsageError(`Expected --${option} to be ${expected}, got ${JSON.stringify(received)}. ${hint}`);
}
