/** Counts what IndexedDB hands out, whoever asked: rows and keys, through lists and cursors alike. */

type Method = (...args: unknown[]) => IDBRequest;

const READS = ["get", "getAll", "getKey", "getAllKeys", "openCursor", "openKeyCursor", "count"] as const;

let handedOut = 0;
let isCounting = false;

/** Rows, keys and counts that were answered while `work` ran. */
export async function countingRows<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly rows: number }> {
  watchAll();
  const before = handedOut;
  const value = await work();
  return { value, rows: handedOut - before };
}

function watchAll(): void {
  if (isCounting) return;
  isCounting = true;
  for (const source of [IDBObjectStore.prototype, IDBIndex.prototype]) {
    for (const name of READS) {
      const method = source[name] as Method;
      Object.defineProperty(source, name, {
        configurable: true,
        writable: true,
        value(this: unknown, ...args: unknown[]) {
          const request = method.apply(this, args);
          // A cursor answers its request once for each row.
          request.addEventListener("success", () => {
            const { result } = request;
            handedOut += Array.isArray(result) ? result.length : result === undefined || result === null ? 0 : 1;
          });
          return request;
        },
      });
    }
  }
}
