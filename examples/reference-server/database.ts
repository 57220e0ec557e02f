/** From `--database` to the stores: a file, or a PostgreSQL that several servers share. */
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Logger } from "tillsync";
import type { PokeRelay, ServerStore } from "tillsync/server";
import { postgresPokes, postgresStore } from "tillsync/server/postgres";
import { type OpenSqlite, type SyncSqliteDriver, sqliteStore } from "tillsync/server/sqlite";
import type { AuthStore } from "./auth/auth-store.ts";
import { keysBeside, keysFromText, type SigningKeys } from "./auth/keys.ts";
import { PostgresAuthStore } from "./auth/postgres-auth-store.ts";
import { SqliteAuthStore } from "./auth/sqlite-auth-store.ts";

export interface Databases {
  readonly store: ServerStore;
  readonly authStore: AuthStore;
  readonly keys: SigningKeys;
  /** Where other servers may share the shop's data. */
  readonly pokes: PokeRelay | undefined;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly database: string;
  readonly authDatabase: string;
  /** Instead of the key that is kept with the users. */
  readonly secret: string | undefined;
  readonly logger: Logger | undefined;
}

/** Customers, passwords' hashes, the key: nobody else's on this computer. */
const PRIVATE = 0o700;

export function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database);
}

/** A database that can't be opened is told now, and not to the first till. */
export async function openDatabases({ database, authDatabase, secret, logger }: DatabaseOptions): Promise<Databases> {
  for (const path of [database, authDatabase]) {
    if (path !== ":memory:" && !isPostgres(path)) mkdirSync(dirname(path), { recursive: true, mode: PRIVATE });
  }
  let keys = secret === undefined ? undefined : keysFromText(secret);
  if (keys === undefined && !isPostgres(authDatabase)) keys = keysBeside(authDatabase);

  const driver = isPostgres(database) && isPostgres(authDatabase) ? undefined : await findSqlite();
  const store = isPostgres(database) ? postgresStore({ url: database }) : sqliteStore({ path: database, driver });
  const pokes = isPostgres(database) ? postgresPokes({ url: database, logger }) : undefined;
  let authStore: AuthStore | undefined;
  const close = async () => {
    await pokes?.close();
    await authStore?.close();
    await store.close();
  };
  try {
    await store.secret();
    if (driver !== undefined && !isPostgres(authDatabase)) {
      authStore = await SqliteAuthStore.open(authDatabase, driver);
    } else {
      const shared = await PostgresAuthStore.open(authDatabase);
      authStore = shared;
      keys ??= keysFromText(await shared.signingKey());
    }
    return { store, authStore, keys: keys as SigningKeys, pokes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** For a person: where the shop's data is, without what is nobody's business. */
export function nameOf(database: string): string {
  if (!isPostgres(database)) return resolve(database);
  const url = URL.canParse(database) ? new URL(database) : undefined;
  return url === undefined ? "PostgreSQL" : `PostgreSQL, ${url.host || "localhost"}${url.pathname}`;
}

/** The text without the passwords of URLs in it. */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(\bpostgres(?:ql)?:\/\/[^\s:/@]*):[^\s/]*@/g, "$1:***@")
    .replace(/([?&]password=)[^\s&]*/g, "$1***");
}

/**
 * One SQLite library for everything that opens the database. File locks belong to the process: two libraries in it would not see each
 * other's, and closing a file in one would drop the other's. `node:sqlite` where there is one (Node 22.13), else `libsql`.
 */
async function findSqlite(): Promise<OpenSqlite> {
  const builtin = process.getBuiltinModule?.("node:sqlite") as
    | { DatabaseSync: new (path: string) => SyncSqliteDriver }
    | undefined;
  if (builtin !== undefined) return (path) => new builtin.DatabaseSync(path);
  const { default: Libsql } = await import("libsql");
  return (path) => new Libsql(path);
}
