/**
 * One readwrite transaction for a group of scripts.
 *
 *   script ► reads ► answers ► … ► its writes are put        (the next script's reads see them)
 *   script ► …                                               commit ► complete: all of them are stored
 *
 * - A script does not wait for what it is likely to read (`guesses.ts`); nothing is committed before that was confirmed.
 * - Nothing is awaited but requests of this very transaction: anything else would let it commit half of the work.
 * - What a script gave or threw is told only when the transaction is complete: it was decided on rows that may be undone yet.
 */

import { wrap } from "idb";
import type { StorageRead, StorageScript, TransactOptions } from "../../client/ports/storage.ts";
import { assertDeclared, tableOf } from "../stored-layout.ts";
import { silence } from "./failures.ts";
import { type Place, tryTo } from "./open.ts";
import { answer } from "./reads.ts";
import { type StoredRow, storedRow } from "./rows.ts";
import type { SpeculativeReads } from "./speculative-reads.ts";
import { watch } from "./watchdog.ts";

/** A `transact` that waits for its end. */
export interface Job extends TransactOptions {
  readonly script: () => StorageScript<unknown>;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  /** Runs that came to nothing. After the first one it is no longer joined with others. */
  failures: number;
}

export type Outcome = { readonly value: unknown } | { readonly thrown: unknown };

/** How the group ended. */
export interface GroupEnd {
  /** Absent: it is committed. A typed error: the platform was silent. */
  readonly error?: unknown;
  /** They may be fewer than the jobs: the rest were not begun. */
  readonly outcomes: readonly Outcome[];
  /** The commit was asked for: if its answer was lost, these rows can tell. See `wasCommitted`. */
  readonly put?: readonly Row[] | undefined;
}

interface Row {
  readonly table: string;
  readonly key: string;
}

/** No further script is begun after this many writes: the rest waits for the next transaction, and other tabs get a turn. */
const WRITES_PER_GROUP = 1_000;

/** Of many writes only some answers are listened to. */
const WRITES_PER_TOUCH = 50;

/** @param id names this transaction among all of all connections */
export function runGroup(
  jobs: readonly Job[],
  { layout, watchdogMs }: Place,
  database: IDBDatabase,
  id: string,
  guesses: SpeculativeReads,
): Promise<GroupEnd> {
  return new Promise((resolve) => {
    const outcomes: Outcome[] = [];
    const put: Row[] = [];
    let isCommitting = false;
    let cause: unknown;
    let transaction: IDBTransaction;
    const end = (error?: unknown) => {
      guard.stop();
      resolve({ error, outcomes, put: isCommitting ? put : undefined });
    };
    const abort = () => tryTo(() => transaction.abort());
    const guard = watch(watchdogMs, () => {
      end(silence([...new Set(jobs.map(({ label = "a transaction" }) => label))].slice(0, 3).join(", "), watchdogMs));
      abort();
    });
    try {
      const tables = new Set(jobs.flatMap(({ tables }) => tables));
      transaction = database.transaction([...tables], "readwrite", { durability: jobs[0]?.durability ?? "strict" });
    } catch (error) {
      return end(error);
    }
    transaction.oncomplete = () => end();
    // The transaction knows best: its requests only say that they were aborted.
    transaction.onabort = () =>
      end(transaction.error ?? cause ?? new DOMException("It was aborted without a reason", "AbortError"));
    runAll().catch((error) => {
      cause = error;
      abort();
    });

    async function runAll(): Promise<void> {
      for (const job of jobs) {
        if (put.length >= WRITES_PER_GROUP) break;
        outcomes.push(await runScript(job));
      }
      await guesses.check();
      isCommitting = true;
      transaction.commit();
    }

    /** What the script throws is its own affair; what the transaction throws ends the group. */
    async function runScript({ tables, script }: Job): Promise<Outcome> {
      let running: StorageScript<unknown> | undefined;
      for (let answers: readonly unknown[] = []; ; guard.touch()) {
        let step: ReturnType<StorageScript<unknown>["next"]>;
        let rows: readonly (StoredRow | undefined)[] = [];
        try {
          running ??= script();
          step = running.next(answers);
          assertDeclared(tables, step.done ? step.value.writes : step.value);
          // Every key is computed before the first put, so that a failure leaves nothing of this script behind.
          if (step.done) {
            rows = step.value.writes.map((write) =>
              write.kind === "put" ? storedRow(tableOf(layout, write.table), write.value, id) : undefined,
            );
          }
        } catch (thrown) {
          return { thrown };
        }
        if (!step.done) {
          answers = guesses.answers(transaction, step.value) ?? (await Promise.all(step.value.map(ask)));
          continue;
        }
        for (const [at, { table, key }] of step.value.writes.entries()) {
          const store = transaction.objectStore(table);
          const row = rows[at];
          const request = row === undefined ? store.delete(key) : store.put(row, key);
          if (row !== undefined) put.push({ table, key });
          guesses.wrote(table, key, row);
          if (at % WRITES_PER_TOUCH === 0) request.onsuccess = guard.touch;
        }
        return { value: step.value.value };
      }
    }

    function ask(read: StorageRead): Promise<unknown> {
      const isWorthIt = read.kind === "get" && read.speculate === "unchanged";
      return isWorthIt ? guesses.learn(transaction, read) : answer(transaction, read);
    }
  });
}

/** Whether one of the rows that the transaction put bears its name: then all of it was stored, and must not run again. */
export async function wasCommitted(database: IDBDatabase, id: string, put: readonly Row[]): Promise<boolean> {
  if (put.length === 0) return false;
  const transaction = database.transaction([...new Set(put.map(({ table }) => table))]);
  const rows = put.map(({ table, key }) => wrap<StoredRow | undefined>(transaction.objectStore(table).get(key)));
  return (await Promise.all(rows)).some((row) => row?.t === id);
}
