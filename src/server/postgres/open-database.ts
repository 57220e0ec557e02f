/** Opens the database at a URL: migrates it, and makes the pool and the settings of the store's transactions. */
import { systemDigest } from "../../shared/digest.ts";
import type { Random } from "../../shared/random.ts";
import type { CheckedMigration, Migration } from "../sql/migrations.ts";
import { Connection, type Statement } from "./connection.ts";
import { findDriver, type PgClient, type PgConfig, type PgDriver } from "./driver.ts";
import { unavailable, unreachable } from "./errors.ts";
import { inTransaction, lockMigrations, migrate, pendingIn } from "./migrate.ts";
import { ConnectionPool } from "./pool.ts";
import { tenantTables } from "./tables.ts";
import { settingsOfMigrations, transactionSettings } from "./transaction-settings.ts";

/** The role that transactions take if row-level security does not apply to the user of the URL. */
const DEFAULT_ROLE = "tillsync_tenants";
/** How much longer than the server's own limit to wait for a result, in ms. */
const SILENCE_MS = 5_000;
/** How long a migration may take, in ms: other processes that open the store wait for it. */
const LONGEST_MIGRATION_MS = 10 * 60_000;

export interface DatabaseOptions {
  readonly url: string;
  readonly schema: string;
  readonly role: string | undefined;
  readonly maxConnections: number;
  readonly busyTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

export interface OpenedDatabase {
  readonly pool: ConnectionPool;
  /** The settings of a transaction of a tenant. */
  readonly settings: (tenant: string) => Statement;
  readonly secret: string;
}

/** @throws TillSyncError `storage_unavailable`, `storage_newer`, `storage_corrupt`; errors of PostgreSQL as they are */
export async function openDatabase(
  options: DatabaseOptions,
  migrations: readonly Migration[],
  random: Random,
): Promise<OpenedDatabase> {
  const known = await Promise.all(
    migrations.map(async (migration) => ({ ...migration, checksum: await systemDigest.sha256(migration.sql) })),
  );
  const driver = await findDriver();
  const config: PgConfig = {
    connectionString: options.url,
    application_name: "tillsync",
    keepAlive: true,
    connectionTimeoutMillis: options.busyTimeoutMs,
  };
  const client = makeClient(driver, { ...config, query_timeout: LONGEST_MIGRATION_MS });
  const where = `${client.host}:${client.port}/${client.database ?? ""}`;
  client.on("error", () => {}); // every pending request rejects
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(where, error);
  }
  try {
    const { role, secret } = await prepare(new Connection(client), options, known, random);
    const settings = transactionSettings({ ...options, role });
    const query_timeout = options.statementTimeoutMs + SILENCE_MS;
    const pool = new driver.Pool({ ...config, max: options.maxConnections, query_timeout });
    return { pool: new ConnectionPool(pool, where), settings, secret };
  } finally {
    await client.end();
  }
}

function makeClient(driver: PgDriver, config: PgConfig): PgClient {
  try {
    return new driver.Client(config);
  } catch {
    // Without the cause, which quotes the URL and with it the password.
    throw unavailable("The database's URL could not be read. Write postgres://user:password@host:port/database.");
  }
}

interface Prepared {
  readonly role: string | undefined;
  readonly secret: string;
}

async function prepare(
  connection: Connection,
  options: DatabaseOptions,
  known: readonly CheckedMigration[],
  random: Random,
): Promise<Prepared> {
  const { schema } = options;
  const settings = settingsOfMigrations(options);
  await inTransaction(connection, settings, async () => {
    await pendingIn(connection, known); // throws before anything is changed
    await refuseOtherEncodings(connection);
    // `create schema if not exists` requires the right to create schemas even if this one exists.
    const [[found] = []] = await connection.all("select to_regnamespace($1)::text", schema);
    if (found === null) await connection.script(`create schema if not exists ${schema}`);
  });
  await migrate(connection, settings, known);
  const role = await inTransaction(connection, settings, () => prepareRole(connection, options));
  return { role, secret: await inTransaction(connection, settings, () => readSecret(connection, random)) };
}

async function refuseOtherEncodings(connection: Connection): Promise<void> {
  const [[encoding] = []] = await connection.all("select current_setting('server_encoding')");
  if (encoding === "UTF8") return;
  throw unavailable(
    `Expected a database with the encoding UTF8, got ${encoding}. Create it with \`createdb -E UTF8\`.`,
  );
}

/** The role that transactions take, to which row-level security applies. `undefined`: they stay with the user's own. */
async function prepareRole(
  connection: Connection,
  { schema, role: requested }: DatabaseOptions,
): Promise<string | undefined> {
  const bypassesRls = async (name: string | undefined): Promise<boolean | undefined> => {
    const [row] = await connection.all(
      "select (rolsuper or rolbypassrls)::int from pg_roles where rolname = coalesce($1, session_user)",
      name ?? null,
    );
    return row && row[0] === "1";
  };
  if (requested === undefined && (await bypassesRls(undefined)) === false) return undefined;

  const role = requested ?? DEFAULT_ROLE;
  const quoted = `"${role}"`;
  if ((await bypassesRls(role)) === undefined) {
    if (requested !== undefined) {
      throw unavailable(
        `There is no role ${quoted} in the database. Create it (\`create role ${quoted} nologin\`), or leave \`role\` out.`,
      );
    }
    await connection.script(`create role ${quoted} nologin`);
  }
  if (await bypassesRls(role)) {
    throw unavailable(
      `Row-level security does not apply to the role ${quoted}: it is a superuser, or has BYPASSRLS. Name an ordinary role in \`role\`.`,
    );
  }
  const lacking = await connection.all(
    "select 1 from unnest($1::text[]) as given (name) where not has_table_privilege($2::name, given.name, 'delete') " +
      "or not has_schema_privilege($2::name, $3, 'usage')",
    `{${tenantTables.join(",")}}`,
    role,
    schema,
  );
  if (lacking.length > 0) {
    // Not on `settings`, which holds the secret, and not on the migrations: transactions need neither.
    await lockMigrations(connection);
    await connection.script(
      `grant usage on schema ${schema} to ${quoted}; grant select, insert, update, delete on ${tenantTables.join(", ")} to ${quoted}`,
    );
  }
  return role;
}

/** Created with the database. Two UUIDs have 148 random bits. */
async function readSecret(connection: Connection, random: Random): Promise<string> {
  const read = () => connection.all("select value from settings where name = 'secret'");
  const [stored] = await read();
  if (typeof stored?.[0] === "string") return stored[0];
  const made = (random.uuid() + random.uuid()).replaceAll("-", "");
  await connection.all("insert into settings (name, value) values ('secret', $1) on conflict (name) do nothing", made);
  const [[secret] = []] = await read();
  return String(secret);
}
