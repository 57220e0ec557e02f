/**
 * One readwrite transaction for a group of scripts.
 *
 *   script ► reads ► answers ► … ► its writes are put        (the next script's reads see them)
 *   script ► …                                               commit ► complete: all of them are stored
 *
 * - A script does not wait for speculative reads (`speculative-reads.ts`); nothing is committed before they are
 *   confirmed.
 * - Only requests of this transaction are awaited: while anything else is awaited, the transaction would commit half of
 *   the work.
 * - What a script returned or threw is reported only when the transaction is complete: until then, the rows that it was
 *   decided on may still be rolled back.
 */

import { wrap } from "idb";
import type { StorageRead, StorageScript, TransactOptions } from "../../client/ports/storage.ts";
import { assertDeclared, tableOf } from "../stored-layout.ts";
import { silence } from "./failures.ts";
import { type StoreConfig, whenAborted } from "./open.ts";
import { answer } from "./reads.ts";
import { type StoredRow, storedRow } from "./rows.ts";
import type { SpeculativeReads } from "./speculative-reads.ts";
import { tryTo } from "./try-to.ts";
import { startWatchdog } from "./watchdog.ts";

/** A call of `transact` that has not settled yet. */
export interface Job extends TransactOptions {
  readonly script: () => StorageScript<unknown>;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  /** Runs that failed. After the first one it is no longer joined with others. */
  failures: number;
}

export type Outcome = { readonly value: unknown } | { readonly thrown: unknown };

/** How the group ended. */
export interface GroupEnd {
  /** Absent: it is committed. A typed error: the platform did not answer. */
  readonly error?: unknown;
  /** One for each job that was begun; there may be fewer than jobs. */
  readonly outcomes: readonly Outcome[];
  /** Present if the commit was requested: if its answer was lost, these rows show what happened. See `wasCommitted`. */
  readonly put?: readonly Row[] | undefined;
}

interface Row {
  readonly table: string;
  readonly key: string;
}

/**
 * After this many writes no further script is begun: the rest waits for the next transaction, and other tabs get a
 * turn.
 */
const WRITES_PER_GROUP = 1_000;

/** The number of writes after which the next one gets a listener that resets the watchdog. */
const WRITES_PER_TOUCH = 50;

/** @param id names this transaction, uniquely among all connections */
export function runGroup(
  jobs: readonly Job[],
  { layout, watchdogMs }: StoreConfig,
  database: IDBDatabase,
  id: string,
  speculative: SpeculativeReads,
): Promise<GroupEnd> {
  return new Promise((resolve) => {
    const outcomes: Outcome[] = [];
    const put: Row[] = [];
    let isCommitting = false;
    let cause: unknown;
    let transaction: IDBTransaction;
    const finish = (error?: unknown) => {
      watchdog.stop();
      resolve({ error, outcomes, put: isCommitting ? put : undefined });
    };
    const abort = () => tryTo(() => transaction.abort());
    const watchdog = startWatchdog(watchdogMs, () => {
      finish(
        silence([...new Set(jobs.map(({ label = "a transaction" }) => label))].slice(0, 3).join(", "), watchdogMs),
      );
      abort();
    });
    try {
      const tables = new Set(jobs.flatMap(({ tables }) => tables));
      transaction = database.transaction([...tables], "readwrite", { durability: jobs[0]?.durability ?? "strict" });
    } catch (error) {
      return finish(error);
    }
    transaction.oncomplete = () => finish();
    whenAborted(transaction, (reason) =>
      finish(reason ?? cause ?? new DOMException("It was aborted without a reason", "AbortError")),
    );
    runAll().catch((error) => {
      cause = error;
      abort();
    });

    async function runAll(): Promise<void> {
      for (const job of jobs) {
        if (put.length >= WRITES_PER_GROUP) break;
        outcomes.push(await runScript(job));
      }
      await speculative.check();
      isCommitting = true;
      transaction.commit();
    }

    /** What the script throws is its outcome; what the transaction throws ends the group. */
    async function runScript({ tables, script }: Job): Promise<Outcome> {
      let running: StorageScript<unknown> | undefined;
      for (let answers: readonly unknown[] = []; ; watchdog.touch()) {
        let step: ReturnType<StorageScript<unknown>["next"]>;
        let rows: readonly (StoredRow | undefined)[] = [];
        try {
          running ??= script();
          step = running.next(answers);
          assertDeclared(tables, step.done ? step.value.writes : step.value);
          // Every key is computed before the first put, so a failure leaves nothing of this script in the transaction.
          if (step.done) {
            rows = step.value.writes.map((write) =>
              write.kind === "put" ? storedRow(tableOf(layout, write.table), write.value, id) : undefined,
            );
          }
        } catch (thrown) {
          return { thrown };
        }
        if (!step.done) {
          answers = speculative.answers(transaction, step.value) ?? (await Promise.all(step.value.map(ask)));
          continue;
        }
        for (const [at, { table, key }] of step.value.writes.entries()) {
          const store = transaction.objectStore(table);
          const row = rows[at];
          const request = row === undefined ? store.delete(key) : store.put(row, key);
          if (row !== undefined) put.push({ table, key });
          speculative.wrote(table, key, row);
          if (at % WRITES_PER_TOUCH === 0) request.onsuccess = watchdog.touch;
        }
        return { value: step.value.value };
      }
    }

    function ask(read: StorageRead): Promise<unknown> {
      const isRemembered = read.kind === "get" && read.speculate === "unchanged";
      return isRemembered ? speculative.learn(transaction, read) : answer(transaction, read);
    }
  });
}

/**
 * Whether one of the rows that the transaction put carries its id. Then all of it was stored, and must not run again.
 */
export async function wasCommitted(database: IDBDatabase, id: string, put: readonly Row[]): Promise<boolean> {
  if (put.length === 0) return false;
  const transaction = database.transaction([...new Set(put.map(({ table }) => table))]);
  const rows = put.map(({ table, key }) => wrap<StoredRow | undefined>(transaction.objectStore(table).get(key)));
  return (await Promise.all(rows)).some((row) => row?.t === id);
}
