/** An open store in IndexedDB: who may still use it, and to whom the work goes. (storage/indexeddb) */
import type { StorageConnection, StorageRead } from "../../client/ports/storage.ts";
import { assertRead, assertTables } from "../stored-layout.ts";
import { typedError } from "./failures.ts";
import { openLink } from "./link.ts";
import type { Place } from "./open.ts";
import { deleteDatabase } from "./open.ts";
import { createReader } from "./reader.ts";
import { estimateSpace } from "./space.ts";
import { createWriter } from "./writer.ts";

export function connect(place: Place, database: IDBDatabase): StorageConnection {
  const { layout, watchdogMs } = place;
  const reads = new Set<Promise<unknown>>();
  const finished = () => Promise.allSettled([writer.idle(), ...reads]);
  const link = openLink(place, database, finished);
  const writer = createWriter(link, place);
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
      return await estimateSpace();
    },
    async close() {
      link.end();
      await finished();
      link.close();
    },
    async destroy() {
      assertOpen();
      await connection.close();
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
    const answer = ask(read);
    reads.add(answer);
    try {
      return (await answer) as T;
    } catch (error) {
      throw await typedError(error, read.table);
    } finally {
      reads.delete(answer);
    }
  }

  function assertOpen(): void {
    const reason = link.ended();
    if (reason !== undefined) throw reason;
  }
}
