/** The adapter on disks and in pages as Chromium, Firefox and WebKit have them. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { StorageConnection, TransactOptions } from "../../src/client/ports/storage.ts";
import { type IndexedDBOptions, indexedDB } from "../../src/storage/indexeddb/indexeddb.ts";
import { LAYOUT } from "../../src/storage/indexeddb/upgrade.ts";
import { times } from "../support/property.ts";
import { DatabaseProcess, Disk, type Engine, FakeDocument, foreignError, isOurs } from "./engines.ts";
import { counter, hookLog, increment, layout, openRaw, rejection, relaxed, strict } from "./fixtures.ts";

const engines = ["chromium", "firefox", "webkit"] as const;
const RESERVE_BYTES = 100_000;
const ROW_BYTES = 1_000;

let factory: IDBFactory;
beforeEach(() => {
  factory = new IDBFactory();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function open(options: IndexedDBOptions = {}): Promise<StorageConnection> {
  return indexedDB({ factory, reserveBytes: RESERVE_BYTES, watchdogMs: 10_000, ...options }).open(
    "till",
    layout,
    hookLog(),
  );
}

/** A till that has taken its reserve. */
async function openWithReserve(): Promise<StorageConnection> {
  const connection = await open();
  expect(await connection.estimate()).toMatchObject({ full: false });
  return connection;
}

let rows = 0;
function write(connection: StorageConnection, options: TransactOptions, bytes = ROW_BYTES): Promise<void> {
  const key = `s${++rows}`;
  // biome-ignore lint/correctness/useYield: it reads nothing
  return connection.transact(options, function* () {
    return { value: undefined, writes: [{ kind: "put", table: "sales", key, value: "x".repeat(bytes) }] };
  });
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "stored",
    (error) => error.code,
  );

describe.each(engines)("on a full disk of %s", (engine: Engine) => {
  test("sales go on from the reserve; at its end one is refused as `storage_full`; with room again all is as before", async () => {
    const disk = new Disk(engine, 1_000_000);
    const connection = await openWithReserve();
    disk.fill();
    expect(await codeOf(write(connection, strict))).toBe("stored");
    expect(await connection.estimate()).toMatchObject({ full: true });
    let sold = 1;
    for (; sold < 200 && (await codeOf(write(connection, strict))) === "stored"; sold++);
    expect(sold).toBeGreaterThan(50);
    expect(await codeOf(write(connection, strict))).toBe("storage_full");
    expect(await connection.count("sales", {})).toBe(sold);
    disk.capacity += 1_000_000;
    expect(await connection.estimate()).toMatchObject({ full: false });
    disk.fill();
    expect(await codeOf(write(connection, strict))).toBe("stored");
  });

  test("what can be fetched again is refused as `storage_full`, and leaves the reserve to the sales", async () => {
    const disk = new Disk(engine, 1_000_000);
    const connection = await openWithReserve();
    disk.fill();
    expect(await codeOf(write(connection, relaxed))).toBe("storage_full");
    expect(await connection.estimate()).toMatchObject({ full: true });
    expect(await codeOf(write(connection, strict))).toBe("stored");
  });

  test("a group of sales gets the reserve as well, and each is stored once", async () => {
    const disk = new Disk(engine, 1_000_000);
    const connection = await openWithReserve();
    disk.fill(2 * ROW_BYTES);
    const sold = await Promise.all(Array.from({ length: 16 }, () => codeOf(write(connection, strict))));
    expect(new Set(sold)).toEqual(new Set(["stored"]));
    expect(await connection.count("sales", {})).toBe(16);
  });

  test("the first opening is refused as `storage_full`, and makes no empty store", async () => {
    new Disk(engine, 0);
    const error = await rejection(open());
    expect(error).toMatchObject({ code: "storage_full", message: expect.stringContaining("no more space") });
    expect(await factory.databases()).toEqual([]);
  });

  test("a till whose reserve did not fit is full, and sells as long as there is room", async () => {
    const disk = new Disk(engine, 10 * ROW_BYTES);
    const connection = await open();
    expect(await connection.estimate()).toMatchObject({ full: true });
    expect(await codeOf(write(connection, strict))).toBe("stored");
    disk.fill();
    expect(await codeOf(write(connection, strict))).toBe("storage_full");
  });

  test("the reserve that an older version kept inside of the till's database is given up for one of its own", async () => {
    const disk = new Disk(engine, 1_000_000);
    const before = await open({ reserveBytes: 0 });
    await increment(before);
    await before.close();
    const raw = await openRaw(factory, "till");
    await new Promise((resolve) => {
      const transaction = raw.transaction(LAYOUT, "readwrite");
      transaction.objectStore(LAYOUT).put(new Uint8Array(RESERVE_BYTES), "~reserve");
      transaction.oncomplete = resolve;
    });
    const connection = await openWithReserve();
    const store = raw.transaction(LAYOUT).objectStore(LAYOUT);
    const keys = await new Promise((resolve) => {
      const request = store.getAllKeys();
      request.onsuccess = () => resolve(request.result);
    });
    raw.close();
    expect(keys).not.toContain("~reserve");
    expect(await counter(connection)).toBe(1);
    disk.fill();
    expect(await codeOf(write(connection, strict))).toBe("stored");
  });

  /**
   * The law: a till that is full becomes so by a refusal, and stops being so only when there was room beside its reserve, each time for
   * twice as much as the time before. So it can't swing: as long as nothing frees space, it believes in room at most as often as the space that
   * is free can be doubled up to.
   */
  test("a till does not swing between full and not, whatever is free and whatever it would store", async () => {
    const cases = fc.record({
      free: fc.integer({ min: 0, max: 20 * RESERVE_BYTES }),
      shareOfFree: fc.double({ min: 0.2, max: 3, noNaN: true }),
    });
    const property = fc.asyncProperty(cases, async ({ free, shareOfFree }) => {
      const page = Math.ceil(ROW_BYTES + free * shareOfFree);
      vi.restoreAllMocks();
      factory = new IDBFactory();
      const disk = new Disk(engine, 100 * RESERVE_BYTES);
      const connection = await openWithReserve();
      disk.fill(free);
      let swings = 0;
      for (let round = 0; round < 12; round++) {
        const { full } = await connection.estimate();
        if (full) continue;
        if ((await codeOf(write(connection, relaxed, page))) !== "storage_full") disk.fill(free);
        else if ((await connection.estimate()).full === false) swings++;
      }
      await connection.close();
      expect(swings).toBeLessThanOrEqual(Math.max(0, Math.ceil(Math.log2(free / RESERVE_BYTES + 1))));
    });
    await fc.assert(property, times(25));
  });
});

test("the reserve is destroyed with the store", async () => {
  const connection = await openWithReserve();
  expect((await factory.databases()).map(({ name }) => name).sort()).toEqual(["till", "till~reserve"]);
  await connection.destroy();
  expect(await factory.databases()).toEqual([]);
});

test("each till has a reserve of its own, and the tabs of one till share it", async () => {
  const adapter = indexedDB({ factory, reserveBytes: 1 });
  const connections = await Promise.all(["a", "a", "b"].map((name) => adapter.open(name, layout, hookLog())));
  for (const connection of connections) await connection.estimate();
  const names = (await factory.databases()).map(({ name }) => name).sort();
  expect(names).toEqual(["a", "a~reserve", "b", "b~reserve"]);
});

describe("a page whose database process dies", () => {
  let databases: DatabaseProcess;
  let page: FakeDocument;
  beforeEach(() => {
    databases = new DatabaseProcess();
    page = new FakeDocument(databases);
    vi.stubGlobal("indexedDB", databases.document());
    vi.stubGlobal("document", page);
  });
  const attached = () => page.frames.filter(({ isAttached }) => isAttached);

  test("gets a new one by a hidden frame, as often as that happens, and nothing that was stored is lost or doubled", async () => {
    const hooks = hookLog();
    const connection = await indexedDB().open("till", layout, hooks);
    expect(await increment(connection)).toBe(1);
    expect(page.frames).toEqual([]);
    for (const deaths of [1, 2, 3]) {
      databases.die();
      expect(await increment(connection)).toBe(deaths + 1);
      expect(await counter(connection)).toBe(deaths + 1);
      expect(attached()).toEqual([expect.objectContaining({ hidden: true })]);
    }
    expect(hooks).toMatchObject({ failures: [], superseded: 0 });
    for (const { contentWindow } of page.frames) {
      expect(isOurs((contentWindow as { IDBRequest: { prototype: object } }).IDBRequest)).toBe(true);
    }
    await connection.close();
    expect(attached()).toEqual([]);
  });

  test("keeps its reserve, and can be destroyed", async () => {
    const connection = await indexedDB().open("till", layout, hookLog());
    databases.die();
    await increment(connection);
    expect(await connection.estimate()).toMatchObject({ full: false });
    await connection.destroy();
    expect(attached()).toEqual([]);
    const other = await indexedDB().open("till", layout, hookLog());
    expect(await counter(other)).toBeUndefined();
  });

  test("is opened for the first time after that all the same", async () => {
    databases.die();
    const connection = await indexedDB().open("till", layout, hookLog());
    expect(await increment(connection)).toBe(1);
  });

  test.each([
    ["a worker, which has no document", () => vi.stubGlobal("document", undefined)],
    [
      "a page that may have no frames",
      () => {
        page.createElement = () => {
          throw new DOMException("Not here", "NotSupportedError");
        };
      },
    ],
  ])("is told honestly in %s: nothing is said to be stored, and what to do", async (_, prepare) => {
    prepare();
    const hooks = hookLog();
    const connection = await indexedDB().open("till", layout, hooks);
    await increment(connection);
    databases.die();
    const error = await rejection(increment(connection));
    expect(error).toMatchObject({
      code: "storage_unavailable",
      message: expect.stringContaining("Load the page again"),
    });
    expect(error.message).not.toContain("private window");
    expect(hooks.failures).toContain(error);
  });

  test("never takes the place of a factory that was passed", async () => {
    const connection = await indexedDB({ factory: databases.document() }).open("till", layout, hookLog());
    databases.die();
    expect((await rejection(increment(connection))).code).toBe("storage_unavailable");
    expect(page.frames).toEqual([]);
  });
});

describe("an error of another realm", () => {
  const failing = (error: unknown) =>
    ({
      open() {
        throw error;
      },
    }) as unknown as IDBFactory;
  test.each([
    ["QuotaExceededError", "full", "storage_full"],
    ["NotReadableError", "a file is gone", "storage_corrupt"],
    ["UnknownError", "Internal error opening backing store for indexedDB.open.", "storage_corrupt"],
    ["SecurityError", "The operation is insecure.", "storage_unavailable"],
    ["DataError", "no key", "internal"],
  ])("is told by its shape: %s (%s) is `%s`", async (name, message, code) => {
    const error = await rejection(open({ factory: failing(foreignError(message, name)) }));
    expect(error).toMatchObject({ code, cause: { name } });
  });
});
