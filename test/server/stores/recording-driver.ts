/** libsql, with a record of what the store asks of it. */
import Libsql from "libsql";
import type { SqliteStatement, SqliteValue, SyncSqliteDriver } from "../../../src/server/sqlite/index.ts";

export interface Recording {
  /** Every statement that was ever prepared. */
  readonly prepared: Set<string>;
  /** What was executed, in order. */
  executed: string[];
  /** The last database that was opened: a look at the store's own connection. */
  database: SyncSqliteDriver | undefined;
  open(path: string): SyncSqliteDriver;
}

export function recording(): Recording {
  const record: Recording = {
    prepared: new Set(),
    executed: [],
    database: undefined,
    open(path) {
      const database = openLibsql(path);
      record.database = database;
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare(sql) {
          record.prepared.add(sql);
          return observed(database.prepare(sql), () => record.executed.push(sql));
        },
      };
    },
  };
  return record;
}

export function openLibsql(path: string): SyncSqliteDriver {
  return new Libsql(path) as unknown as SyncSqliteDriver;
}

function observed(statement: SqliteStatement, note: () => void): SqliteStatement {
  return {
    run(...parameters: SqliteValue[]) {
      note();
      return statement.run(...parameters);
    },
    all(...parameters: SqliteValue[]) {
      note();
      return statement.all(...parameters);
    },
  };
}
