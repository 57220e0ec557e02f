/** Answers before it commits: a few transactions go to disk together, a moment after their tills were told that they are there. */
import Libsql from "libsql";
import { type SyncSqliteDriver, sqliteStore } from "tillsync/server/sqlite";
import { serveWith } from "./server.ts";

/** Longer than any pause between two writes of the tills: a kill under load finds something that is not on disk. */
const LATE_MS = 1_000;
const INNER: Readonly<Record<string, string>> = {
  "begin immediate": "savepoint early",
  "begin deferred": "savepoint early",
  commit: "release early",
  rollback: "rollback to early; release early",
};

function late(path: string): SyncSqliteDriver {
  const database = new Libsql(path);
  let isOpen = false;
  const commitLater = () => {
    if (isOpen) return;
    isOpen = true;
    database.exec("begin immediate");
    // Never in the middle of one: they are synchronous.
    setTimeout(() => {
      isOpen = false;
      database.exec("commit");
    }, LATE_MS);
  };
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const inner = INNER[sql];
      if (inner === undefined) return database.prepare(sql) as ReturnType<SyncSqliteDriver["prepare"]>;
      return {
        all: () => [],
        run() {
          if (sql === "begin immediate") commitLater();
          database.exec(inner);
        },
      };
    },
    close: () => database.close(),
  };
}

await serveWith((path) => sqliteStore({ path, driver: late }));
