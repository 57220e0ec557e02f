/** Answers before it commits: twenty transactions go to disk together, long after their tills were told that they are there. */
import Libsql from "libsql";
import { type SyncSqliteDriver, sqliteStore } from "tillsync/server/sqlite";
import { serveWith } from "./server.ts";

const HELD = 20;
/** Shorter than others wait for the lock: what compares at the end opens the same file. */
const IDLE_MS = 2_000;
const INNER: Readonly<Record<string, string>> = {
  "begin immediate": "savepoint early",
  "begin deferred": "savepoint early",
  commit: "release early",
  rollback: "rollback to early; release early",
};

function late(path: string): SyncSqliteDriver {
  const database = new Libsql(path);
  let held = 0;
  let idle: NodeJS.Timeout | undefined;
  const commit = () => {
    if (held > 0) database.exec("commit");
    held = 0;
  };
  // The last write that was answered stays off the disk until the next one, so a kill under load always finds one.
  const holdOneMore = () => {
    if (held === HELD) commit();
    if (held === 0) database.exec("begin immediate");
    held += 1;
    clearTimeout(idle);
    // Never in the middle of a transaction: they are synchronous.
    idle = setTimeout(commit, IDLE_MS);
  };
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const inner = INNER[sql];
      if (inner === undefined) return database.prepare(sql) as ReturnType<SyncSqliteDriver["prepare"]>;
      return {
        all: () => [],
        run() {
          if (sql === "begin immediate") holdOneMore();
          database.exec(inner);
        },
      };
    },
    close: () => database.close(),
  };
}

await serveWith((path) => sqliteStore({ path, driver: late }));
