/** An open store in IndexedDB: who may still use it, and to whom the work goes. */
import type { StorageConnection, StorageRead } from "../../client/ports/storage.ts";
import { assertRead, assertTables } from "../stored-layout.ts";
import { typedError } from "./failures.ts";
import { openLink } from "./link.ts";
import { removeMarker } from "./marker.ts";
import { deleteDatabase, type Place } from "./open.ts";
import { createReader } from "./reader.ts";
import { createReserve } from "./reserve.ts";
import { estimateSpace } from "./space.ts";
import { answered } from "./watchdog.ts";
import { createWriter } from "./writer.ts";

export function connect(place: Place, database: IDBDatabase): StorageConnection {
  const { layout, watchdogMs } = place;
  const reads = new Set<Promise<unknown>>();
  const finished = () => Promise.allSettled([writer.idle(), ...reads]);
  const link = openLink(place, database, finished);
  const reserve = createReserve(place.reserveBytes);
  const writer = createWriter(link, place, reserve);
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
      const kept = answered(link.database().then(reserve.keep), watchdogMs, "whether there is space");
      const space = await Promise.all([estimateSpace(), track(kept)]);
      return { ...space[0], full: reserve.isFull() };
    },
    async close() {
      link.end();
      await finished();
      link.close();
    },
    async destroy() {
      assertOpen();
      await connection.close();
      removeMarker(place.name);
      try {
        await deleteDatabase(place);
      } catch (error) {
        throw await typedError(error);
      }
    },
  };
  return connection;

  async function read<T>(read: StorageRead): Promise<T> {
    assertOpen();
    assertRead(layout, read);
    return (await track(ask(read), read.table)) as T;
  }

  /** What `close` waits for. */
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
    const reason = link.ended();
    if (reason !== undefined) throw reason;
  }
}
