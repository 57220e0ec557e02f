/** Reads outside of write transactions. */
import type { StorageRead } from "../../client/ports/storage.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { isConnectionLoss, nameOf } from "./failures.ts";
import type { Link } from "./link.ts";
import { answer } from "./reads.ts";
import { withWatchdog } from "./watchdog.ts";

/**
 * How many requests one transaction serves. Opening a transaction costs more than a read, but one that is kept alive
 * forever would keep every writer waiting, in this tab and in others.
 */
const REQUESTS_PER_TRANSACTION = 32;

const TRIES = 3;

interface OpenTransaction {
  readonly transaction: IDBTransaction;
  requestsLeft: number;
}

export function createReader(link: Link, watchdogMs: number, isWriting: () => boolean) {
  /** By table: a transaction over all tables would wait for writers of other tables. */
  const open = new Map<string, OpenTransaction>();

  return async (read: StorageRead): Promise<unknown> => {
    for (let tries = 1; ; tries++) {
      const database = await link.database();
      try {
        return await withWatchdog(ask(database, read), watchdogMs, `a read of "${read.table}"`);
      } catch (error) {
        const isSilent = isTillSyncError(error);
        const isLost = isSilent || isConnectionLoss(error);
        if (isLost) link.drop(database);
        // A read can be repeated; but not after a silence, because the caller has waited long enough.
        if (!isLost || isSilent || tries === TRIES) throw error;
      }
    }
  };

  function ask(database: IDBDatabase, read: StorageRead): Promise<unknown> {
    const { table } = read;
    const shared = open.get(table);
    const requests = read.kind === "get" ? read.keys.length : 2;
    if (shared?.transaction.db === database && shared.requestsLeft >= requests && !isWriting()) {
      try {
        const reply = answer(shared.transaction, read);
        shared.requestsLeft -= requests;
        return reply;
      } catch (error) {
        // A transaction is active only while one of its answers is being handled. The only way to find out is to try.
        if (!/^(TransactionInactive|InvalidState)Error$/.test(nameOf(error))) throw error;
      }
    }
    const transaction = database.transaction(table);
    open.set(table, { transaction, requestsLeft: REQUESTS_PER_TRANSACTION - requests });
    return answer(transaction, read);
  }
}
