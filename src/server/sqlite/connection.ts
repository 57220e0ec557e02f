/** One connection: statements that are prepared once, and transactions that never stay open. (server/sqlite) */
import type { SqliteStatement, SqliteValue, SyncSqliteDriver } from "./driver.ts";

export type SqliteRow = Record<string, SqliteValue>;

export class Connection {
  readonly #driver: SyncSqliteDriver;
  readonly #statements = new Map<string, SqliteStatement>();
  #broken = false;

  constructor(driver: SyncSqliteDriver) {
    this.#driver = driver;
  }

  /** A transaction could not be ended: only closing it ends it for certain. */
  get broken(): boolean {
    return this.#broken;
  }

  // `all` and never `get`: a statement that was not run to its end keeps its snapshot open.
  all(sql: string, ...parameters: SqliteValue[]): SqliteRow[] {
    return this.#statement(sql).all(...parameters) as SqliteRow[];
  }

  run(sql: string, ...parameters: SqliteValue[]): void {
    this.#statement(sql).run(...parameters);
  }

  /** Several statements, none of them kept. */
  script(sql: string): void {
    this.#driver.exec(sql);
  }

  /**
   * `immediate` takes the write lock of the database before anything is read: the tenant's clock row, and every other
   * tenant's with it. SQLite has one writer. `deferred` takes a snapshot at its first read and waits for nobody.
   */
  transaction<T>(mode: "immediate" | "deferred", work: () => T): T {
    this.run(`begin ${mode}`);
    try {
      const value = work();
      this.run("commit");
      return value;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#driver.close();
  }

  #rollback(): void {
    try {
      this.run("rollback");
    } catch {
      // Either SQLite has rolled back by itself (full disk, I/O error) or the connection is past use. Not told apart: the
      // error that is on its way says more than this one, and a new connection is right in both cases.
      this.#broken = true;
    }
  }

  #statement(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#driver.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
