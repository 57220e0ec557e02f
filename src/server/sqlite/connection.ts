/** One connection: statements that are prepared once, and transactions that never stay open. */
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
    this.run(mode === "immediate" ? "begin immediate" : "begin deferred");
    try {
      const value = work();
      this.run("commit");
      return value;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** libsql lets go of the file only when its statements have been collected as garbage: a little after this. */
  close(): void {
    this.#statements.clear();
    this.#driver.close();
  }

  #rollback(): void {
    try {
      this.run("rollback");
    } catch {
      // SQLite has rolled back by itself (full disk, I/O error), or the connection is past use: a new transaction tells.
      // What went wrong here is not thrown: the error that is on its way says more.
      this.#broken = !this.#isIdle();
    }
  }

  #isIdle(): boolean {
    try {
      this.run("begin deferred");
      this.run("commit");
      return true;
    } catch {
      return false;
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
