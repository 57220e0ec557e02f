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
import { nameOf, silence, typedError, unavailable } from "./failures.ts";
import { readLayout, upgrade } from "./upgrade.ts";
import { answered, pause, watch } from "./watchdog.ts";

/** A store: where it is, what it holds, and who is told of it. */
export interface Place {
  readonly factory: IDBFactory;
  readonly name: string;
  readonly layout: StorageLayout;
  readonly hooks: StorageHooks;
  readonly watchdogMs: number;
  /** The most that a transaction gets, whatever it asks for. */
  readonly durability: "strict" | "relaxed";
  readonly reserveBytes: number;
}

/** How long to wait before each further try: a database process that crashed is back within a second or two. */
const BACKOFF_MS = [50, 250, 1000];

/** Errors of `open` that may be gone a moment later. `VersionError`: another tab's upgrade came first. */
const PASSING = /^(Unknown|Abort|Timeout|Version)Error$/;

/**
 * Opens the database, and makes or changes it as the layout wants it.
 *
 * @param again It was open before. It must still be there, as it was: one that the user has cleared must not come back empty
 * as if nothing had ever been in it, which is told here before it is thrown; and one that another version has changed must not be
 * changed back.
 * @returns `undefined` where another version has changed it, which only happens `again`
 */
export async function openDatabase(place: Place, again?: () => void): Promise<IDBDatabase | undefined> {
  for (let failures = 0; ; ) {
    try {
      const database = await request(place, again);
      let fits = false;
      try {
        const stored = await answered(readLayout(database), place.watchdogMs, "the opening");
        fits = layoutChange(stored, place.layout) === undefined;
        if (fits) return database;
      } finally {
        if (!fits) database.close();
      }
      return again ? undefined : await request(place, again, database.version + 1);
    } catch (error) {
      if (again && isTillSyncError(error, "storage_newer")) return undefined;
      const wait = PASSING.test(nameOf(error)) ? BACKOFF_MS[failures++] : undefined;
      if (wait === undefined) throw await typedError(error);
      await pause(wait);
    }
  }
}

/** One `open`, for which exactly one of: the database, an error of the platform, a typed error. */
function request(place: Place, again: (() => void) | undefined, version?: number): Promise<IDBDatabase> {
  const { factory, name, layout, watchdogMs } = place;
  return new Promise((resolve, reject) => {
    const opening = factory.open(name, version);
    let what = "the opening";
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
      guard.stop();
      reject(failure);
    };
    const guard = watch(watchdogMs, () => fail(silence(what, watchdogMs)));
    opening.onblocked = () => {
      what = "a change that another tab blocks";
    };
    opening.onupgradeneeded = ({ oldVersion }) => {
      const transaction = opening.transaction as IDBTransaction;
      const change = async () => {
        // A request can't be taken back: one that was given up may still get its turn, when the other tabs are gone.
        if (failure !== undefined) throw failure;
        if (again && oldVersion === 0) {
          again();
          throw unavailable(
            "The browser's database was deleted while it was open (site data was cleared). What was not sent is lost. Reload.",
          );
        }
        await upgrade(transaction, layout, guard.touch);
      };
      guard.touch();
      change().catch((error) => {
        fail(error);
        tryTo(() => transaction.abort());
      });
    };
    opening.onerror = (event) => {
      // Not an error of the page: it is reported to the caller.
      event.preventDefault();
      fail(opening.error);
    };
    opening.onsuccess = () => {
      guard.stop();
      const database = opening.result;
      // Until its owner knows better, it stands in nobody's way.
      database.onversionchange = () => database.close();
      if (failure === undefined) resolve(database);
      else database.close();
    };
  });
}

/** Deletes the database; the connections of other tabs are asked to close, and close. */
export function deleteDatabase({ factory, name, watchdogMs }: Place): Promise<void> {
  const deleted = new Promise<void>((resolve, reject) => {
    const deleting = factory.deleteDatabase(name);
    deleting.onsuccess = () => resolve();
    deleting.onerror = () => reject(deleting.error);
  });
  return answered(deleted, watchdogMs, "a deletion that another tab blocks");
}

export function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // It is over already, which is what was wanted.
  }
}
