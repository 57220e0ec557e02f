/**
 * A process that writes rows to a SQLite file, and pauses between each one's position and its commit. `store`: as the store does it.
 * `naive`: the position comes from a sequence, in a transaction of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type SyncSqliteDriver, sqliteStore } from "../../../src/server/sqlite/index.ts";
import { pauseMs, writeNext } from "./commit-order.ts";
import { openLibsql } from "./recording-driver.ts";

const [kind = "", path = "", name = "", count = ""] = process.argv.slice(2);
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

if (kind === "store") {
  const store = sqliteStore({ path, driver: pausing });
  for (let made = 0; made < Number(count); made += 1) await writeNext(store, name);
  await store.close();
} else {
  const database = openLibsql(path);
  database.exec("pragma busy_timeout = 10000");
  for (let made = 0; made < Number(count); made += 1) {
    const [row] = database.prepare("update sequence set last = last + 1 returning last").all() as { last: number }[];
    await sleep(pauseMs(turns++));
    database.prepare("insert into naive (position) values (?)").run(row?.last ?? 0);
  }
  database.close();
}
