/** Does not know an increment again that it has had: one that comes twice takes effect twice. */
import type { OperationRow, ServerStore, StoreScript } from "tillsync/server";
import { sqliteStore } from "tillsync/server/sqlite";
import { serveWith } from "./server.ts";

function forgetful(store: ServerStore): ServerStore {
  return {
    kind: store.kind,
    "~port": store["~port"],
    read: (tenant, script) => store.read(tenant, script),
    secret: () => store.secret(),
    close: () => store.close(),
    transact: (tenant, script) => store.transact(tenant, () => forgetting(script())),
  };
}

function* forgetting<T>(script: StoreScript<T>): StoreScript<T> {
  let step = script.next();
  while (step.done !== true) {
    const reads = step.value;
    const answers = yield reads;
    step = script.next(answers.map((answer, index) => (reads[index]?.kind === "operations" ? known(answer) : answer)));
  }
  return step.value;
}

function known(answer: unknown): readonly OperationRow[] {
  return (answer as readonly OperationRow[]).filter(({ operation }) => operation?.action !== "increment");
}

await serveWith((path) => forgetful(sqliteStore({ path })));
