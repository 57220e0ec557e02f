import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import { afterAll, describe, expect, test } from "vitest";
import { findDriver } from "../../../src/server/sqlite/driver.ts";
import { type SyncSqliteDriver, sqliteStore } from "../../../src/server/sqlite/index.ts";
import { read, takePosition, write } from "../../../src/server/testing/calls.ts";
import { clockRow, recordRow } from "../../../src/server/testing/rows.ts";
import { isTillSyncError } from "../../../src/shared/errors.ts";
import { openLibsql, recording } from "./recording-driver.ts";

const folder = mkdtempSync(join(tmpdir(), "tillsync-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${++files}.sqlite`);

describe("opening", () => {
  test("a store that is made touches nothing; its first call makes the file", async () => {
    const path = newPath();
    const store = sqliteStore({ path });
    await Promise.resolve();
    expect(existsSync(path)).toBe(false);
    await store.secret();
    expect(existsSync(path)).toBe(true);
    await store.close();
    await sqliteStore({ path: newPath() }).close();
  });

  test("every commit is flushed into a write-ahead log", async () => {
    const record = recording();
    const store = sqliteStore({ path: newPath(), driver: record.open });
    await store.secret();
    const pragma = (name: string) => Object.values(record.database!.prepare(`pragma ${name}`).all()[0] as object)[0];
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(2); // FULL
    expect(pragma("fullfsync")).toBe(1);
    expect(pragma("checkpoint_fullfsync")).toBe(1);
    expect(pragma("busy_timeout")).toBe(10);
    await store.close();
  });

  test("an open that failed rejects that call, and the next one tries again", async () => {
    const missing = join(folder, "later");
    const store = sqliteStore({ path: join(missing, "shop.sqlite") });
    const refused = await store.secret().catch((error: unknown) => error);
    expect(isTillSyncError(refused, "storage_unavailable") && refused.details).toEqual({ adapter: "sqlite" });
    expect((refused as Error).cause).toBeInstanceOf(Error);
    expect((refused as Error).message).toContain("folder must exist");
    mkdirSync(missing);
    expect(await takePosition(store, "operation-1")).toBe(1);
    await store.close();
  });

  test("a file that is not a database is refused, and left as it is", async () => {
    const path = newPath();
    writeFileSync(path, "receipts of 2025\n".repeat(1_000));
    const store = sqliteStore({ path });
    await expect(store.secret()).rejects.toMatchObject({ code: "storage_corrupt" });
    expect(readFileSync(path, "utf8")).toBe("receipts of 2025\n".repeat(1_000));
    await store.close();
  });

  test("an open database may be handed over", async () => {
    const path = newPath();
    const database = new Libsql(path);
    const store = sqliteStore({ path, driver: database as unknown as SyncSqliteDriver });
    expect(await takePosition(store, "operation-1")).toBe(1);
    await store.close();
    expect(() => database.prepare("select 1")).toThrow();
  });

  test("a path that is none is refused at once", () => {
    expect(() => sqliteStore({ path: "" })).toThrow("Expected `path` to be the path of a file");
  });

  test("close waits for an open that is under way, and closes what it opened", async () => {
    const events: string[] = [];
    const driver = async (path: string): Promise<SyncSqliteDriver> => {
      const database = openLibsql(path);
      events.push("opened");
      return {
        exec: (sql) => database.exec(sql),
        prepare: (sql) => database.prepare(sql),
        close() {
          events.push("closed");
          database.close();
        },
      };
    };
    const store = sqliteStore({ path: newPath(), driver });
    const opening = store.secret().catch(() => {});
    await Promise.all([store.close(), opening]);
    expect(events.filter((event) => event === "opened").length).toBe(
      events.filter((event) => event === "closed").length,
    );
  });

  test("after close the file is complete without its log", async () => {
    const path = newPath();
    const store = sqliteStore({ path });
    await write(store, { clock: clockRow(7), records: [recordRow("tea", 7)] });
    await store.close();
    const copy = newPath();
    copyFileSync(path, copy); // as a backup does it
    const restored = sqliteStore({ path: copy });
    expect(await read(restored, { kind: "clock" })).toEqual(clockRow(7));
    await restored.close();
  });
});

describe("the driver", () => {
  class Database {
    readonly path: string;
    constructor(path: string) {
      this.path = path;
    }
  }
  const none = async (): Promise<never> => {
    throw new Error("Cannot find package");
  };

  test("is that of the runtime, where it has one", async () => {
    const open = await findDriver({
      builtin: (id) => (id === "node:sqlite" ? { DatabaseSync: Database } : undefined),
      load: none,
    });
    expect(await open("shop.sqlite")).toMatchObject({ path: "shop.sqlite" });
  });

  test("is else the first one that is installed", async () => {
    const asked: string[] = [];
    const open = await findDriver({
      builtin: () => undefined,
      async load(name) {
        asked.push(name);
        return name === "libsql" ? none() : { default: Database };
      },
    });
    expect(await open("shop.sqlite")).toBeInstanceOf(Database);
    expect(asked).toEqual(["libsql", "better-sqlite3"]);
  });

  test("none: the error says what to install, and why those that are known did not load", async () => {
    const error = await findDriver({ builtin: () => undefined, load: none }).catch((reason: unknown) => reason);
    expect(isTillSyncError(error, "storage_unavailable")).toBe(true);
    expect((error as Error).message).toContain("npm install libsql");
    expect(((error as Error).cause as AggregateError).errors).toHaveLength(2);
  });
});
