/**
 * Opens a database and brings it to a layout.
 *
 *   open at the stored version → layout fits? → done
 *                    ↑               │ no
 *                    └── another ── close, open at version + 1, upgrade → done
 *                       tab was first
 */
import type { StorageHooks, StorageLayout } from "../../client/ports/storage.ts";
import { isTillSyncError } from "../../shared/errors.ts";
import { layoutChange } from "../stored-layout.ts";
import type { Factories } from "./factories.ts";
import { isProcessLost, nameOf, silence, typedError, unavailable } from "./failures.ts";
import { tryTo } from "./try-to.ts";
import { readLayout, upgrade } from "./upgrade.ts";
import { pause, startWatchdog, withWatchdog } from "./watchdog.ts";

/** A store: its name and layout, the options of the adapter, and the hooks of its client. */
export interface StoreConfig {
  readonly factories: Factories;
  readonly name: string;
  readonly layout: StorageLayout;
  readonly hooks: StorageHooks;
  readonly watchdogMs: number;
  /** `relaxed`: also for transactions that ask for `strict`. */
  readonly durability: "strict" | "relaxed";
  readonly reserveBytes: number;
}

/** The waits before each retry. */
const BACKOFF_MS = [50, 250, 1000];

/** The opening, in the error about a database that does not answer. */
const OPENING = "opening the store";

/** Errors of `open` that are worth a retry. `VersionError`: another tab's upgrade was first. */
const TRANSIENT = /^(Unknown|Abort|Timeout|Version)Error$/;

/**
 * Opens the database, and creates or changes it to fit the layout.
 *
 * @param onDeleted Passed if the database was open before. It must still exist, as it was. If the user has cleared it,
 * it must not be created anew, empty, as if nothing had ever been in it: this is called, and the opening fails. If
 * another version has changed it, it must not be changed back.
 * @returns `undefined` if another version has changed it; only if `onDeleted` was passed
 */
export async function openDatabase(config: StoreConfig, onDeleted?: () => void): Promise<IDBDatabase | undefined> {
  for (let failures = 0; ; ) {
    try {
      const database = await request(config, onDeleted);
      let fits = false;
      try {
        const stored = await withWatchdog(readLayout(database), config.watchdogMs, OPENING);
        fits = layoutChange(stored, config.layout) === undefined;
        if (fits) return database;
      } finally {
        if (!fits) database.close();
      }
      return onDeleted ? undefined : await request(config, onDeleted, database.version + 1);
    } catch (error) {
      if (onDeleted && isTillSyncError(error, "storage_newer")) return undefined;
      const wait = TRANSIENT.test(nameOf(error)) ? BACKOFF_MS[failures++] : undefined;
      if (wait === undefined) throw await typedError(error);
      if (isProcessLost(error)) config.factories.renew();
      await pause(wait);
    }
  }
}

/** One `open`. It ends with the database, an error of the platform, or a typed error. */
function request(config: StoreConfig, onDeleted: (() => void) | undefined, version?: number): Promise<IDBDatabase> {
  const { factories, name, layout, watchdogMs } = config;
  return new Promise((resolve, reject) => {
    const opening = factories.current().open(name, version);
    let what = OPENING;
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
      watchdog.stop();
      reject(failure);
    };
    const watchdog = startWatchdog(watchdogMs, () => fail(silence(what, watchdogMs)));
    opening.onblocked = () => {
      what = "a change of the store, which another tab blocks";
    };
    opening.onupgradeneeded = ({ oldVersion }) => {
      const transaction = opening.transaction as IDBTransaction;
      // The opening itself only says that it was aborted.
      whenAborted(transaction, (reason) => reason !== undefined && fail(reason));
      const change = async () => {
        // A request can't be cancelled: one that has failed here may still get its turn, when the other tabs are
        // closed.
        if (failure !== undefined) throw failure;
        if (onDeleted && oldVersion === 0) {
          onDeleted();
          throw unavailable(
            "The browser's database was deleted while it was open (site data was cleared). " +
              "Unsent work is lost. Reload.",
          );
        }
        await upgrade(transaction, layout, watchdog.touch);
      };
      watchdog.touch();
      change().catch((error) => {
        fail(error);
        tryTo(() => transaction.abort());
      });
    };
    opening.onerror = (event) => {
      // So that it is not reported as an error of the page: the caller gets it.
      event.preventDefault();
      fail(opening.error);
    };
    opening.onsuccess = () => {
      watchdog.stop();
      const database = opening.result;
      // Until its owner sets its own handler, it must not block other tabs.
      database.onversionchange = () => database.close();
      if (failure === undefined) resolve(database);
      else database.close();
    };
  });
}

/**
 * Deletes the database. The connections of other tabs are asked to close, and do so.
 *
 * @returns whether there was one
 */
export function deleteDatabase({ factories, watchdogMs }: StoreConfig, name: string): Promise<boolean> {
  const deleted = new Promise<boolean>((resolve, reject) => {
    const deleting = factories.current().deleteDatabase(name);
    deleting.onsuccess = (event) => resolve((event as IDBVersionChangeEvent).oldVersion > 0);
    deleting.onerror = () => reject(deleting.error);
  });
  return withWatchdog(deleted, watchdogMs, "a deletion, which another tab blocks");
}

/**
 * Tells why a transaction was aborted: what its first failed request says, otherwise what the transaction says, which is
 * `undefined` if it was aborted on purpose. In Firefox and WebKit only the request has the reason, and if the request
 * failed after `commit()`, only the event that bubbles from it. The requests after it say no more than "AbortError".
 */
export function whenAborted(transaction: IDBTransaction, tell: (reason: unknown) => void): void {
  let reason: unknown;
  transaction.onerror = ({ target }) => {
    const { error } = target as IDBRequest;
    if (nameOf(error) !== "AbortError") reason ??= error;
  };
  transaction.onabort = () => tell(reason ?? transaction.error ?? undefined);
}
