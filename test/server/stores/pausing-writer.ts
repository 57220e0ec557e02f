/** A process that writes rows to a SQLite file, and pauses between each one's position and its commit. */
import { type SyncSqliteDriver, sqliteStore } from "../../../src/server/sqlite/index.ts";
import { pauseMs, writeNext } from "./commit-order.ts";
import { openLibsql } from "./recording-driver.ts";

const [path = "", name = "", count = ""] = process.argv.slice(2);
let turns = name.length;

/** All of the process stands still, as the store's transaction is synchronous. */
function pausing(file: string): SyncSqliteDriver {
  const database = openLibsql(file);
  const wait = new Int32Array(new SharedArrayBuffer(4));
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql);
      if (sql !== "commit") return statement;
      const run = () => {
        Atomics.wait(wait, 0, 0, pauseMs(turns++));
        return statement.run();
      };
      return { all: (...parameters) => statement.all(...parameters), run };
    },
  };
}

const store = sqliteStore({ path, driver: pausing });
for (let made = 0; made < Number(count); made += 1) await writeNext(store, name);
await store.close();
