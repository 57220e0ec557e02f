import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isBusy, storeError } from "../../../src/server/sqlite/errors.ts";
import { type SyncSqliteDriver, sqliteStore } from "../../../src/server/sqlite/index.ts";
import { read, SHOP, takePosition, write } from "../../../src/server/testing/calls.ts";
import { clockRow } from "../../../src/server/testing/rows.ts";
import { openLibsql } from "./recording-driver.ts";

const folder = mkdtempSync(join(tmpdir(), "tillsync-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${++files}.sqlite`);

describe("errors", () => {
  test.each([
    [{ code: "SQLITE_BUSY" }, true],
    [{ code: "SQLITE_BUSY_RECOVERY" }, true],
    [{ code: "ERR_SQLITE_ERROR", errcode: 261 }, true],
    [{ code: "SQLITE_CONSTRAINT_UNIQUE" }, false],
    [{ code: "ERR_SQLITE_ERROR", errcode: 2067 }, false],
    [new Error("SQLITE_BUSY"), false],
    [undefined, false],
  ])("%o is busy: %s", (error, busy) => {
    expect(isBusy(error)).toBe(busy);
  });

  test.each([
    ["SQLITE_FULL", "storage_full"],
    ["SQLITE_IOERR_WRITE", "storage_unavailable"],
    ["SQLITE_READONLY", "storage_unavailable"],
    ["SQLITE_CORRUPT_INDEX", "storage_corrupt"],
    ["SQLITE_NOTADB", "storage_corrupt"],
  ])("%s is %s", (code, expected) => {
    expect(storeError(Object.assign(new Error("x"), { code }))).toMatchObject({ code: expected, cause: { code } });
  });
});

describe("a transaction that fails", () => {
  /** libsql, in which one statement fails when it is next executed. */
  function failing() {
    const failures = new Map<string, { error: Error; instead?: string }>();
    let opened = 0;
    const open = (path: string): SyncSqliteDriver => {
      opened++;
      const database = openLibsql(path);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare(sql) {
          const statement = database.prepare(sql);
          return {
            all: (...parameters) => statement.all(...parameters),
            run(...parameters) {
              const failure = failures.get(sql);
              failures.delete(sql);
              if (failure === undefined) return statement.run(...parameters);
              if (failure.instead !== undefined) database.exec(failure.instead);
              throw failure.error;
            },
          };
        },
      };
    };
    return { failures, open, opened: () => opened };
  }

  test("at its commit: nothing is stored, and nothing stays open", async () => {
    const { failures, open, opened } = failing();
    const store = sqliteStore({ path: newPath(), driver: open });
    expect(await takePosition(store, "operation-1")).toBe(1);
    failures.set("commit", { error: Object.assign(new Error("disk full"), { code: "SQLITE_FULL" }) });
    await expect(takePosition(store, "operation-2")).rejects.toMatchObject({ code: "storage_full" });
    expect(await read(store, { kind: "clock" })).toMatchObject({ position: 1 });
    expect(await takePosition(store, "operation-2")).toBe(2);
    expect(opened()).toBe(1);
    await store.close();
  });

  const ioError = Object.assign(new Error("I/O error"), { code: "SQLITE_IOERR_FSYNC" });
  const noTransaction = new Error("cannot rollback - no transaction is active");

  test("and was rolled back by SQLite itself: the connection goes on", async () => {
    const { failures, open, opened } = failing();
    const store = sqliteStore({ path: newPath(), driver: open });
    await takePosition(store, "operation-1");
    failures.set("commit", { error: ioError, instead: "rollback" });
    failures.set("rollback", { error: noTransaction });
    await expect(takePosition(store, "operation-2")).rejects.toMatchObject({
      code: "storage_unavailable",
      cause: ioError,
    });
    expect(await takePosition(store, "operation-2")).toBe(2);
    expect(opened()).toBe(1);
    await store.close();
  });

  test("and left the connection past use: it is given up, the next call has a new one", async () => {
    const { failures, open, opened } = failing();
    const store = sqliteStore({ path: newPath(), driver: open });
    await takePosition(store, "operation-1");
    failures.set("commit", { error: ioError, instead: "rollback" });
    failures.set("rollback", { error: noTransaction });
    failures.set("begin deferred", { error: new Error("the connection is gone") });
    await expect(takePosition(store, "operation-2")).rejects.toMatchObject({
      code: "storage_unavailable",
      cause: ioError,
    });
    expect(await takePosition(store, "operation-2")).toBe(2);
    expect(opened()).toBe(2);
    await store.close();
  });

  test("in a read: the script's own error, and the next transaction is not disturbed", async () => {
    const store = sqliteStore({ path: ":memory:" });
    const poison = new Error("poison");
    // biome-ignore lint/correctness/useYield: it throws before it reads.
    const reading = store.read(SHOP, function* (): Generator<never, never, never> {
      throw poison;
    });
    await expect(reading).rejects.toBe(poison);
    expect(await takePosition(store, "operation-1")).toBe(1);
    await store.close();
  });
});

describe("another process holds the write lock", () => {
  function locked() {
    const path = newPath();
    let now = 0;
    let naps = 0;
    let onNap = (_naps: number) => {};
    const clock = {
      monotonic: () => now,
      async sleep(ms: number) {
        now += ms;
        onNap(++naps);
      },
    };
    // Two SQLite libraries in one process do not see each other's locks.
    const store = sqliteStore({ path, clock, busyTimeoutMs: 100, driver: openLibsql });
    return {
      store,
      naps: () => naps,
      /** Takes the lock, and gives it back after so many waits of the store. */
      hold(waits: number) {
        const other = openLibsql(path);
        other.exec("begin immediate");
        onNap = (count) => {
          if (count === waits) other.exec("rollback");
        };
        return other;
      },
    };
  }

  test("a transaction waits, and begins again; those behind it keep their order; reads wait for nobody", async () => {
    const { store, hold, naps } = locked();
    await write(store, { clock: clockRow(10) });
    const other = hold(3);
    const both = Promise.all([takePosition(store, "first"), takePosition(store, "second")]);
    expect(await read(store, { kind: "clock" })).toMatchObject({ position: 10 });
    expect(naps()).toBeLessThan(3);
    expect(await both).toEqual([11, 12]);
    expect(naps()).toBe(3);
    other.close();
    await store.close();
  });

  test("and does not give it back: the call rejects in bounded time, and a later one succeeds", async () => {
    const { store, hold } = locked();
    await write(store, { clock: clockRow(10) });
    const other = hold(Number.POSITIVE_INFINITY);
    await expect(takePosition(store, "first")).rejects.toMatchObject({
      code: "storage_unavailable",
      cause: { code: "SQLITE_BUSY" },
    });
    other.exec("rollback");
    expect(await takePosition(store, "first")).toBe(11);
    other.close();
    await store.close();
  });

  test("while the file is opened for the first time: that waits too", async () => {
    const { store, hold } = locked();
    const other = hold(2);
    expect(await takePosition(store, "first")).toBe(1);
    other.close();
    await store.close();
  });
});
