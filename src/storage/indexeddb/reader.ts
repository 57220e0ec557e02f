/** Reads outside of write transactions. (storage/indexeddb) */
import type { StorageRead } from "../../client/ports/storage.ts";
import { isConnectionLoss, nameOf, silence } from "./failures.ts";
import type { Link } from "./link.ts";
import { answer } from "./reads.ts";
import { answered } from "./watchdog.ts";

/**
 * How many requests one transaction serves. Opening one costs more than a read; one that is kept alive without end would keep
 * every writer waiting, in this tab and in others.
 */
const REQUESTS_PER_TRANSACTION = 32;

const TRIES = 3;

interface OpenTransaction {
  readonly database: IDBDatabase;
  readonly transaction: IDBTransaction;
  requestsLeft: number;
}

export class Reader {
  readonly #link: Link;
  readonly #watchdogMs: number;
  readonly #isWriting: () => boolean;
  /** By table: one over all tables would wait for writers that it has nothing to do with. */
  readonly #open = new Map<string, OpenTransaction>();

  constructor(link: Link, watchdogMs: number, isWriting: () => boolean) {
    this.#link = link;
    this.#watchdogMs = watchdogMs;
    this.#isWriting = isWriting;
  }

  async read(read: StorageRead): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const database = await this.#link.database();
      let isSilent = false;
      const onSilence = () => {
        isSilent = true;
        return silence(`a read of "${read.table}"`, this.#watchdogMs);
      };
      try {
        return await answered(this.#ask(database, read), this.#watchdogMs, onSilence);
      } catch (error) {
        const isLost = isSilent || isConnectionLoss(error);
        if (isLost) this.#link.drop(database);
        // A read can be repeated. Not after a silence: the caller has waited long enough.
        if (!isLost || isSilent || tries === TRIES) throw error;
      }
    }
  }

  #ask(database: IDBDatabase, read: StorageRead): Promise<unknown> {
    const open = this.#open.get(read.table);
    const requests = read.kind === "get" ? read.keys.length : 2;
    if (open?.database === database && open.requestsLeft >= requests && !this.#isWriting()) {
      try {
        const reply = answer(open.transaction, read);
        open.requestsLeft -= requests;
        return reply;
      } catch (error) {
        // It is alive only while one of its answers is being handled. There is no way to ask but to try.
        if (nameOf(error) !== "TransactionInactiveError" && nameOf(error) !== "InvalidStateError") throw error;
      }
    }
    const transaction = database.transaction(read.table);
    const opened = { database, transaction, requestsLeft: REQUESTS_PER_TRANSACTION - requests };
    this.#open.set(read.table, opened);
    transaction.oncomplete = transaction.onabort = () => {
      if (this.#open.get(read.table) === opened) this.#open.delete(read.table);
    };
    return answer(transaction, read);
  }
}
