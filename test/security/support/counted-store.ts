/** A store that counts what is asked of it: the work that requests make, without looking at a clock. */
import type {
  ServerStore,
  StoreRead,
  StoreReadScript,
  StoreScript,
  StoreWrites,
} from "../../../src/server/ports/store.ts";

export interface Work {
  /** Transactions that were begun. */
  transactions: number;
  /** Times that a script waited for the store. */
  rounds: number;
  /** Keys that were asked for. */
  keys: number;
  /** Rows that were handed over. */
  rows: number;
  /** Bytes of their JSON: of the largest round, of the largest transaction, and of all. */
  bytes: { round: number; transaction: number; all: number };
  /** Rows that were written, and the bytes of their JSON. */
  written: { rows: number; bytes: number };
}

const nothing = (): Work => ({
  ...{ transactions: 0, rounds: 0, keys: 0, rows: 0 },
  bytes: { round: 0, transaction: 0, all: 0 },
  written: { rows: 0, bytes: 0 },
});

export interface CountedStore {
  readonly store: ServerStore;
  /** What was done since the last call. */
  take(): Work;
}

export function counted(inner: ServerStore): CountedStore {
  let work = nothing();
  const store: ServerStore = {
    kind: inner.kind,
    "~port": inner["~port"],
    secret: () => inner.secret(),
    close: () => inner.close(),
    read: (tenant, script) => inner.read(tenant, () => counting(script()) as StoreReadScript<never>),
    transact: (tenant, script) => inner.transact(tenant, () => counting(script()) as StoreScript<never>),
  };

  function* counting<T>(steps: Generator<readonly StoreRead[], T, readonly unknown[]>) {
    work.transactions += 1;
    let ofTransaction = 0;
    let step = steps.next();
    while (step.done !== true) {
      const answers: readonly unknown[] = yield step.value;
      const rows = answers.flatMap((answer) => (Array.isArray(answer) ? answer : []));
      const bytes = bytesOf(rows);
      ofTransaction += bytes;
      work.rounds += 1;
      work.keys += step.value.reduce((sum, read) => sum + keysOf(read), 0);
      work.rows += rows.length;
      work.bytes.round = Math.max(work.bytes.round, bytes);
      work.bytes.all += bytes;
      // Before it goes on: a transaction that gives up has had them in memory too.
      work.bytes.transaction = Math.max(work.bytes.transaction, ofTransaction);
      step = steps.next(answers);
    }
    const { writes } = (step.value ?? {}) as { readonly writes?: StoreWrites };
    for (const rows of Object.values(writes ?? {})) {
      if (!Array.isArray(rows)) continue;
      work.written.rows += rows.length;
      work.written.bytes += bytesOf(rows);
    }
    return step.value;
  }

  return {
    store,
    take() {
      const done = work;
      work = nothing();
      return done;
    },
  };
}

function keysOf(read: StoreRead): number {
  const lists = Object.values(read).filter((value) => Array.isArray(value));
  return lists.length === 0 ? 1 : lists.reduce((sum, list) => sum + list.length, 0);
}

const bytesOf = (rows: readonly unknown[]) => rows.reduce<number>((sum, row) => sum + JSON.stringify(row).length, 0);
