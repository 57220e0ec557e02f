/**
 * A server process: commits to the store at `path`, a file or a PostgreSQL URL, until it has made `count` commits or is killed.
 * Each commit is a position, a record and an operation, and its position is printed once it is acknowledged.
 */
import { writeSync } from "node:fs";
import { ask } from "../../../src/server/ports/store.ts";
import { postgresStore } from "../../../src/server/postgres/index.ts";
import { sqliteStore } from "../../../src/server/sqlite/index.ts";
import { SHOP } from "../../../src/server/testing/calls.ts";
import { clockRow, operationRow, recordRow } from "../../../src/server/testing/rows.ts";

const [path = "", name = "", count = "Infinity"] = process.argv.slice(2);
const store = path.startsWith("postgres://") ? postgresStore({ url: path }) : sqliteStore({ path });
for (let made = 0; made < Number(count); made++) {
  const position = await store.transact(SHOP, function* () {
    const clock = yield* ask({ kind: "clock" });
    const next = (clock?.position ?? 0) + 1;
    const writes = {
      clock: clockRow(next, { lastId: name }),
      records: [recordRow(`row-${next}`, next, { data: { padding: "x".repeat(3_000) } })],
      operations: [operationRow(`operation-${next}`, next)],
    };
    return { value: next, writes };
  });
  writeSync(1, `${position}\n`);
}
await store.close();
