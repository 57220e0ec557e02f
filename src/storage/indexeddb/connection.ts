/** An open store in IndexedDB: checks that it may still be used, and hands the work to the reader and the writer. */
import type { StorageConnection, StorageRead } from "../../client/ports/storage.ts";
import { assertRead, assertTables } from "../stored-layout.ts";
import { typedError } from "./failures.ts";
import { openLink } from "./link.ts";
import { removeMarker } from "./marker.ts";
import { deleteDatabase, type StoreConfig } from "./open.ts";
import { createReader } from "./reader.ts";
import { createReserve } from "./reserve.ts";
import { estimateSpace } from "./space.ts";
import { withWatchdog } from "./watchdog.ts";
import { createWriter } from "./writer.ts";

export function connect(config: StoreConfig, database: IDBDatabase): StorageConnection {
  const { layout, watchdogMs } = config;
  const reads = new Set<Promise<unknown>>();
  const finished = () => Promise.allSettled([writer.idle(), ...reads]);
  const link = openLink(config, database, finished);
  const reserve = createReserve(config);
  const writer = createWriter(link, config, reserve);
  const ask = createReader(link, watchdogMs, writer.isBusy);

  const connection: StorageConnection = {
    get: (table, keys) => read({ kind: "get", table, keys }),
    scan: (table, options) => read({ kind: "scan", table, options }),
    count: (table, options) => read({ kind: "count", table, options }),
    async transact(options, script) {
      assertOpen();
      assertTables(layout, options.tables);
      return await writer.add(options, script);
    },
    async estimate() {
      assertOpen();
      const kept = withWatchdog(link.database().then(reserve.keep), watchdogMs, "whether there is space");
      const space = await Promise.all([estimateSpace(), track(kept)]);
      return { ...space[0], full: reserve.isFull() };
    },
    async close() {
      await end();
      config.factories.release();
    },
    async destroy() {
      assertOpen();
      await end();
      removeMarker(config.name);
      try {
        await deleteDatabase(config, config.name);
        await reserve.destroy();
      } catch (error) {
        throw await typedError(error);
      } finally {
        config.factories.release();
      }
    },
  };
  return connection;

  async function end(): Promise<void> {
    link.refuse();
    await finished();
    link.close();
  }

  async function read<T>(read: StorageRead): Promise<T> {
    assertOpen();
    assertRead(layout, read);
    return (await track(ask(read), read.table)) as T;
  }

  /** `close` waits for it. */
  async function track<T>(answer: Promise<T>, table?: string): Promise<T> {
    reads.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw await typedError(error, table);
    } finally {
      reads.delete(answer);
    }
  }

  function assertOpen(): void {
    const reason = link.refusal();
    if (reason !== undefined) throw reason;
  }
}
