/** Opens the stores that `--database` names: in a file, or in a PostgreSQL database that several servers share. */
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Logger } from "tillsync";
import { openStore, type PokeRelay, type ServerStore } from "tillsync/server";
import { postgresPokes, postgresStore } from "tillsync/server/postgres";
import { type OpenSqlite, type SyncSqliteDriver, sqliteStore } from "tillsync/server/sqlite";
import type { AuthStore } from "./auth/auth-store.ts";
import { keysBeside, keysFromText, type SigningKeys } from "./auth/keys.ts";
import { SqliteAuthStore } from "./auth/sqlite-auth-store.ts";
import { keepPrivate } from "./private-file.ts";

export interface Databases {
  readonly store: ServerStore;
  readonly authStore: AuthStore;
  readonly keys: SigningKeys;
  /** Present if other servers may share the shop's data. */
  readonly pokes: PokeRelay | undefined;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly database: string;
  readonly authDatabase: string;
  /** Signs the tokens instead of the key that is stored with the users. */
  readonly secret: string | undefined;
  readonly logger: Logger | undefined;
}

/** Customers, password hashes, the key: other users of this computer must not read them. */
const PRIVATE = 0o700;
const EXPOSED = "It holds customers and password hashes. Run `chmod 600` on it and on the files beside it.";

export function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database);
}

/**
 * Rejects if a database can't be opened: at the start, and not at the first till's request.
 *
 * @throws WeakKeyError, ExposedFileError, AuthDatabaseError, TillSyncError `storage_…`
 */
export async function openDatabases({ database, authDatabase, secret, logger }: DatabaseOptions): Promise<Databases> {
  for (const path of [database, authDatabase]) {
    if (path === ":memory:" || isPostgres(path)) continue;
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE });
    keepPrivate(path, EXPOSED);
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
    await openStore(store);
    if (driver !== undefined && !isPostgres(authDatabase)) {
      authStore = await SqliteAuthStore.open(authDatabase, driver);
    } else {
      // Not before the store is open, which says what to install if there is no `pg`.
      const { PostgresAuthStore } = await import("./auth/postgres-auth-store.ts");
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

/** For people: where the shop's data is, without user and password. */
export function nameOf(database: string): string {
  if (database === ":memory:") return "in memory, gone when the server ends";
  if (!isPostgres(database)) return resolve(database);
  const url = URL.canParse(database) ? new URL(database) : undefined;
  return url === undefined ? "PostgreSQL" : `PostgreSQL, ${url.host || "localhost"}${url.pathname}`;
}

/** The text with the passwords of URLs masked. */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(\bpostgres(?:ql)?:\/\/[^\s:/@]*):[^\s/]*@/g, "$1:***@")
    .replace(/([?&]password=)[^\s&]*/g, "$1***");
}

/**
 * One SQLite library for everything that opens the database. File locks belong to the process: two libraries in it
 * would not see each other's locks, and closing a file in one would drop the other's. `node:sqlite` if there is one
 * (from Node 22.13), otherwise `libsql`.
 */
async function findSqlite(): Promise<OpenSqlite> {
  const builtin = process.getBuiltinModule?.("node:sqlite") as
    | { DatabaseSync: new (path: string) => SyncSqliteDriver }
    | undefined;
  if (builtin !== undefined) return (path) => new builtin.DatabaseSync(path);
  const { default: Libsql } = await import("libsql");
  return (path) => new Libsql(path);
}
