import type { StorageConnection, StorageLayout } from "../../src/client/ports/storage.ts";
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { createFactories } from "../../src/storage/indexeddb/factories.ts";
import { type IndexedDBOptions, indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { openLink } from "../../src/storage/indexeddb/link.ts";
import { openDatabase, type StoreConfig } from "../../src/storage/indexeddb/open.ts";
import { describeStorageContract } from "../../src/testing/storage-contract.ts";
import {
  counter,
  type HookLog,
  hold,
  hookLog,
  increment,
  layout,
  openRaw,
  rejection,
  relaxed,
  strict,
} from "./fixtures.ts";

describeStorageContract({ describe, it }, "indexedDB", () => indexedDB({ factory: new IDBFactory() }));

let factory: IDBFactory;
let hooks: HookLog;

beforeEach(() => {
  factory = new IDBFactory();
  hooks = hookLog();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function open(options: IndexedDBOptions = {}, wanted: StorageLayout = layout): Promise<StorageConnection> {
  return indexedDB({ factory, ...options }).open("till", wanted, hooks);
}

/**
 * What a call fails with if nothing answers it. First everything happens that can happen, then the watchdog's time passes:
 * on a timer of the test, so that no busy machine makes a store fail that answers.
 */
async function unanswered<T>(call: () => T): Promise<T> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const failed = call();
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(20_000);
  vi.useRealTimers();
  return failed;
}

/** Notes each write transaction that is opened from now on. */
function watchTransactions() {
  const seen: { database: IDBDatabase; transaction: IDBTransaction; durability: unknown }[] = [];
  const original = IDBDatabase.prototype.transaction;
  vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (
    this: IDBDatabase,
    tables,
    mode,
    options,
  ) {
    const transaction = original.call(this, tables, mode, options);
    if (mode === "readwrite") seen.push({ database: this, transaction, durability: options?.durability });
    return transaction;
  });
  return seen;
}

const securityError = () => new DOMException("The operation is insecure.", "SecurityError");

/** As browsers do where site data is blocked. A global is restored after the test. */
function throwingGetter<T extends object>(object: T, name: string, error: unknown = securityError()): T {
  if (object === globalThis) vi.stubGlobal(name, undefined);
  return Object.defineProperty(object, name, {
    configurable: true,
    get() {
      throw error;
    },
  });
}

const many = (count: number) => Array.from({ length: count }, (_, n) => n);

function putMany(connection: StorageConnection, prefix: string, count: number): Promise<void> {
  return connection.transact(strict, function* () {
    const writes = many(count).map((n) => ({ kind: "put", table: "sales", key: `${prefix}${n}`, value: n }) as const);
    return { value: undefined, writes };
  });
}

describe("group commit", () => {
  test("transactions that wait together share one commit, at most 64 of them", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await Promise.all(many(64).map(() => increment(connection)));
    expect(seen).toHaveLength(1);
    await Promise.all(many(200).map(() => increment(connection)));
    expect(seen).toHaveLength(5);
    expect(await counter(connection)).toBe(264);
  });

  test("only those of equal durability share one, in the order in which they were called", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await Promise.all(
      [strict, strict, relaxed, relaxed, relaxed, strict].map((options) => increment(connection, options)),
    );
    expect(seen.map(({ durability }) => durability)).toEqual(["strict", "relaxed", "strict"]);
  });

  test("the option relaxes everything", async () => {
    const connection = await open({ durability: "relaxed" });
    const seen = watchTransactions();
    await increment(connection, strict);
    expect(seen.map(({ durability }) => durability)).toEqual(["relaxed"]);
  });

  test("a long group is split, and all of it is still stored", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await Promise.all(["a", "b", "c", "d"].map((prefix) => putMany(connection, prefix, 600)));
    expect(seen).toHaveLength(2);
    expect(await connection.count("sales", {})).toBe(2_400);
  });

  test("a script that reads nothing at each of its steps stays in its transaction", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await connection.transact(strict, function* () {
      for (let step = 0; step < 50; step++) yield [];
      return { value: 0, writes: [{ kind: "put", table: "counters", key: "n", value: 5 }] };
    });
    expect(seen).toHaveLength(1);
    expect(await counter(connection)).toBe(5);
  });
});

describe("a transaction that aborts", () => {
  /** The disk is full for one sale. */
  function refuse(key: string, name: string) {
    const original = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value, at) {
      const request = original.call(this, value, at);
      if (at === key) (this.transaction as unknown as { _abort(error: string): void })._abort(name);
      return request;
    });
  }

  const sale = (connection: StorageConnection, id: string) =>
    // biome-ignore lint/correctness/useYield: it reads nothing
    connection.transact(strict, function* () {
      return { value: id, writes: [{ kind: "put", table: "sales", key: id, value: { id } }] };
    });

  test("does not affect the others: they are stored, and it rejects with `storage_full` and the space", async () => {
    vi.stubGlobal("navigator", {
      storage: { estimate: async () => ({ usage: 900, quota: 1_000 }), persisted: async () => true },
    });
    const connection = await open();
    refuse("big", "QuotaExceededError");
    const seen = watchTransactions();
    const sales = ["s1", "big", "s2", "s3"].map((id) => sale(connection, id));
    const error = await rejection(sales[1]!);
    expect(error).toMatchObject({ code: "storage_full", details: { usedBytes: 900, quotaBytes: 1_000 } });
    expect(error.message).toContain("Nothing was stored");
    expect(await Promise.all([sales[0], sales[2], sales[3]])).toEqual(["s1", "s2", "s3"]);
    expect(await connection.count("sales", {})).toBe(3);
    // All together, then each alone, once.
    expect(seen).toHaveLength(5);
    expect(hooks.failures).toEqual([]);
  });

  test("a script that threw because of another script's undone write runs again", async () => {
    const connection = await open();
    refuse("poison", "QuotaExceededError");
    const poisoned = connection.transact(strict, function* () {
      yield [];
      const writes = [
        { table: "counters", key: "n", value: -1 },
        { table: "sales", key: "poison", value: 1 },
      ];
      return { value: 0, writes: writes.map((write) => ({ kind: "put", ...write }) as const) };
    });
    const next = connection.transact(strict, function* () {
      const [answer] = yield [{ kind: "get", table: "counters", keys: ["n"] }];
      if ((answer as number[])[0] === -1) throw new Error("out of stock");
      return { value: "sold", writes: [] };
    });
    await expect(poisoned).rejects.toMatchObject({ code: "storage_full" });
    await expect(next).resolves.toBe("sold");
  });

  test("again and again, without a reason, ends in `storage_unavailable`", async () => {
    const connection = await open();
    refuse("cursed", "UnknownError");
    const error = await rejection(sale(connection, "cursed"));
    expect(error.code).toBe("storage_unavailable");
    expect(await sale(connection, "s1")).toBe("s1");
  });
});

describe("a dead connection", () => {
  test("is replaced, and the call that found it dead runs again", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await increment(connection);
    seen[0]!.database.close();
    expect(await increment(connection)).toBe(2);
    seen.at(-1)!.database.close();
    expect(await counter(connection)).toBe(2);
    expect(hooks).toMatchObject({ failures: [], superseded: 0 });
  });

  test("that the platform closes is replaced immediately", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await increment(connection);
    const { database } = seen[0]!;
    const opened = vi.spyOn(factory, "open");
    database.close();
    database.onclose?.(new Event("close"));
    expect(opened).toHaveBeenCalledTimes(1); // before any call needs it
    expect(await Promise.all([increment(connection), counter(connection)])).toEqual([2, expect.any(Number)]);
    expect(opened).toHaveBeenCalledTimes(1);
  });

  test("that is reported again after it was replaced does not cost the new connection", async () => {
    const config: StoreConfig = {
      factories: createFactories(factory, false),
      name: "till",
      layout,
      hooks,
      watchdogMs: 10_000,
      durability: "strict",
      reserveBytes: 0,
    };
    const first = await openDatabase(config);
    if (first === undefined) throw new Error("it was superseded");
    const link = openLink(config, first, async () => {});
    link.drop(first);
    const second = await link.database();
    link.drop(first);
    expect(second).not.toBe(first);
    expect(await link.database()).toBe(second);
    link.close();
  });

  test("that is being replaced when the store is closed leaves nothing open", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await increment(connection);
    const { database } = seen[0]!;
    database.close();
    database.onclose?.(new Event("close"));
    await connection.close();
    await (await openRaw(factory, "till", 99)).close();
    expect(hooks).toMatchObject({ failures: [], superseded: 0 });
  });

  test.each([
    ["was stored", "commit"],
    ["was not stored", "abort"],
  ] as const)("a commit whose answer is lost, and which %s, counts once", async (_, fate) => {
    const connection = await open();
    await increment(connection); // the row exists before, so its existence proves nothing
    let runs = 0;
    vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(function (this: IDBTransaction) {
      const { onabort } = this;
      this.oncomplete = (event) => onabort?.call(this, event);
      if (fate === "abort") this.abort();
      // Otherwise the transaction ends automatically, and says that it was aborted.
    });
    const value = await connection.transact(strict, function* () {
      runs++;
      const [answer] = yield [{ kind: "get", table: "counters", keys: ["n"] }];
      const next = ((answer as (number | undefined)[])[0] ?? 0) + 1;
      return { value: next, writes: [{ kind: "put", table: "counters", key: "n", value: next }] };
    });
    expect(value).toBe(2);
    expect(await counter(connection)).toBe(2);
    expect(runs).toBe(fate === "abort" ? 2 : 1);
  });

  describe("that dies again while a lost commit is looked up", () => {
    /** The connection dies `times` times when the counters are read outside of a write. */
    function loseAnswerAndChecks(times: number) {
      vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(function (this: IDBTransaction) {
        const { onabort } = this;
        this.oncomplete = (event) => onabort?.call(this, event);
      });
      const original = IDBDatabase.prototype.transaction;
      const used = new Set<IDBDatabase>();
      vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (
        this: IDBDatabase,
        tables,
        mode,
        options,
      ) {
        if (mode === "readwrite" || ![...tables].includes("counters") || used.size >= times)
          return original.call(this, tables, mode, options);
        used.add(this);
        throw new DOMException("The database connection is closing", "InvalidStateError");
      });
      return used;
    }

    test("is replaced, and the look is repeated: the write counts once", async () => {
      const connection = await open();
      await increment(connection);
      const used = loseAnswerAndChecks(2);
      expect(await increment(connection)).toBe(2);
      expect(used.size).toBe(2); // never the same connection twice
      expect(await counter(connection)).toBe(2);
      expect(hooks).toMatchObject({ failures: [], superseded: 0 });
    });

    test("again and again, ends in `storage_unavailable`, which does not claim whether anything was stored", async () => {
      const connection = await open();
      const used = loseAnswerAndChecks(4);
      const error = await rejection(increment(connection));
      expect(error).toMatchObject({ code: "storage_unavailable", cause: { name: "InvalidStateError" } });
      expect(error.message).toContain("it is not known whether it was done");
      expect(used.size).toBe(4);
      expect(await counter(connection)).toBe(1);
      expect(await increment(connection)).toBe(2);
    });
  });

  test("of a database that was deleted while open fails loudly, and does not create an empty one", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await increment(connection);
    seen[0]!.database.close();
    await new Promise((resolve) => {
      factory.deleteDatabase("till").onsuccess = resolve;
    });
    const error = await rejection(increment(connection));
    expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("deleted") });
    expect(hooks.failures).toEqual([error]);
    expect(await factory.databases()).toEqual([]);
  });

  test("of a database that a newer version has changed meanwhile is superseded, and changes nothing back", async () => {
    const connection = await open();
    const seen = watchTransactions();
    await increment(connection);
    seen[0]!.database.close();
    const newer = await indexedDB({ factory }).open("till", { ...layout, format: 2 }, hookLog());
    await expect(increment(connection)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(hooks).toMatchObject({ failures: [], superseded: 1 });
    expect(await counter(newer)).toBe(1);
  });
});

test("a connection that is replaced finds indexes of another version: it is superseded, and changes nothing back", async () => {
  const connection = await open();
  const seen = watchTransactions();
  await increment(connection);
  seen[0]!.database.close();
  const by = { name: "by", signature: "2", keys: () => [] };
  const other = { ...layout, tables: layout.tables.map((table) => ({ ...table, indexes: [by] })) };
  await (await indexedDB({ factory }).open("till", other, hookLog())).close();
  const { version } = await openRaw(factory, "till");
  await expect(increment(connection)).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(hooks).toMatchObject({ failures: [], superseded: 1 });
  expect((await openRaw(factory, "till")).version).toBe(version);
});

describe("a platform that does not answer", () => {
  test("a write and a read that a frozen tab blocks fail, and work again when the tab is gone", async () => {
    const connection = await open();
    await increment(connection);
    const frozen = await openRaw(factory, "till");
    const release = await hold(frozen, ["counters", "sales"]);
    const asked = vi.spyOn(IDBDatabase.prototype, "transaction");
    const timesAsked = (mode: IDBTransactionMode | undefined) =>
      asked.mock.calls.filter(([tables, given]) => given === mode && [...tables].includes("counters")).length;
    // It does not run again, not even alone: the caller has waited long enough, and it is not known what was done.
    const writes = () => Promise.all([rejection(increment(connection)), rejection(increment(connection))]);
    for (const error of await unanswered(writes))
      expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("a sale") });
    expect(timesAsked("readwrite")).toBe(1);
    asked.mockClear();
    expect((await unanswered(() => rejection(connection.get("counters", ["n"])))).code).toBe("storage_unavailable");
    expect(asked.mock.calls.filter(([tables]) => tables === "counters")).toHaveLength(1);
    await release();
    expect(await increment(connection)).toBe(2);
    expect(await counter(connection)).toBe(2);
  });

  test("a commit that is never confirmed fails", async () => {
    const connection = await open();
    vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(function (this: IDBTransaction) {
      this.oncomplete = null;
    });
    const seen = watchTransactions();
    expect((await unanswered(() => rejection(increment(connection)))).code).toBe("storage_unavailable");
    // It was stored, which the adapter could not know. The silent connection is not used again.
    expect(await increment(connection)).toBe(2);
    expect(seen.at(-1)?.database).not.toBe(seen[0]?.database);
  });

  test("a long piece of work is not mistaken for silence", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const connection = await open({ watchdogMs: 60 });
    const value = await connection.transact(strict, function* () {
      for (let step = 0; step < 30; step++) {
        vi.advanceTimersByTime(25);
        yield [{ kind: "get", table: "counters", keys: ["n"] }];
      }
      return { value: "done", writes: [] };
    });
    expect(value).toBe("done");
  });

  test("nor is an upgrade over many rows", async () => {
    const before = await open();
    await putMany(before, "s", 30);
    await before.close();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const keys = () => {
      vi.advanceTimersByTime(25);
      return ["all"];
    };
    const sales = { name: "sales", indexes: [{ name: "slow", signature: "1", keys }] };
    const connection = await open({ watchdogMs: 60 }, { ...layout, tables: [layout.tables[0]!, sales] });
    expect(await connection.count("sales", { index: "slow" })).toBe(30);
  });

  test("an opening that is never answered fails, and is closed if the answer arrives later", async () => {
    const real = await openRaw(factory, "other");
    const close = vi.spyOn(real, "close");
    const request = { result: real } as IDBOpenDBRequest;
    const mute = { open: () => request } as unknown as IDBFactory;
    const error = await unanswered(() => rejection(open({ factory: mute })));
    expect(error.code).toBe("storage_unavailable");
    request.onsuccess?.(new Event("success"));
    expect(close).toHaveBeenCalled();
  });
});

describe("other tabs", () => {
  const changed: StorageLayout = { ...layout, tables: [...layout.tables, { name: "more", indexes: [] }] };

  test("an upgrade that another tab blocks says so, and is not done later without notice", async () => {
    await (await open()).close();
    const stubborn = await openRaw(factory, "till");
    const error = await unanswered(() => rejection(open({}, changed)));
    expect(error).toMatchObject({
      code: "storage_unavailable",
      message: expect.stringContaining("Close the other tabs"),
    });
    stubborn.close();
    const after = await openRaw(factory, "till");
    expect([after.version, after.objectStoreNames.contains("more")]).toEqual([1, false]);
    after.close();
    const connection = await open({}, changed);
    expect(await connection.count("more", {})).toBe(0);
  });

  test("an upgrade waits for a tab that closes in time", async () => {
    await (await open()).close();
    const slow = await openRaw(factory, "till");
    const original = factory.open.bind(factory);
    let blocked = 0;
    vi.spyOn(factory, "open").mockImplementation((...what) => {
      const request = original(...what);
      request.addEventListener("blocked", () => {
        blocked += 1;
        slow.close();
      });
      return request;
    });
    const connection = await open({}, changed);
    expect(blocked).toBe(1);
    expect(await connection.count("more", {})).toBe(0);
  });

  test("a newer version can open the store: work that has begun is finished, then the connection closes", async () => {
    const connection = await open();
    const begun = many(100).map(() => increment(connection));
    const newer = await openRaw(factory, "till", 99);
    expect((await Promise.all(begun)).at(-1)).toBe(100);
    expect(hooks).toMatchObject({ failures: [], superseded: 1 });
    const error = await rejection(increment(connection));
    expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("Reload") });
    newer.close();
    await connection.close();
  });

  test("two tabs that change the store to the same new layout at the same time both succeed", async () => {
    await (await open()).close();
    const tabs = await Promise.allSettled([open({}, changed), open({}, changed)]);
    expect(tabs.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  });

  test("a store that another tab keeps open can't be destroyed, and says so", async () => {
    const connection = await open();
    const stubborn = await openRaw(factory, "till");
    const error = await unanswered(() => rejection(connection.destroy()));
    expect(error).toMatchObject({
      code: "storage_unavailable",
      message: expect.stringContaining("Close the other tabs"),
    });
    stubborn.close();
  });
});

describe("a database that can't be opened", () => {
  /** A factory that fails `times` times, then works. */
  function failing(name: string, message: string, times = Number.POSITIVE_INFINITY) {
    let failures = 0;
    return {
      open: (...what: Parameters<IDBFactory["open"]>) => {
        if (failures++ >= times) return factory.open(...what);
        const request = { error: new DOMException(message, name) } as IDBOpenDBRequest;
        setTimeout(() => request.onerror?.(new Event("error")));
        return request;
      },
    } as unknown as IDBFactory;
  }

  test("for a moment is opened all the same", async () => {
    const connection = await open({
      factory: failing("UnknownError", "Connection to Indexed Database server lost", 2),
    });
    expect(await increment(connection)).toBe(1);
  });

  test("because its files are broken is `storage_corrupt`, and is not deleted", async () => {
    const deleteDatabase = vi.spyOn(factory, "deleteDatabase");
    const broken = failing("UnknownError", "Internal error opening backing store for indexedDB.open.");
    expect((await rejection(open({ factory: broken }))).code).toBe("storage_corrupt");
    expect(deleteDatabase).not.toHaveBeenCalled();
  });

  test("in a private window is `storage_unavailable`, with what to do", async () => {
    const error = await rejection(
      open({ factory: failing("InvalidStateError", "A mutation operation was attempted") }),
    );
    expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("private window") });
  });

  test("because the disk is full is `storage_full`", async () => {
    expect((await rejection(open({ factory: failing("QuotaExceededError", "full") }))).code).toBe("storage_full");
  });

  test("because there is no IndexedDB is `storage_unavailable`, and never memory instead", async () => {
    vi.stubGlobal("indexedDB", undefined);
    const error = await rejection(indexedDB().open("till", layout, hooks));
    expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("normal window") });
  });

  test.each([new DOMException("The operation is insecure.", "SecurityError"), new Error("blocked by an extension")])(
    "because IndexedDB throws when it is read (%s) is `storage_unavailable`, with what to do",
    async (cause) => {
      throwingGetter(globalThis, "indexedDB", cause);
      const error = await rejection(indexedDB().open("till", layout, hooks));
      expect(error).toMatchObject({
        code: "storage_unavailable",
        details: { adapter: "indexeddb" },
        message: expect.stringContaining("Allow site data"),
        cause,
      });
    },
  );

  test("because its keys can't be computed is left as it was", async () => {
    const before = await open();
    await increment(before);
    await before.close();
    const keys = () => {
      throw new RangeError("a defect in an index");
    };
    const broken = { ...layout, tables: [{ name: "counters", indexes: [{ name: "i", signature: "1", keys }] }] };
    const error = await rejection(open({}, broken));
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(await counter(await open())).toBe(1);
  });
});

describe("the platform's promises", () => {
  test("are requested once, after opening, and never waited for", async () => {
    const persist = vi.fn(() => new Promise<boolean>(() => {}));
    vi.stubGlobal("navigator", { storage: { persist } });
    const adapter = indexedDB({ factory });
    await adapter.open("till", layout, hooks);
    await adapter.open("till", layout, hooks);
    expect(persist).toHaveBeenCalledTimes(1);
    await open({ persist: false });
    expect(persist).toHaveBeenCalledTimes(1);
  });

  test("are reported by estimate, as far as they are known", async () => {
    const connection = await open();
    vi.stubGlobal("navigator", {});
    const nothing = { persisted: false, usedBytes: undefined, quotaBytes: undefined, full: false };
    expect(await connection.estimate()).toEqual(nothing);
    vi.stubGlobal("navigator", {
      storage: { persisted: async () => true, estimate: async () => ({ usage: 1, quota: 2 }) },
    });
    expect(await connection.estimate()).toEqual({ persisted: true, usedBytes: 1, quotaBytes: 2, full: false });
  });
});

describe("a platform object that throws when it is only read", () => {
  const manager = () => ({ persist: async () => true, persisted: async () => true, estimate: async () => ({}) });
  const storageOf = (storage: object) => vi.stubGlobal("navigator", { userAgent: "Chromium", storage });
  const cases: Record<string, () => void> = {
    navigator: () => throwingGetter(globalThis, "navigator"),
    "navigator.userAgent": () => vi.stubGlobal("navigator", throwingGetter({ storage: manager() }, "userAgent")),
    "navigator.storage": () => vi.stubGlobal("navigator", throwingGetter({ userAgent: "Chromium" }, "storage")),
    "navigator.storage.persist": () => storageOf(throwingGetter(manager(), "persist")),
    "navigator.storage.persisted": () => storageOf(throwingGetter(manager(), "persisted")),
    "navigator.storage.estimate": () => storageOf(throwingGetter(manager(), "estimate")),
    "an estimate's usage": () => storageOf({ ...manager(), estimate: async () => throwingGetter({}, "usage") }),
    localStorage: () => throwingGetter(globalThis, "localStorage"),
  };
  test.each(Object.keys(cases))("counts as absent: %s", async (name) => {
    cases[name]?.();
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const adapter = indexedDB({ factory });
    const connection = await adapter.open("till", layout, hooks);
    await increment(connection);
    expect(await counter(connection)).toBe(1);
    expect(await connection.estimate()).toMatchObject({ usedBytes: undefined, full: false });
    adapter.marker?.write("till", "1");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(adapter.marker?.read("till")).toBeUndefined();
    await connection.destroy();
    process.off("unhandledRejection", note);
    expect([unhandled, hooks.failures]).toEqual([[], []]);
  });

  test.each(["persist", "persisted", "estimate"])("so does %s if it throws when it is called", async (method) => {
    const refuse = () => {
      throw securityError();
    };
    storageOf({ ...manager(), [method]: refuse });
    const connection = await open();
    expect(await connection.estimate()).toMatchObject({ usedBytes: undefined, quotaBytes: undefined, full: false });
  });

  test("hides no other failure: a full disk is still `storage_full`", async () => {
    throwingGetter(globalThis, "navigator");
    const full = new DOMException("no space", "QuotaExceededError");
    vi.spyOn(factory, "open").mockImplementation(() => {
      throw full;
    });
    expect(await rejection(open())).toMatchObject({ code: "storage_full", details: { usedBytes: undefined } });
  });

  test("the source of random bytes: neither the reserve nor the opening fails for it", async () => {
    vi.stubGlobal("navigator", { userAgent: "Chromium", storage: manager() });
    const before = await open();
    await increment(before);
    await before.close();
    throwingGetter(globalThis, "crypto");
    const connection = await open();
    expect(await connection.estimate()).toMatchObject({ full: false });
    await increment(connection);
    expect(await counter(connection)).toBe(2);
  });

  test("the key ranges: a read and a write are typed errors", async () => {
    const connection = await open();
    throwingGetter(globalThis, "IDBKeyRange");
    const range = { lower: "a", upper: "z" };
    const reads = [connection.scan("sales", { range }), connection.count("sales", { range })];
    for (const read of reads) expect(await rejection(read)).toMatchObject({ code: "storage_unavailable" });
    const write = connection.transact(strict, function* () {
      yield [{ kind: "scan", table: "sales", options: { range } }];
      return { value: undefined, writes: [] };
    });
    expect(await rejection(write)).toMatchObject({ code: "storage_unavailable" });
  });
});

test("reads that follow each other share a transaction; none does while a write waits", async () => {
  const connection = await open();
  const transaction = vi.spyOn(IDBDatabase.prototype, "transaction");
  for (const _ of many(64)) await counter(connection);
  expect(transaction).toHaveBeenCalledTimes(2);
  transaction.mockClear();
  const write = increment(connection);
  await Promise.all([counter(connection), counter(connection), write]);
  expect(transaction).toHaveBeenCalledTimes(3);
});

test("a scan that finds the shared transaction inactive opens another one, and no connection is dropped", async () => {
  const connection = await open();
  await putMany(connection, "s", 3);
  const opening = vi.spyOn(factory, "open");
  const first = connection.scan("sales", {});
  const inactive = new DOMException("It is not active", "TransactionInactiveError");
  const original = IDBObjectStore.prototype.getAllKeys;
  let calls = 0;
  vi.spyOn(IDBObjectStore.prototype, "getAllKeys").mockImplementation(function (this: IDBObjectStore, ...what) {
    if (++calls === 2) throw inactive;
    return original.apply(this, what);
  });
  const scans = await Promise.all([first, connection.scan("sales", {})]);
  expect(scans.map((rows) => rows.length)).toEqual([3, 3]);
  expect(calls).toBe(3);
  expect(opening).not.toHaveBeenCalled();
});

test("wrong options are refused with what was expected", () => {
  expect(() => indexedDB({ durability: "safe" as "strict" })).toThrow(/"strict" or "relaxed"/);
  expect(() => indexedDB({ watchdogMs: 0 })).toThrow(/watchdogMs/);
});

describe("the reserve", () => {
  /** The platform's answer to writes under this key, as long as it is set. */
  function refuse(name: string, where: (key: unknown) => boolean) {
    const put = IDBObjectStore.prototype.put;
    return vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value, key) {
      if (where(key)) throw new DOMException("refused", name);
      return put.call(this, value, key);
    });
  }
  const isReserve = (key: unknown) => key === "~reserve";

  test("that can't be taken, for a reason other than space, keeps no call from the store", async () => {
    const refusal = refuse("UnknownError", isReserve);
    const connection = await open();
    expect(await connection.estimate()).toMatchObject({ full: false });
    expect(await increment(connection)).toBe(1);
    refusal.mockRestore();
  });

  test("of 0 bytes: a full disk is reported until there is room again", async () => {
    const connection = await indexedDB({ reserveBytes: 0 }).open("no-reserve", layout, hookLog());
    const refusal = refuse("QuotaExceededError", () => true);
    expect(await rejection(increment(connection, relaxed))).toMatchObject({ code: "storage_full" });
    expect(await connection.estimate()).toMatchObject({ full: true });
    refusal.mockRestore();
    expect(await connection.estimate()).toMatchObject({ full: false });
    await connection.close();
  });
});
