/**
 * The token issuer's tables in PostgreSQL, in a schema of their own: every server sees the same users, sessions and
 * revocations.
 *
 * The signing key is there too, so all servers agree on it without configuration. Anyone who can write these tables
 * could get tokens anyway, with a password of their own choice. With TILLSYNC_JWT_SECRET the key is not in the
 * database's backups.
 */
import { Client, Pool, type PoolClient, type QueryResultRow } from "pg";
import { columnsOf, deviceOf, hashOf, optional, RESEALED, type Row, sessionOf, userOf } from "./auth-rows.ts";
import {
  type AuthStore,
  type Begun,
  type Device,
  type Ends,
  KEEP_ROTATED_MS,
  type KnownDevice,
  type NewUser,
  type Page,
  type RefreshToken,
  type Resealed,
  type Session,
  type Standing,
  type Tenant,
  type User,
  type UserChanges,
} from "./auth-store.ts";
import { newKey } from "./keys.ts";
import { postgresAuthMigrations } from "./postgres-auth-migrations.ts";

const SCHEMA = "tillsync_auth";
const MAX_CONNECTIONS = 5;
const CONNECT_MS = 10_000;
const STATEMENT_MS = 10_000;
/** If two servers create the same object at once, one gets an error: unique_violation (of a catalogue), duplicate_… */
const MADE_TWICE = ["23505", "42P06", "42P07", "42710"];
const MAX_ATTEMPTS = 5;

/** The database of users is unavailable. The message contains no URL, because a URL may contain a password. */
export class AuthDatabaseError extends Error {
  override readonly name = "AuthDatabaseError";
}

/**
 * How a transaction begins that can wait for a lock. Its settings end with it: on the connection they would reach other
 * clients of a pooler.
 */
const LIMITS = ["statement_timeout", "idle_in_transaction_session_timeout"];
const BEGIN = `begin; ${LIMITS.map((name) => `set local ${name} = ${STATEMENT_MS}`).join("; ")}`;

export class PostgresAuthStore implements AuthStore {
  readonly #pool: Pool;

  /** @throws AuthDatabaseError */
  static async open(url: string): Promise<PostgresAuthStore> {
    for (let attempt = 1; ; attempt++) {
      try {
        await migrate(url);
        return new PostgresAuthStore(url);
      } catch (error) {
        if (MADE_TWICE.includes(codeOf(error)) && attempt < MAX_ATTEMPTS) continue;
        if (error instanceof AuthDatabaseError) throw error;
        const reason = codeOf(error) === "" ? "" : ` (${codeOf(error)})`;
        throw new AuthDatabaseError(`The database of users could not be opened${reason}: ${messageOf(error)}`);
      }
    }
  }

  private constructor(url: string) {
    this.#pool = new Pool({
      connectionString: url,
      application_name: "tillsync-auth",
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      // `statement_timeout` would be a parameter of the connection's start, which poolers refuse: see BEGIN.
      query_timeout: STATEMENT_MS + CONNECT_MS,
      keepAlive: true,
    });
    // The pool replaces a connection that fails while idle.
    this.#pool.on("error", () => {});
  }

  /** Created at the first start, by the server that is first. */
  async signingKey(): Promise<string> {
    const made = ["signing", newKey()];
    await this.#change(
      `insert into ${SCHEMA}.auth_keys (name, secret) values ($1, $2) on conflict (name) do nothing`,
      made,
    );
    const [row] = await this.#all(`select secret from ${SCHEMA}.auth_keys where name = $1`, ["signing"]);
    return String(row?.secret);
  }

  async hasTenants(): Promise<boolean> {
    return (await this.#all(`select 1 from ${SCHEMA}.auth_tenants limit 1`)).length > 0;
  }

  async addTenant(tenant: Tenant, owner: NewUser, at: number, mustBeFirst: boolean) {
    return this.#transaction(async (client) => {
      if (mustBeFirst) {
        // Of two that come at the same time, the second one waits here and then sees the first.
        await client.query(`lock table ${SCHEMA}.auth_tenants in share row exclusive mode`);
        const { rowCount } = await client.query(`select 1 from ${SCHEMA}.auth_tenants limit 1`);
        if (rowCount !== 0) return "not_first";
      }
      const values = [tenant.id, tenant.name, at];
      const { rowCount } = await client.query(
        `insert into ${SCHEMA}.auth_tenants (id, name, created_at) values ($1, $2, $3) on conflict (id) do nothing`,
        values,
      );
      if (rowCount === 0 || !(await insertUser(client, owner, at))) throw new Taken();
      return "added";
    }).catch((error: unknown) => {
      if (error instanceof Taken) return "taken" as const;
      throw error;
    });
  }

  async nameOf(tenant: string): Promise<string | undefined> {
    const [row] = await this.#all(`select name from ${SCHEMA}.auth_tenants where id = $1`, [tenant]);
    return optional(row?.name, String);
  }

  async addUser(user: NewUser, at: number): Promise<boolean> {
    return this.#transaction((client) => insertUser(client, user, at));
  }

  async users(tenant: string, { after, limit }: Page): Promise<readonly User[]> {
    const text = `select * from ${SCHEMA}.auth_users where tenant = $1 and email > $2 order by email limit $3`;
    return (await this.#all(text, [tenant, after, limit])).flatMap((row) => userOf(row) ?? []);
  }

  async user(tenant: string, id: string): Promise<User | undefined> {
    const text = `select * from ${SCHEMA}.auth_users where tenant = $1 and id = $2`;
    return userOf((await this.#all(text, [tenant, id]))[0]);
  }

  async userByEmail(email: string): Promise<User | undefined> {
    return userOf((await this.#all(`select * from ${SCHEMA}.auth_users where email = $1`, [email]))[0]);
  }

  async changeUser(user: Pick<User, "id" | "stamp">, changes: UserChanges, at: number, ends?: Ends): Promise<boolean> {
    return this.#transaction(async (client) => {
      const columns = columnsOf(changes);
      const assigned = columns.map(([column], index) => `${column} = $${index + 3}`);
      const changed = await client.query(
        `update ${SCHEMA}.auth_users set ${["stamp = stamp + 1", ...assigned].join(", ")} where id = $1 and stamp = $2`,
        [user.id, user.stamp, ...columns.map(([, value]) => value)],
      );
      if (changed.rowCount === 0) return false;
      if (changes.recoveryCodes !== undefined) {
        await client.query(`delete from ${SCHEMA}.auth_recovery_codes where "user" = $1`, [user.id]);
        await client.query(`insert into ${SCHEMA}.auth_recovery_codes ("user", digest) select $1, unnest($2::text[])`, [
          user.id,
          changes.recoveryCodes,
        ]);
      }
      if (ends !== undefined) {
        await client.query(
          `update ${SCHEMA}.auth_sessions set ended_at = coalesce(ended_at, $1) where begun_by = $2 and id <> $3`,
          [at, user.id, ends.except ?? ""],
        );
      }
      return true;
    });
  }

  async reseal(user: string, what: Resealed, from: string, to: string): Promise<void> {
    const column = RESEALED[what];
    const text = `update ${SCHEMA}.auth_users set ${column} = $1 where id = $2 and ${column} = $3`;
    await this.#change(text, [to, user, from]);
  }

  async useStep(user: string, step: number): Promise<boolean> {
    const text = `update ${SCHEMA}.auth_users set totp_step = $1 where id = $2 and totp_step < $1 returning id`;
    return (await this.#change(text, [step, user])).length > 0;
  }

  async useRecoveryCode(user: string, digest: string): Promise<boolean> {
    const text = `delete from ${SCHEMA}.auth_recovery_codes where "user" = $1 and digest = $2 returning digest`;
    return (await this.#change(text, [user, digest])).length > 0;
  }

  async begin(session: Session, stamp: number, device: Device | undefined, refreshToken: string, at: number) {
    return this.#transaction(async (client): Promise<Begun> => {
      const { id, tenant, user, branch, startedAt, expiresAt, endsAt } = session;
      // Locked: what would end the person's sessions waits, and then ends this one too.
      const known = `select 1 from ${SCHEMA}.auth_users where id = $1 and stamp = $2 for share`;
      if ((await client.query(known, [user, stamp])).rowCount === 0) return "changed";
      if (device !== undefined && !(await registerDevice(client, device, branch, at))) return "device_taken";
      await client.query(`delete from ${SCHEMA}.auth_sessions where expires_at < $1`, [at]);
      await client.query(
        `insert into ${SCHEMA}.auth_sessions
           (id, tenant, "user", begun_by, device, branch, started_at, expires_at, ends_at)
         values ($1, $2, $3, $3, $4, $5, $6, $7, $8)`,
        [id, tenant, user, session.device, branch, startedAt, expiresAt, endsAt],
      );
      await insertRefreshToken(client, refreshToken, id, at);
      return "begun";
    });
  }

  async sessionsOf(user: string, at: number): Promise<readonly Session[]> {
    const rows = await this.#all(
      `select * from ${SCHEMA}.auth_sessions where begun_by = $1 and ended_at is null and expires_at > $2
       order by started_at desc nulls last`,
      [user, at],
    );
    return rows.flatMap((row) => sessionOf(row) ?? []);
  }

  /** Called for each request: one round trip. */
  async standing(id: string): Promise<Standing | undefined> {
    const [row] = await this.#all(
      `select s.*, d.revoked_at, u.id as user_id, u.email, u.name, u.password, u.roles, u.branch as user_branch,
         u.disabled_at, u.stamp, u.code_digest, u.code_expires_at, u.totp_secret, u.totp_confirmed_at, u.totp_step
       from ${SCHEMA}.auth_sessions s
       left join ${SCHEMA}.auth_users u on u.id = s."user"
       left join ${SCHEMA}.auth_devices d on d.tenant = s.tenant and d.id = s.device
       where s.id = $1`,
      [id],
    );
    const session = sessionOf(row);
    if (row === undefined || session === undefined) return undefined;
    const user = row.user_id === null ? undefined : userOf({ ...row, id: row.user_id, branch: row.user_branch });
    return { session, user, isRevoked: row.revoked_at !== null };
  }

  async end(session: string, at: number): Promise<void> {
    await this.#change(`update ${SCHEMA}.auth_sessions set ended_at = coalesce(ended_at, $1) where id = $2`, [
      at,
      session,
    ]);
  }

  async signOutUser(session: string): Promise<void> {
    await this.#change(`update ${SCHEMA}.auth_sessions set "user" = null where id = $1`, [session]);
  }

  async refreshToken(token: string): Promise<RefreshToken | undefined> {
    const text = `select session, rotated_at from ${SCHEMA}.auth_refresh_tokens where hash = $1`;
    const [row] = await this.#all(text, [hashOf(token)]);
    return row && { session: String(row.session), rotatedAt: optional(row.rotated_at, Number) };
  }

  async rotate(token: string, successor: string, session: string, at: number, expiresAt: number): Promise<void> {
    await this.#transaction(async (client) => {
      const tokens = `${SCHEMA}.auth_refresh_tokens`;
      const rotated = `update ${tokens} set rotated_at = coalesce(rotated_at, $1) where hash = $2`;
      await client.query(rotated, [at, hashOf(token)]);
      await client.query(`delete from ${tokens} where session = $1 and rotated_at < $2`, [
        session,
        at - KEEP_ROTATED_MS,
      ]);
      await insertRefreshToken(client, successor, session, at);
      await client.query(`update ${SCHEMA}.auth_sessions set expires_at = $1 where id = $2`, [expiresAt, session]);
    });
  }

  async devices(tenant: string, { after, limit }: Page): Promise<readonly KnownDevice[]> {
    const text = `select * from ${SCHEMA}.auth_devices
      where tenant = $1 and id collate "C" > $2 order by id collate "C" limit $3`;
    return (await this.#all(text, [tenant, after, limit])).flatMap((row) => deviceOf(row) ?? []);
  }

  async device(tenant: string, id: string): Promise<KnownDevice | undefined> {
    const text = `select * from ${SCHEMA}.auth_devices where tenant = $1 and id = $2`;
    return deviceOf((await this.#all(text, [tenant, id]))[0]);
  }

  async release(tenant: string, device: string, at: number): Promise<boolean> {
    return this.#transaction(async (client) => {
      // A sign-in at the device waits for this row, or this waits for it and then ends its session too.
      const { rowCount } = await client.query(
        `update ${SCHEMA}.auth_devices set released_at = $1 where tenant = $2 and id = $3`,
        [at, tenant, device],
      );
      if (rowCount === 0) return false;
      await client.query(
        `update ${SCHEMA}.auth_sessions set ended_at = coalesce(ended_at, $1) where tenant = $2 and device = $3`,
        [at, tenant, device],
      );
      return true;
    });
  }

  async revoke(tenant: string, device: string, at: number): Promise<boolean> {
    const text = `update ${SCHEMA}.auth_devices set revoked_at = coalesce(revoked_at, $1) where tenant = $2 and id = $3 returning id`;
    return (await this.#change(text, [at, tenant, device])).length > 0;
  }

  async revocations(): Promise<readonly { readonly tenant: string; readonly device: string }[]> {
    const rows = await this.#all(`select tenant, id from ${SCHEMA}.auth_devices where revoked_at is not null`);
    return rows.map(({ tenant, id }) => ({ tenant: String(tenant), device: String(id) }));
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #change(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#transaction(async (client) => (await client.query<QueryResultRow>(text, [...values])).rows);
  }

  /** For what waits for no lock: one round trip. */
  async #all(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.#pool.query<QueryResultRow>(text, [...values])).rows;
  }

  async #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    // If the connection ends between two statements, the next statement rejects.
    const ignore = () => {};
    client.on("error", ignore);
    let isLost = false;
    try {
      await client.query(BEGIN);
      const value = await work(client);
      await client.query("commit");
      return value;
    } catch (error) {
      await client.query("rollback").catch(() => {
        isLost = true;
      });
      throw error;
    } finally {
      client.off("error", ignore);
      client.release(isLost);
    }
  }
}

class Taken extends Error {}

async function insertUser(client: PoolClient, user: NewUser, at: number): Promise<boolean> {
  const { id, tenant, email, name, password, roles, branch, oneTimeCode } = user;
  const { rowCount } = await client.query(
    `insert into ${SCHEMA}.auth_users
       (id, tenant, email, name, password, roles, branch, code_digest, code_expires_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (email) do nothing`,
    [
      ...[id, tenant, email, name, password, JSON.stringify(roles), branch],
      ...[oneTimeCode?.digest, oneTimeCode?.expiresAt, at],
    ],
  );
  return rowCount === 1;
}

async function registerDevice(
  client: PoolClient,
  { tenant, id, name, secret }: Device,
  branch: string | undefined,
  at: number,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into ${SCHEMA}.auth_devices as known (tenant, id, name, seen_at, branch, secret)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant, id) do update
       set name = excluded.name, seen_at = excluded.seen_at, branch = excluded.branch, secret = excluded.secret,
         released_at = null
       where known.secret is null or known.released_at is not null
         or (known.secret = excluded.secret and known.branch = excluded.branch)`,
    [tenant, id, name, at, branch, secret],
  );
  if (rowCount === 0) return false;
  await client.query(
    `update ${SCHEMA}.auth_sessions set ended_at = coalesce(ended_at, $1)
     where tenant = $2 and device = $3 and branch is distinct from $4`,
    [at, tenant, id, branch],
  );
  return true;
}

async function insertRefreshToken(client: PoolClient, token: string, session: string, at: number): Promise<void> {
  await client.query(
    `insert into ${SCHEMA}.auth_refresh_tokens (hash, session, issued_at) values ($1, $2, $3) on conflict (hash) do nothing`,
    [hashOf(token), session, at],
  );
}

/** One transaction, under a row that each server locks: the second server finds it done. */
async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on("error", () => {}); // every pending request rejects
  await client.connect();
  try {
    const { rows: found } = await client.query("select to_regnamespace($1) is null as missing", [SCHEMA]);
    if (found[0]?.missing === true) await client.query(`create schema if not exists ${SCHEMA}`);
    await client.query(`create table if not exists ${SCHEMA}.auth_migrations (number integer not null primary key)`);
    await client.query(`insert into ${SCHEMA}.auth_migrations (number) values (0) on conflict (number) do nothing`);
    await client.query(`begin; set local search_path = ${SCHEMA}`);
    await client.query("select 1 from auth_migrations where number = 0 for update");
    const { rows } = await client.query("select max(number) as number from auth_migrations");
    const applied = Number(rows[0]?.number);
    if (applied > postgresAuthMigrations.length) {
      throw new AuthDatabaseError(
        `The database's user tables have version ${applied}, this server knows ${postgresAuthMigrations.length}: run the newer server.`,
      );
    }
    for (const [index, sql] of postgresAuthMigrations.entries()) {
      if (index < applied) continue;
      await client.query(sql);
      await client.query("insert into auth_migrations (number) values ($1)", [index + 1]);
    }
    await client.query("commit");
  } finally {
    await client.end();
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
