/** Live queries: a value that a binding can read at any time and subscribe to. */
import { type AnyTillSyncError, isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import { type AppRecord, metaOf, recordOf } from "../decide/record.ts";
import type { StoredRow } from "../state/rows.ts";
import { unsubscribe } from "../tab/emitter.ts";
import type { QuerySnapshot } from "../types/collections.ts";
import type { RecordMeta } from "../types/record.ts";
import type { Live } from "../types/shape.ts";

/** What a live value reads, and when it must read again. */
export interface LiveSource<T> {
  /** The value before the first read. */
  readonly initial: T;
  read(before: T): Promise<T>;
  /** The value to show after a read that failed. */
  failed(before: T, error: AnyTillSyncError): T;
  /** Calls back whenever the value may have changed. Returns a function that ends this. */
  subscribe(changed: () => void): () => void;
}

/**
 * Does nothing until the first listener subscribes. Reads never overlap: whatever changes during one causes one more.
 * Only a read replaces the value, so `getSnapshot` returns the same object until something changes. `threw` receives
 * what a listener throws: it must not keep the value from the other listeners, or stop the live query.
 */
export function live<T>(source: LiveSource<T>, threw: (error: unknown) => void): Live<T> {
  let value = source.initial;
  let stop: (() => void) | undefined;
  let reading = false;
  let again = false;
  const listeners = new Set<(value: T) => void>();

  const refresh = async (): Promise<void> => {
    again = true;
    if (reading) return;
    reading = true;
    while (again && listeners.size > 0) {
      again = false;
      const before = value;
      try {
        value = await source.read(before);
      } catch (cause) {
        value = source.failed(
          before,
          isTillSyncError(cause)
            ? cause
            : new TillSyncError("internal", "A live query could not be read.", {}, { cause }),
        );
      }
      if (value !== before) for (const listener of [...listeners]) listener(value);
    }
    reading = false;
  };

  return {
    getSnapshot: () => value,
    subscribe(listener) {
      const call = (next: T) => {
        try {
          listener(next);
        } catch (error) {
          threw(error);
        }
      };
      listeners.add(call);
      if (listeners.size === 1) stop = source.subscribe(() => void refresh());
      call(value);
      void refresh();
      return unsubscribe(() => {
        if (!listeners.delete(call) || listeners.size > 0) return;
        stop?.();
        stop = undefined;
      });
    },
  };
}

/** A snapshot together with its stored rows, by which the next one finds out what has changed. */
export interface RowsSnapshot extends QuerySnapshot<AppRecord> {
  readonly stored: ReadonlyMap<string, StoredRow>;
}

export const loadingRows: RowsSnapshot = /* @__PURE__ */ snapshot([], new Map(), {
  loading: true,
  more: false,
  complete: false,
  error: undefined,
});

/**
 * The next snapshot: `before` itself if nothing differs, and the same record objects for rows that have not changed.
 */
export function nextSnapshot(
  before: RowsSnapshot,
  rows: readonly StoredRow[],
  more: boolean,
  complete: boolean,
): RowsSnapshot {
  const stored = new Map(rows.map((row) => [row.id, row]));
  const known = new Map(before.rows.map((record) => [record.id, record]));
  const records = rows.map((row) => {
    const same = known.get(row.id);
    return same && before.stored.get(row.id)?.rev === row.rev ? same : recordOf(row.id, row.data ?? {});
  });
  const unchanged =
    !before.loading &&
    before.error === undefined &&
    before.more === more &&
    before.complete === complete &&
    before.rows.length === rows.length &&
    rows.every((row, index) => before.rows[index]?.id === row.id && before.stored.get(row.id)?.rev === row.rev);
  return unchanged ? before : snapshot(records, stored, { loading: false, more, complete, error: undefined });
}

/** A snapshot whose `meta` reads the given stored rows. */
export function snapshot(
  rows: readonly AppRecord[],
  stored: ReadonlyMap<string, StoredRow>,
  state: Pick<RowsSnapshot, "loading" | "more" | "complete" | "error">,
): RowsSnapshot {
  const meta = (id: string): RecordMeta => {
    const row = stored.get(id);
    if (row === undefined)
      throw new TillSyncError("not_found", `\`${id}\` is not a row of this snapshot. Ask collection.meta(id).`, {
        collection: "",
        id,
      });
    return metaOf(row);
  };
  return { ...state, rows, stored, meta };
}
