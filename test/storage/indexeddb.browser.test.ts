import { afterEach, describe, expect, it, test } from "vitest";
import type { StorageConnection } from "../../src/client/ports/storage.ts";
import { indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { LAYOUT } from "../../src/storage/indexeddb/upgrade.ts";
import { describeStorageContract } from "../../src/testing/storage-contract.ts";
import { counter, hold, hookLog, increment, layout, openRaw, rejection, relaxed, strict } from "./fixtures.ts";

const platform = globalThis.indexedDB;

async function deleteAll(): Promise<void> {
  for (const { name } of await platform.databases()) {
    await new Promise((resolve) => {
      platform.deleteDatabase(name!).onsuccess = resolve;
    });
  }
}

describeStorageContract({ describe, it }, "indexedDB", () => ({ adapter: indexedDB(), cleanup: deleteAll }));

describe("in this browser", () => {
  const opened: StorageConnection[] = [];
  const open = async (watchdogMs = 10_000, wanted = layout, hooks = hookLog()) => {
    const connection = await indexedDB({ watchdogMs }).open("till", wanted, hooks);
    opened.push(connection);
    return connection;
  };

  const transaction = IDBDatabase.prototype.transaction;
  let seen: IDBTransaction[] = [];

  afterEach(async () => {
    IDBDatabase.prototype.transaction = transaction;
    seen = [];
    for (const connection of opened.splice(0)) await connection.close();
    await deleteAll();
  });

  /** Notes each transaction that is opened from now on, except the one that compacts the log after an opening. */
  function watchTransactions() {
    IDBDatabase.prototype.transaction = function (...what) {
      const opening = transaction.apply(this, what);
      if (what[0] !== LAYOUT) seen.push(opening);
      return opening;
    };
  }

  test("strict is strict, and relaxed is relaxed", async () => {
    const connection = await open();
    watchTransactions();
    await increment(connection, strict);
    await increment(connection, relaxed);
    expect(seen.map(({ mode, durability }) => [mode, durability])).toEqual([
      ["readwrite", "strict"],
      ["readwrite", "relaxed"],
    ]);
  });

  test("a read while the previous one is under way uses another transaction, on the same connection", async () => {
    let openings = 0;
    const factory = {
      open: (name: string, version?: number) => {
        openings++;
        return platform.open(name, version);
      },
    } as IDBFactory;
    const connection = await indexedDB({ factory }).open("till", layout, hookLog());
    opened.push(connection);
    const openedWith = openings;
    watchTransactions();
    for (const keys of [["s1"], Array.from({ length: 100 }, (_, n) => `s${n}`)]) {
      const { port1, port2 } = new MessageChannel();
      const anotherTask = new Promise((resolve) => {
        port1.onmessage = resolve;
      });
      const first = connection.get("sales", keys);
      port2.postMessage("next");
      await anotherTask;
      expect(await connection.get("sales", keys)).toHaveLength(keys.length);
      await first;
    }
    expect(openings).toBe(openedWith);
    expect(seen.length).toBeGreaterThan(1);
  });

  test("2,000 sales at once take about 32 commits, and none is lost", async () => {
    const connection = await open();
    watchTransactions();
    await Promise.all(Array.from({ length: 2_000 }, () => increment(connection)));
    expect(seen).toHaveLength(Math.ceil(2_000 / 64));
    expect(await counter(connection)).toBe(2_000);
  });

  test("reads that follow each other share a transaction", async () => {
    const connection = await open();
    watchTransactions();
    for (let n = 0; n < 64; n++) await counter(connection);
    expect(seen).toHaveLength(2);
  });

  test("a value that can't be cloned fails its own script only", async () => {
    const connection = await open();
    const bad = connection.transact(strict, function* () {
      return { value: 0, writes: [{ kind: "put", table: "sales", key: "bad", value: { socket: () => 0 } }] };
    });
    const good = increment(connection);
    expect(await rejection(bad)).toMatchObject({ code: "internal", cause: { name: "DataCloneError" } });
    expect(await good).toBe(1);
  });

  test("a dead connection is replaced, and what was called runs again", async () => {
    const connection = await open();
    watchTransactions();
    await increment(connection);
    seen[0]!.db.close();
    expect(await increment(connection)).toBe(2);
    seen.at(-1)!.db.close();
    expect(await counter(connection)).toBe(2);
  });

  test("a commit that was stored but whose answer is lost counts once", async () => {
    const connection = await open();
    const { commit } = IDBTransaction.prototype;
    IDBTransaction.prototype.commit = function () {
      IDBTransaction.prototype.commit = commit;
      const { onabort } = this;
      this.oncomplete = (event) => onabort?.call(this, event);
      commit.call(this);
    };
    expect(await increment(connection)).toBe(1);
    expect(await counter(connection)).toBe(1);
  });

  test("a write that a frozen tab blocks fails, and works again when the tab is gone", async () => {
    const connection = await open(150);
    const frozen = await openRaw(platform, "till");
    const release = await hold(frozen, ["counters", "sales"]);
    expect((await rejection(increment(connection))).code).toBe("storage_unavailable");
    await release();
    frozen.close();
    expect(await increment(connection)).toBe(1);
  });

  test("an upgrade that another tab blocks says so, and is not done later without notice", async () => {
    await (await open()).close();
    const stubborn = await openRaw(platform, "till");
    const changed = { ...layout, tables: [...layout.tables, { name: "more", indexes: [] }] };
    const error = await rejection(open(150, changed));
    expect(error).toMatchObject({
      code: "storage_unavailable",
      message: expect.stringContaining("Close the other tabs"),
    });
    stubborn.close();
    const after = await openRaw(platform, "till");
    expect([after.version, after.objectStoreNames.contains("more")]).toEqual([1, false]);
    after.close();
    expect(await (await open(10_000, changed)).count("more", {})).toBe(0);
  });

  test("a newer version in another tab can open the store", async () => {
    const hooks = hookLog();
    const connection = await open(10_000, layout, hooks);
    const begun = increment(connection);
    const newer = await openRaw(platform, "till", 99);
    expect(await begun).toBe(1);
    expect(hooks).toMatchObject({ failures: [], superseded: 1 });
    newer.close();
  });

  test("the space is known", async () => {
    const { quotaBytes, usedBytes } = await (await open()).estimate();
    expect(quotaBytes).toBeGreaterThan(0);
    expect(usedBytes).toBeGreaterThanOrEqual(0);
  });
});
