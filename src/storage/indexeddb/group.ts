/**
 * One readwrite transaction for a group of scripts. (storage/indexeddb)
 *
 *   script ► reads ► answers ► … ► its writes are put        (the next script's reads see them)
 *   script ► …                                               commit ► complete: all of them are stored
 *
 * - Nothing is awaited but requests of this very transaction: anything else would let it commit half of the work.
 * - What a script gave or threw is told only when the transaction is complete: it was decided on rows that may be undone yet.
 */

import { wrap } from "idb";
import type { StorageScript, TransactOptions } from "../../client/ports/storage.ts";
import { deferred } from "../../shared/deferred.ts";
import type { Tables } from "../stored-layout.ts";
import { assertDeclared } from "../stored-layout.ts";
import { silence } from "./failures.ts";
import { tryTo } from "./open.ts";
import { answer } from "./reads.ts";
import type { StoredRow } from "./rows.ts";
import { storedRow } from "./rows.ts";
import { watch } from "./watchdog.ts";

/** A `transact` that waits for its end. */
export interface Job {
  readonly options: TransactOptions;
  readonly durability: "strict" | "relaxed";
  readonly script: () => StorageScript<unknown>;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  /** Runs that came to nothing. After the first one it is no longer joined with others. */
  failures: number;
}

export type Outcome = { readonly value: unknown } | { readonly thrown: unknown };

/** How the group ended. `outcomes` may be fewer than the jobs: the rest were not begun. */
export type GroupEnd =
  | { readonly kind: "committed"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "aborted"; readonly error: unknown }
  /** The commit was asked for and its answer was lost. It can be asked for again: see `wasCommitted`. */
  | {
      readonly kind: "unknown";
      readonly error: unknown;
      readonly outcomes: readonly Outcome[];
      readonly put: readonly Place[];
    }
  | { readonly kind: "silent"; readonly error: unknown };

interface Place {
  readonly table: string;
  readonly key: string;
}

/** No further script is begun after this many writes: the rest waits for the next transaction, and other tabs get a turn. */
const WRITES_PER_GROUP = 1_000;

/** Of many writes only some answers are listened to. */
const WRITES_PER_TOUCH = 50;

export interface GroupParts {
  readonly database: IDBDatabase;
  readonly tables: Tables;
  readonly watchdogMs: number;
  /** Names this transaction among all of all connections. */
  readonly id: string;
}

export async function runGroup(
  jobs: readonly Job[],
  { database, tables, watchdogMs, id }: GroupParts,
): Promise<GroupEnd> {
  const scope = [...new Set(jobs.flatMap(({ options }) => options.tables))];
  const durability = jobs[0]?.durability ?? "strict";
  const outcomes: Outcome[] = [];
  const put: Place[] = [];
  const over = deferred<GroupEnd>();
  let isCommitting = false;
  let transaction: IDBTransaction;
  try {
    transaction = database.transaction(scope, "readwrite", { durability });
  } catch (error) {
    return { kind: "aborted", error };
  }
  let cause: unknown;
  const guard = watch(watchdogMs, () => {
    over.resolve({ kind: "silent", error: silence(labelOf(jobs), watchdogMs) });
    tryTo(() => transaction.abort());
  });
  transaction.oncomplete = () => over.resolve({ kind: "committed", outcomes });
  transaction.onabort = () => {
    // The transaction knows best: its requests only say that they were aborted.
    const error = transaction.error ?? cause ?? new DOMException("It was aborted without a reason", "AbortError");
    over.resolve(isCommitting ? { kind: "unknown", error, outcomes, put } : { kind: "aborted", error });
  };
  runAll().catch((error: unknown) => {
    cause = error;
    tryTo(() => transaction.abort());
  });
  return await over.promise.finally(guard.stop);

  async function runAll(): Promise<void> {
    for (const job of jobs) {
      if (put.length >= WRITES_PER_GROUP) break;
      outcomes.push(await runScript(job));
    }
    isCommitting = true;
    transaction.commit();
  }

  /** What the script throws is its own affair; what the transaction throws ends the group. */
  async function runScript({ options, script }: Job): Promise<Outcome> {
    let answers: readonly unknown[] = [];
    let running: StorageScript<unknown> | undefined;
    for (;;) {
      let step: IteratorResult<readonly Parameters<typeof answer>[1][], Result>;
      let rows: readonly (StoredRow | undefined)[] = [];
      try {
        running ??= script();
        step = running.next(answers);
        assertDeclared(options.tables, step.done ? step.value.writes : step.value);
        // Every key is computed before the first put, so that a failure leaves nothing of this script behind.
        if (step.done) {
          rows = step.value.writes.map((write) =>
            write.kind === "put" ? storedRow(tables.table(write.table), write.value, id) : undefined,
          );
        }
      } catch (thrown) {
        return { thrown };
      }
      if (step.done) {
        write(step.value, rows);
        return { value: step.value.value };
      }
      answers = await Promise.all(step.value.map((read) => answer(transaction, read)));
      guard.touch();
    }
  }

  function write({ writes }: Result, rows: readonly (StoredRow | undefined)[]): void {
    writes.forEach(({ table, key }, at) => {
      const store = transaction.objectStore(table);
      const row = rows[at];
      const request = row === undefined ? store.delete(key) : store.put(row, key);
      if (row !== undefined) put.push({ table, key });
      if (at % WRITES_PER_TOUCH === 0) request.onsuccess = guard.touch;
    });
  }
}

type Result = Extract<ReturnType<StorageScript<unknown>["next"]>, { done: true }>["value"];

/** Whether one of the rows that the transaction put bears its name: then all of it was stored, and must not run again. */
export async function wasCommitted(database: IDBDatabase, id: string, put: readonly Place[]): Promise<boolean> {
  if (put.length === 0) return false;
  const transaction = database.transaction([...new Set(put.map(({ table }) => table))]);
  const rows: Promise<StoredRow | undefined>[] = put.map(({ table, key }) =>
    wrap(transaction.objectStore(table).get(key)),
  );
  return (await Promise.all(rows)).some((row) => row?.t === id);
}

function labelOf(jobs: readonly Job[]): string {
  const labels = new Set(jobs.map(({ options }) => options.label ?? "a transaction"));
  return [...labels].slice(0, 3).join(", ");
}
