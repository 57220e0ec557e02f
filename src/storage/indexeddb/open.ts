/**
 * Opens a database and brings it to a layout. (storage/indexeddb)
 *
 *   open at the stored version → layout fits? → done
 *                    ↑               │ no
 *                    └── another ── close, open at version + 1, upgrade → done
 *                       tab was first
 */
import type { StorageLayout } from "../../client/ports/storage.ts";
import { isTillSyncError, type TillSyncError } from "../../shared/errors.ts";
import { layoutChange } from "../stored-layout.ts";
import { corrupt, isCorruption, nameOf, silence, unavailable } from "./failures.ts";
import { readLayout, upgrade } from "./upgrade.ts";
import { answered, pause, watch } from "./watchdog.ts";

export interface Place {
  readonly factory: IDBFactory;
  readonly name: string;
  readonly layout: StorageLayout;
  readonly watchdogMs: number;
}

/** How long to wait before each further try: a database process that crashed is back within a second or two. */
const BACKOFF_MS = [50, 250, 1000];

/** Errors of `open` that may be gone a moment later. `VersionError`: another tab's upgrade came first. */
const PASSING = ["UnknownError", "AbortError", "TimeoutError", "VersionError"];

/** Opens the database, and makes or changes it as the layout wants it. */
export async function openDatabase(place: Place): Promise<IDBDatabase> {
  return await withRetries(async () => {
    const found = await fitting(place, false);
    return "database" in found ? found.database : await request(place, found.version + 1, false);
  });
}

/**
 * Opens a database that was open before. It must still be there, as it was: one that the user has cleared must not come back
 * empty as if nothing had ever been in it, and one that another version has changed must not be changed back.
 * @returns `undefined` where another version has changed it
 */
export async function reopenDatabase(place: Place): Promise<IDBDatabase | undefined> {
  return await withRetries(async () => {
    try {
      const found = await fitting(place, true);
      return "database" in found ? found.database : undefined;
    } catch (error) {
      if (isTillSyncError(error, "storage_newer")) return undefined;
      throw error;
    }
  });
}

async function withRetries<T>(open: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await open();
    } catch (error) {
      if (isTillSyncError(error)) throw error;
      const wait = PASSING.includes(nameOf(error)) ? BACKOFF_MS[failures++] : undefined;
      if (wait === undefined) throw finalError(error);
      await pause(wait);
    }
  }
}

/** The database if it fits the layout, else the version that it has, closed. */
async function fitting(place: Place, again: boolean): Promise<{ database: IDBDatabase } | { version: number }> {
  const database = await request(place, undefined, again);
  try {
    const stored = await answered(readLayout(database), place.watchdogMs, () =>
      silence("the opening", place.watchdogMs),
    );
    if (layoutChange(stored, place.layout) === undefined) return { database };
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return { version: database.version };
}

/** One `open`, for which exactly one of: the database, an error of the platform, a typed error. */
function request(
  { factory, name, layout, watchdogMs }: Place,
  version: number | undefined,
  again: boolean,
): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = factory.open(name, version);
    let isBlocked = false;
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
      guard.stop();
      reject(failure);
    };
    const guard = watch(watchdogMs, () => fail(isBlocked ? blocked(watchdogMs) : silence("the opening", watchdogMs)));
    opening.onblocked = () => {
      isBlocked = true;
    };
    opening.onupgradeneeded = ({ oldVersion }) => {
      const transaction = opening.transaction as IDBTransaction;
      const abandon = (error: unknown) => {
        fail(error);
        tryTo(() => transaction.abort());
      };
      guard.touch();
      // A request can't be taken back: one that was given up may still get its turn, when the other tabs are gone.
      if (failure !== undefined) abandon(failure);
      else if (again && oldVersion === 0) abandon(vanished());
      else upgrade(transaction, layout, guard.touch).catch(abandon);
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
  return answered(deleted, watchdogMs, () => blocked(watchdogMs));
}

export function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // It is over already, which is what was wanted.
  }
}

function finalError(error: unknown): unknown {
  if (isCorruption(error)) return corrupt("all tables", error);
  if (!(error instanceof DOMException) || error.name === "QuotaExceededError") return error;
  return unavailable(
    `The browser's database can't be opened (${String(error)}). In a private window, or where site data is blocked, nothing ` +
      "could be kept: use a normal window and allow site data. Else reload, or restart the browser.",
    error,
  );
}

function blocked(ms: number): TillSyncError {
  return unavailable(
    `Another tab of this application keeps the browser's database from being changed (waited ${ms} ms). ` +
      "Close the other tabs, then try again.",
  );
}

function vanished(): TillSyncError {
  return unavailable(
    "The browser's database was deleted while it was open (site data was cleared). What was not yet sent is lost. Reload to start anew.",
  );
}
