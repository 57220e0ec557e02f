/** One connection: each statement is prepared once, and no transaction stays open. */
import type { SqliteStatement, SqliteValue, SyncSqliteDriver } from "./driver.ts";

export type SqliteRow = Record<string, SqliteValue>;

export class Connection {
  readonly #driver: SyncSqliteDriver;
  readonly #statements = new Map<string, SqliteStatement>();
  #broken = false;

  constructor(driver: SyncSqliteDriver) {
    this.#driver = driver;
  }

  /** A transaction could not be ended. Only closing the connection is certain to end it. */
  get broken(): boolean {
    return this.#broken;
  }

  // `all` and never `get`: a statement that is not run to its end keeps its snapshot open.
  all(sql: string, ...parameters: SqliteValue[]): SqliteRow[] {
    return this.#statement(sql).all(...parameters) as SqliteRow[];
  }

  run(sql: string, ...parameters: SqliteValue[]): void {
    this.#statement(sql).run(...parameters);
  }

  /** Runs several statements without preparing them. */
  script(sql: string): void {
    this.#driver.exec(sql);
  }

  /**
   * `immediate` takes the write lock of the database before anything is read: SQLite has one writer, so this locks the
   * clock row of every tenant. `deferred` takes a snapshot at its first read and waits for no other connection.
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

  /** libsql releases the file only when its statements have been garbage-collected: some time after this call. */
  close(): void {
    this.#statements.clear();
    this.#driver.close();
  }

  #rollback(): void {
    try {
      this.run("rollback");
    } catch {
      // Either SQLite has rolled back automatically (full disk, I/O error), or the connection is unusable: a new
      // transaction shows which. This error is not thrown: the one that caused the rollback says more.
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
