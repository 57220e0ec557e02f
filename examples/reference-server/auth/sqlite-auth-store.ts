/**
 * The token issuer's tables in SQLite: in the same file as the shop's data, so there is one file to run and to back
 * up.
 */
import type { OpenSqlite, SqliteStatement, SqliteValue, SyncSqliteDriver } from "tillsync/server/sqlite";
import { authMigrations } from "./auth-migrations.ts";
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

/** The driver is synchronous: nothing else in this process runs between the statements of a call. */
export class SqliteAuthStore implements AuthStore {
  readonly #database: SyncSqliteDriver;
  readonly #statements = new Map<string, SqliteStatement>();

  static async open(path: string, open: OpenSqlite): Promise<AuthStore> {
    return new SqliteAuthStore(await open(path));
  }

  private constructor(database: SyncSqliteDriver) {
    this.#database = database;
    database.exec("pragma busy_timeout = 5000");
    this.#all("pragma journal_mode = wal");
    // A revocation or a rotation is on disk before it is answered.
    database.exec("pragma synchronous = full; pragma fullfsync = on; pragma foreign_keys = on");
    this.#migrate();
  }

  async hasTenants(): Promise<boolean> {
    return this.#all("select 1 from auth_tenants limit 1").length > 0;
  }

  async addTenant(tenant: Tenant, owner: NewUser, at: number, mustBeFirst: boolean) {
    return this.#transaction(() => {
      if (mustBeFirst && this.#all("select 1 from auth_tenants limit 1").length > 0) return "not_first";
      if (this.#isTaken(owner.email)) return "taken";
      if (this.#all("select 1 from auth_tenants where id = ?", tenant.id).length > 0) return "taken";
      this.#run("insert into auth_tenants (id, name, created_at) values (?, ?, ?)", tenant.id, tenant.name, at);
      this.#insertUser(owner, at);
      return "added";
    });
  }

  async nameOf(tenant: string): Promise<string | undefined> {
    return optional(this.#all("select name from auth_tenants where id = ?", tenant)[0]?.name, String);
  }

  async addUser(user: NewUser, at: number): Promise<boolean> {
    return this.#transaction(() => !this.#isTaken(user.email) && this.#insertUser(user, at));
  }

  #isTaken(email: string): boolean {
    return this.#all("select 1 from auth_users where email = ?", email).length > 0;
  }

  #insertUser({ id, tenant, email, name, password, roles, branch, oneTimeCode }: NewUser, at: number): true {
    this.#run(
      "insert into auth_users (id, tenant, email, name, password, roles, branch, code_digest, code_expires_at, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      tenant,
      email,
      name,
      password,
      JSON.stringify(roles),
      branch ?? null,
      oneTimeCode?.digest ?? null,
      oneTimeCode?.expiresAt ?? null,
      at,
    );
    return true;
  }

  async users(tenant: string, { after, limit }: Page): Promise<readonly User[]> {
    const text = "select * from auth_users where tenant = ? and email > ? order by email limit ?";
    return this.#all(text, tenant, after, limit).flatMap((row) => userOf(row) ?? []);
  }

  async user(tenant: string, id: string): Promise<User | undefined> {
    return userOf(this.#all("select * from auth_users where tenant = ? and id = ?", tenant, id)[0]);
  }

  async userByEmail(email: string): Promise<User | undefined> {
    return userOf(this.#all("select * from auth_users where email = ?", email)[0]);
  }

  async changeUser(user: Pick<User, "id" | "stamp">, changes: UserChanges, at: number, ends?: Ends): Promise<boolean> {
    return this.#transaction(() => {
      const columns = columnsOf(changes);
      const assigned = ["stamp = stamp + 1", ...columns.map(([column]) => `${column} = ?`)].join(", ");
      const changed = this.#all(
        `update auth_users set ${assigned} where id = ? and stamp = ? returning id`,
        ...columns.map(([, value]) => value),
        user.id,
        user.stamp,
      );
      if (changed.length === 0) return false;
      if (changes.recoveryCodes !== undefined) {
        this.#run("delete from auth_recovery_codes where user = ?", user.id);
        for (const digest of changes.recoveryCodes) {
          this.#run("insert into auth_recovery_codes (user, digest) values (?, ?)", user.id, digest);
        }
      }
      if (ends !== undefined) {
        const ended = "update auth_sessions set ended_at = coalesce(ended_at, ?) where begun_by = ? and id <> ?";
        this.#run(ended, at, user.id, ends.except ?? "");
      }
      return true;
    });
  }

  async reseal(user: string, what: Resealed, from: string, to: string): Promise<void> {
    const column = RESEALED[what];
    this.#run(`update auth_users set ${column} = ? where id = ? and ${column} = ?`, to, user, from);
  }

  async useStep(user: string, step: number): Promise<boolean> {
    const used = "update auth_users set totp_step = ? where id = ? and totp_step < ? returning id";
    return this.#all(used, step, user, step).length > 0;
  }

  async useRecoveryCode(user: string, digest: string): Promise<boolean> {
    const used = "delete from auth_recovery_codes where user = ? and digest = ? returning digest";
    return this.#all(used, user, digest).length > 0;
  }

  async begin(session: Session, stamp: number, device: Device | undefined, refreshToken: string, at: number) {
    return this.#transaction((): Begun => {
      const { user = null } = session;
      if (this.#all("select 1 from auth_users where id = ? and stamp = ?", user, stamp).length === 0) return "changed";
      if (device !== undefined && !this.#register(device, session.branch ?? null, at)) return "device_taken";
      this.#run("delete from auth_sessions where expires_at < ?", at);
      this.#run(
        "insert into auth_sessions (id, tenant, user, begun_by, device, branch, started_at, expires_at, ends_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        session.id,
        session.tenant,
        user,
        user,
        session.device ?? null,
        session.branch ?? null,
        session.startedAt ?? null,
        session.expiresAt,
        session.endsAt,
      );
      this.#insertRefreshToken(refreshToken, session.id, at);
      return "begun";
    });
  }

  #register({ tenant, id, name, secret }: Device, branch: string | null, at: number): boolean {
    const registered = this.#all(
      `insert into auth_devices (tenant, id, name, seen_at, branch, secret) values (?, ?, ?, ?, ?, ?)
       on conflict (tenant, id) do update
         set name = excluded.name, seen_at = excluded.seen_at, branch = excluded.branch, secret = excluded.secret,
           released_at = null
         where secret is null or released_at is not null or (secret = excluded.secret and branch = excluded.branch)
       returning id`,
      ...[tenant, id, name, at, branch, secret],
    );
    if (registered.length === 0) return false;
    this.#run(
      "update auth_sessions set ended_at = coalesce(ended_at, ?) where tenant = ? and device = ? and branch is not ?",
      ...[at, tenant, id, branch],
    );
    return true;
  }

  async sessionsOf(user: string, at: number): Promise<readonly Session[]> {
    const open =
      "select * from auth_sessions where begun_by = ? and ended_at is null and expires_at > ? order by started_at desc";
    return this.#all(open, user, at).flatMap((row) => sessionOf(row) ?? []);
  }

  async standing(id: string): Promise<Standing | undefined> {
    const session = sessionOf(this.#all("select * from auth_sessions where id = ?", id)[0]);
    if (session === undefined) return undefined;
    const { tenant, user, device } = session;
    const revocation = "select 1 from auth_devices where tenant = ? and id = ? and revoked_at is not null";
    return {
      session,
      user: user === undefined ? undefined : userOf(this.#all("select * from auth_users where id = ?", user)[0]),
      isRevoked: device !== undefined && this.#all(revocation, tenant, device).length > 0,
    };
  }

  async end(session: string, at: number): Promise<void> {
    this.#run("update auth_sessions set ended_at = coalesce(ended_at, ?) where id = ?", at, session);
  }

  async signOutUser(session: string): Promise<void> {
    this.#run("update auth_sessions set user = null where id = ?", session);
  }

  async refreshToken(token: string): Promise<RefreshToken | undefined> {
    const row = this.#all("select session, rotated_at from auth_refresh_tokens where hash = ?", hashOf(token))[0];
    return row === undefined
      ? undefined
      : { session: String(row.session), rotatedAt: optional(row.rotated_at, Number) };
  }

  async rotate(token: string, successor: string, session: string, at: number, expiresAt: number): Promise<void> {
    this.#transaction(() => {
      const rotated = "update auth_refresh_tokens set rotated_at = coalesce(rotated_at, ?) where hash = ?";
      this.#run(rotated, at, hashOf(token));
      this.#run("delete from auth_refresh_tokens where session = ? and rotated_at < ?", session, at - KEEP_ROTATED_MS);
      this.#insertRefreshToken(successor, session, at);
      this.#run("update auth_sessions set expires_at = ? where id = ?", expiresAt, session);
    });
  }

  #insertRefreshToken(token: string, session: string, at: number): void {
    this.#run(
      "insert into auth_refresh_tokens (hash, session, issued_at) values (?, ?, ?) on conflict (hash) do nothing",
      hashOf(token),
      session,
      at,
    );
  }

  async devices(tenant: string, { after, limit }: Page): Promise<readonly KnownDevice[]> {
    const text = "select * from auth_devices where tenant = ? and id > ? order by id limit ?";
    return this.#all(text, tenant, after, limit).flatMap((row) => deviceOf(row) ?? []);
  }

  async device(tenant: string, id: string): Promise<KnownDevice | undefined> {
    return deviceOf(this.#all("select * from auth_devices where tenant = ? and id = ?", tenant, id)[0]);
  }

  async release(tenant: string, device: string, at: number): Promise<boolean> {
    return this.#transaction(() => {
      const released = "update auth_devices set released_at = ? where tenant = ? and id = ? returning id";
      if (this.#all(released, at, tenant, device).length === 0) return false;
      const ended = "update auth_sessions set ended_at = coalesce(ended_at, ?) where tenant = ? and device = ?";
      this.#run(ended, at, tenant, device);
      return true;
    });
  }

  async revoke(tenant: string, device: string, at: number): Promise<boolean> {
    return this.#transaction(() => {
      const known = this.#all("select 1 from auth_devices where tenant = ? and id = ?", tenant, device).length > 0;
      this.#run(
        "update auth_devices set revoked_at = coalesce(revoked_at, ?) where tenant = ? and id = ?",
        at,
        tenant,
        device,
      );
      return known;
    });
  }

  async revocations(): Promise<readonly { readonly tenant: string; readonly device: string }[]> {
    return this.#all("select tenant, id from auth_devices where revoked_at is not null").map(({ tenant, id }) => ({
      tenant: String(tenant),
      device: String(id),
    }));
  }

  async close(): Promise<void> {
    this.#statements.clear();
    this.#database.close();
  }

  #migrate(): void {
    this.#transaction(() => {
      this.#database.exec("create table if not exists auth_migrations (number integer not null primary key) strict");
      const applied = Number(this.#all("select coalesce(max(number), 0) as number from auth_migrations")[0]?.number);
      if (applied > authMigrations.length) {
        throw new Error(
          `The database's user tables have version ${applied}, this server knows ${authMigrations.length}: run the newer server.`,
        );
      }
      for (const [index, sql] of authMigrations.entries()) {
        if (index < applied) continue;
        this.#database.exec(sql);
        this.#run("insert into auth_migrations (number) values (?)", index + 1);
      }
    });
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec("begin immediate");
    try {
      const value = work();
      this.#database.exec("commit");
      return value;
    } catch (error) {
      this.#database.exec("rollback");
      throw error;
    }
  }

  #run(sql: string, ...parameters: SqliteValue[]): void {
    this.#statement(sql).run(...parameters);
  }

  #all(sql: string, ...parameters: SqliteValue[]): readonly Row[] {
    return this.#statement(sql).all(...parameters) as readonly Row[];
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
