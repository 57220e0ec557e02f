/** Files that only their owner may read: customers, password hashes, keys. */
import { closeSync, existsSync, openSync, statSync } from "node:fs";

const PRIVATE = 0o600;

/** Other users of the computer can read a file that they must not read. */
export class ExposedFileError extends Error {
  override readonly name = "ExposedFileError";
}

/**
 * Creates the file of a SQLite database if there is none, and checks those that are there. SQLite gives the files beside
 * its database the same permissions (https://www.sqlite.org/src/file?name=src/os_unix.c, `findCreateFileMode`).
 *
 * @param advice what to do if others can read one of them
 * @throws ExposedFileError, an error of Node's `open`
 */
export function keepPrivate(database: string, advice: string): void {
  closeSync(openSync(database, "a", PRIVATE));
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(database + suffix)) checkPrivate(database + suffix, advice);
  }
}

/**
 * @param advice what to do if others can read it
 * @throws ExposedFileError if others can read or write the file. Windows has no such permissions.
 */
export function checkPrivate(path: string, advice: string): void {
  const { mode } = statSync(path);
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  const found = (mode & 0o777).toString(8);
  throw new ExposedFileError(`Expected ${path} to be readable by its owner only, got mode ${found}. ${advice}`);
}
