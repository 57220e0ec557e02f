/** A small store, and direct access to IndexedDB for tests that play the platform. */
import {
  get,
  type StorageConnection,
  type StorageHooks,
  type StorageLayout,
  type TransactOptions,
} from "../../src/client/ports/storage.ts";

export const layout: StorageLayout = {
  format: 1,
  tables: [
    { name: "counters", indexes: [] },
    { name: "sales", indexes: [] },
  ],
};

export const strict: TransactOptions = { tables: ["counters", "sales"], durability: "strict", label: "a sale" };
export const relaxed: TransactOptions = { ...strict, durability: "relaxed" };

export interface HookLog extends StorageHooks {
  readonly failures: unknown[];
  superseded: number;
}

export function hookLog(): HookLog {
  const log: HookLog = {
    failures: [],
    superseded: 0,
    onFailure: (error) => log.failures.push(error),
    onSuperseded: () => log.superseded++,
  };
  return log;
}

export function increment(connection: StorageConnection, options: TransactOptions = strict, by = 1): Promise<number> {
  return connection.transact(options, function* () {
    const [value = 0] = yield* get<number>("counters", ["n"]);
    return { value: value + by, writes: [{ kind: "put", table: "counters", key: "n", value: value + by }] };
  });
}

export async function counter(connection: StorageConnection): Promise<number | undefined> {
  const [value] = await connection.get<number>("counters", ["n"]);
  return value;
}

/** A connection as another tab might have it, without the adapter. */
export function openRaw(factory: IDBFactory, name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, version);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Locks the tables as a frozen tab does, with a write transaction that does not end. Returns a function that ends it.
 */
export async function hold(database: IDBDatabase, tables: string[]): Promise<() => Promise<void>> {
  const transaction = database.transaction(tables, "readwrite");
  const ended = new Promise<void>((resolve) => {
    transaction.oncomplete = () => resolve();
  });
  let isHeld = true;
  await new Promise<void>((held) => {
    const again = () => {
      held();
      if (isHeld) transaction.objectStore(tables[0]!).get("n").onsuccess = again;
    };
    again();
  });
  return () => {
    isHeld = false;
    return ended;
  };
}

/** What the promise rejects with: the tests check its fields. */
export async function rejection(promise: Promise<unknown>): Promise<{ code: string; message: string; cause: unknown }> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as { code: string; message: string; cause: unknown };
  }
  throw new Error(`Expected a rejection, got ${JSON.stringify(value)}`);
}
