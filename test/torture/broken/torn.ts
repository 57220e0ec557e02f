/** Commits in two parts: first the operations with the half of their rows, then, a moment later, the rest. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerStore, StoreScript, StoreWrites } from "tillsync/server";
import { sqliteStore } from "tillsync/server/sqlite";
import { serveWith } from "./server.ts";

/** So long that a kill under load falls into it. */
const BETWEEN_MS = 500;

function torn(store: ServerStore): ServerStore {
  let last: Promise<unknown> = Promise.resolve();
  return {
    kind: store.kind,
    "~port": store["~port"],
    read: (tenant, script) => store.read(tenant, script),
    secret: () => store.secret(),
    close: () => store.close(),
    // One after the other, both of its parts: tearing is all that is wrong with it.
    transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
      const turn = last.then(() => inTwo(store, tenant, script));
      last = turn.catch(() => {});
      return turn;
    },
  };
}

async function inTwo<T>(store: ServerStore, tenant: string, script: () => StoreScript<T>): Promise<T> {
  let rest: StoreWrites = {};
  const value = await store.transact(tenant, function* () {
    const { value, writes } = yield* script();
    const records = writes.records ?? [];
    rest = { records: records.filter((_, index) => index % 2 === 1) };
    return { value, writes: { ...writes, records: records.filter((_, index) => index % 2 === 0) } };
  });
  if (rest.records?.length === 0) return value;
  await sleep(BETWEEN_MS);
  await store.transact(tenant, function* () {
    yield [];
    return { value: undefined, writes: rest };
  });
  return value;
}

await serveWith((path) => torn(sqliteStore({ path })));
