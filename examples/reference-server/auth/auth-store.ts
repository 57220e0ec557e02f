/**
 * What the token issuer keeps: tenants, users, devices, sessions, hashes of refresh tokens, and which devices are revoked.
 *
 * In the same file as the shop's data here, so that one file is all there is to run and to back up; in tables of its own, and behind
 * a path of its own (`--auth-database`). A shop's data that is put back from a backup must not bring back a stolen till: where
 * that matters, keep the two files apart, and restore only the one. At each start the revocations are told to the sync store again.
 */
import { createHash } from "node:crypto";
import type { OpenSqlite, SqliteStatement, SqliteValue, SyncSqliteDriver } from "tillsync/server/sqlite";
import * as z from "zod";
import { type Role, role } from "../roles.ts";
import { authMigrations } from "./auth-migrations.ts";

export interface User {
  readonly id: string;
  readonly tenant: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly roles: readonly Role[];
  readonly branch: string | undefined;
}
export interface Device {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
}
export interface Session {
  readonly id: string;
  readonly tenant: string;
  readonly user: string | undefined;
  readonly device: string | undefined;
  readonly branch: string | undefined;
  readonly endedAt: number | undefined;
  readonly expiresAt: number;
}
export interface RefreshToken {
  readonly session: string;
  readonly rotatedAt: number | undefined;
}

type Row = Readonly<Record<string, unknown>>;

/** Rotated refresh tokens are kept this long, in ms: one that comes again later is as unknown as any other. */
const KEEP_ROTATED_MS = 7 * 24 * 60 * 60 * 1_000;

export class AuthStore {
  readonly #database: SyncSqliteDriver;
  readonly #statements = new Map<string, SqliteStatement>();

  static async open(path: string, open: OpenSqlite): Promise<AuthStore> {
    return new AuthStore(await open(path));
  }

  private constructor(database: SyncSqliteDriver) {
    this.#database = database;
    database.exec("pragma busy_timeout = 5000");
    this.#all("pragma journal_mode = wal");
    // A revocation or a rotation that was answered is on disk.
    database.exec("pragma synchronous = full; pragma fullfsync = on; pragma foreign_keys = on");
    this.#migrate();
  }

  hasTenants(): boolean {
    return this.#all("select 1 from auth_tenants limit 1").length > 0;
  }

  /** `false`: the email address is in use. */
  addTenant(tenant: { readonly id: string; readonly name: string }, owner: User, at: number): boolean {
    return this.#transaction(() => {
      if (this.userByEmail(owner.email) !== undefined) return false;
      this.#run("insert into auth_tenants (id, name, created_at) values (?, ?, ?)", tenant.id, tenant.name, at);
      return this.#insertUser(owner, at);
    });
  }

  /** `false`: the email address is in use. */
  addUser(user: User, at: number): boolean {
    return this.#transaction(() => this.userByEmail(user.email) === undefined && this.#insertUser(user, at));
  }

  #insertUser({ id, tenant, email, name, password, roles, branch }: User, at: number): true {
    this.#run(
      "insert into auth_users (id, tenant, email, name, password, roles, branch, created_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      tenant,
      email,
      name,
      password,
      JSON.stringify(roles),
      branch ?? null,
      at,
    );
    return true;
  }

  userByEmail(email: string): User | undefined {
    return userOf(this.#all("select * from auth_users where email = ?", email)[0]);
  }

  user(id: string): User | undefined {
    return userOf(this.#all("select * from auth_users where id = ?", id)[0]);
  }

  /** The device's earlier sessions stay: should this answer be lost, the till still has their tokens and no others. */
  begin(session: Session, device: Device | undefined, refreshToken: string, at: number): void {
    this.#transaction(() => {
      if (device !== undefined) {
        this.#run(
          "insert into auth_devices (tenant, id, name, seen_at) values (?, ?, ?, ?) on conflict (tenant, id) do update set name = excluded.name, seen_at = excluded.seen_at",
          device.tenant,
          device.id,
          device.name,
          at,
        );
      }
      this.#run("delete from auth_sessions where expires_at < ?", at);
      this.#run(
        "insert into auth_sessions (id, tenant, user, device, branch, expires_at) values (?, ?, ?, ?, ?, ?)",
        session.id,
        session.tenant,
        session.user ?? null,
        session.device ?? null,
        session.branch ?? null,
        session.expiresAt,
      );
      this.#insertRefreshToken(refreshToken, session.id, at);
    });
  }

  session(id: string): Session | undefined {
    return sessionOf(this.#all("select * from auth_sessions where id = ?", id)[0]);
  }

  end(session: string, at: number): void {
    this.#run("update auth_sessions set ended_at = coalesce(ended_at, ?) where id = ?", at, session);
  }

  /** The device goes on without the user. */
  signOutUser(session: string): void {
    this.#run("update auth_sessions set user = null where id = ?", session);
  }

  refreshToken(token: string): RefreshToken | undefined {
    const row = this.#all("select session, rotated_at from auth_refresh_tokens where hash = ?", hashOf(token))[0];
    return row === undefined
      ? undefined
      : { session: String(row.session), rotatedAt: optional(row.rotated_at, Number) };
  }

  rotate(token: string, successor: string, session: string, at: number, expiresAt: number): void {
    this.#transaction(() => {
      this.#run("update auth_refresh_tokens set rotated_at = ? where hash = ?", at, hashOf(token));
      this.#run("delete from auth_refresh_tokens where session = ? and rotated_at < ?", session, at - KEEP_ROTATED_MS);
      this.#insertRefreshToken(successor, session, at);
      this.#run("update auth_sessions set expires_at = ? where id = ?", expiresAt, session);
    });
  }

  #insertRefreshToken(token: string, session: string, at: number): void {
    this.#run(
      "insert into auth_refresh_tokens (hash, session, issued_at) values (?, ?, ?)",
      hashOf(token),
      session,
      at,
    );
  }

  isRevoked(tenant: string, device: string): boolean {
    return (
      this.#all("select revoked_at from auth_devices where tenant = ? and id = ?", tenant, device)[0]?.revoked_at !=
      null
    );
  }

  /** `false`: there is no such device. */
  revoke(tenant: string, device: string, at: number): boolean {
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

  revocations(): readonly { readonly tenant: string; readonly device: string }[] {
    return this.#all("select tenant, id from auth_devices where revoked_at is not null").map(({ tenant, id }) => ({
      tenant: String(tenant),
      device: String(id),
    }));
  }

  close(): void {
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

  /** Synchronous: nothing else of this process runs in between. */
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

function userOf(row: Row | undefined): User | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    tenant: String(row.tenant),
    email: String(row.email),
    name: String(row.name),
    password: String(row.password),
    roles: z.array(role).parse(JSON.parse(String(row.roles))),
    branch: optional(row.branch, String),
  };
}

function sessionOf(row: Row | undefined): Session | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    tenant: String(row.tenant),
    user: optional(row.user, String),
    device: optional(row.device, String),
    branch: optional(row.branch, String),
    endedAt: optional(row.ended_at, Number),
    expiresAt: Number(row.expires_at),
  };
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}

/** Refresh tokens are random: a plain digest says nothing about them. */
function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
