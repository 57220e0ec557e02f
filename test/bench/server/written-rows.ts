/** What a store is given to write: the very rows that the bare inserts then write too. */

import type { OperationRow, RecordRow } from "../../../src/server/ports/rows.ts";
import type { ServerStore, StoreScript } from "../../../src/server/ports/store.ts";

export interface WrittenRows {
  readonly records: readonly RecordRow[];
  readonly operations: readonly OperationRow[];
}

/** The store, and the rows of each of its transactions that wrote records or operations. */
export function remembering(store: ServerStore): { readonly store: ServerStore; readonly written: WrittenRows[] } {
  const written: WrittenRows[] = [];
  return {
    written,
    store: {
      kind: store.kind,
      "~port": "server-store",
      read: (tenant, script) => store.read(tenant, script),
      secret: () => store.secret(),
      close: () => store.close(),
      async transact<T>(tenant: string, script: () => StoreScript<T>): Promise<T> {
        let rows: WrittenRows | undefined;
        const value = await store.transact<T>(tenant, function* () {
          const done = yield* script();
          const { records = [], operations = [] } = done.writes;
          rows = { records, operations };
          return done;
        });
        if (rows !== undefined && rows.records.length + rows.operations.length > 0) written.push(rows);
        return value;
      },
    },
  };
}
