/** One collection, as an app uses it. It wires reads, live queries and writes together, and holds no rule. */

import { changesBetween, copyPatch, type LoosePatch } from "../../schema/patch.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { orAborted, throwIfAborted } from "../../shared/abort.ts";
import type { JsonObject } from "../../shared/json.ts";
import { uneditableFields } from "../decide/local-write.ts";
import { type AppRecord, metaOf, recordOf } from "../decide/record.ts";
import type { StoredRow } from "../state/rows.ts";
import { tableOf } from "../state/tables.ts";
import type { LocalStore } from "../store/local-store.ts";
import type { Writer } from "../store/writer.ts";
import type { CommitFeed } from "../tab/commit-feed.ts";
import type { ReadOptions, WriteOptions } from "../types/collections.ts";
import { type LiveSource, live, loadingRows, nextSnapshot, type RowsSnapshot, snapshot } from "./live.ts";
import { type LooseQuery, matches, type Plan, planQuery } from "./query-plan.ts";
import { readAllRows, readRows } from "./query-read.ts";
import { waitForSettlement } from "./settlement.ts";

export interface CollectionDeps {
  readonly store: LocalStore;
  readonly writer: Writer;
  readonly feed: CommitFeed;
  /** Whether the collection has been pulled to its end once. */
  complete(collection: string): boolean;
  /** Aborts when the client is closed. */
  readonly closing: AbortSignal;
}

/**
 * How many records of an import share a transaction. Each transaction blocks the store for a few milliseconds, and
 * sales are written in between.
 */
const IMPORTED_AT_ONCE = 250;

/** The collection that an app gets, with the methods that its definition allows. */
export function createCollection(name: string, definition: ResolvedCollection, deps: CollectionDeps): object {
  const { store, writer, feed } = deps;
  const rows = async (query: LooseQuery | undefined, options?: ReadOptions) =>
    orAborted(readAllRows(store, name, planQuery(name, definition, query), options?.signal), options?.signal);
  const written = (id: string, view: JsonObject | undefined): AppRecord => recordOf(id, view ?? {});

  const readable = {
    name,
    async get(id: string): Promise<AppRecord | undefined> {
      return (await readable.getMany([id]))[0];
    },
    async getMany(ids: readonly string[]): Promise<readonly (AppRecord | undefined)[]> {
      const found = await store.get<StoredRow>(tableOf(name), ids);
      return found.map((row) => (row?.data ? recordOf(row.id, row.data) : undefined));
    },
    async find(query?: LooseQuery, options?: ReadOptions): Promise<readonly AppRecord[]> {
      return (await rows(query, options)).map((row) => recordOf(row.id, row.data ?? {}));
    },
    async first(query: LooseQuery, options?: ReadOptions): Promise<AppRecord | undefined> {
      return (await readable.find({ ...query, limit: 1 }, options))[0];
    },
    /**
     * Counts in the index alone if the range is a single key, under which each row has one entry. In a wider range a
     * row with a list may have several, so the rows are read.
     */
    async count(query?: LooseQuery): Promise<number> {
      const plan = planQuery(name, definition, query);
      const { index, range, after } = plan.kind === "ids" ? {} : plan.options;
      if (range?.lower === undefined || range.lower !== range.upper || after) return (await rows(query)).length;
      return Math.min(await store.count(tableOf(name), { index, range }), plan.limit ?? Number.POSITIVE_INFINITY);
    },
    async *iterate(query?: LooseQuery, options?: ReadOptions): AsyncGenerator<AppRecord, void, undefined> {
      for await (const chunk of readRows(store, name, planQuery(name, definition, query), options?.signal)) {
        for (const row of chunk) {
          throwIfAborted(options?.signal);
          yield recordOf(row.id, row.data ?? {});
        }
      }
    },
    watch(query: LooseQuery, listener: (snapshot: RowsSnapshot) => void) {
      return readable.live(query).subscribe(listener);
    },
    live(query: LooseQuery) {
      return live(rowsSource(name, planQuery(name, definition, query), deps), feed.reportError);
    },
    async meta(id: string) {
      const [row] = await store.get<StoredRow>(tableOf(name), [id]);
      return row && (row.data !== undefined || row.states) ? metaOf(row) : undefined;
    },
    settled(id: string, options?: ReadOptions) {
      return waitForSettlement({ store, feed, collection: name, id, signals: [deps.closing, options?.signal] });
    },
    async create(input: object, options?: WriteOptions): Promise<AppRecord> {
      const change = writer.createChange(name, input);
      const { view } = await writer.write([change], options);
      return written(change.entityId, view(name, change.entityId));
    },
    async createMany(inputs: readonly object[], options?: WriteOptions): Promise<readonly AppRecord[]> {
      // All records are checked before the first one is stored.
      const creates = inputs.map((input) => writer.createChange(name, input));
      const records: AppRecord[] = [];
      for (let from = 0; from < creates.length; from += IMPORTED_AT_ONCE) {
        const some = creates.slice(from, from + IMPORTED_AT_ONCE);
        const { view } = await writer.write(some, { ...options, separate: true });
        records.push(...some.map(({ entityId }) => written(entityId, view(name, entityId))));
      }
      return records;
    },
  };
  if (definition.kind === "fact") return readable;

  const excluded = uneditableFields(definition);
  const editable = {
    ...readable,
    async update(id: string, patch: LoosePatch, options?: WriteOptions): Promise<AppRecord> {
      const change = { action: "update", collection: name, entityId: id, patch: copyPatch(patch) } as const;
      const { view } = await writer.write([change], options);
      return written(id, view(name, id));
    },
    async delete(id: string, options?: WriteOptions): Promise<void> {
      await writer.write([{ action: "delete", collection: name, entityId: id }], options);
    },
    changes: (before: JsonObject, after: LoosePatch) => changesBetween(before, after, excluded),
  };
  if (definition.counters.length === 0) return editable;
  return {
    ...editable,
    async increment(id: string, by: Readonly<Record<string, unknown>>, options?: WriteOptions): Promise<AppRecord> {
      const { view } = await writer.write(
        [{ action: "increment", collection: name, entityId: id, by: { ...by }, mustExist: true }],
        options,
      );
      return written(id, view(name, id));
    },
  };
}

/**
 * The rows of a plan as a live source. It reads again when a commit touches a row that it shows or that fits the plan.
 */
function rowsSource(name: string, plan: Plan, deps: CollectionDeps): LiveSource<RowsSnapshot> {
  const { limit } = plan;
  const wider = limit === undefined ? plan : { ...plan, limit: limit + 1 };
  let shown: ReadonlyMap<string, StoredRow> = new Map();
  return {
    initial: loadingRows,
    async read(before) {
      // One row more than is shown reveals whether there are more.
      const found = await readAllRows(deps.store, name, wider);
      const rows = limit === undefined ? found : found.slice(0, limit);
      const next = nextSnapshot(before, rows, found.length > rows.length, deps.complete(name));
      shown = next.stored;
      return next;
    },
    failed: (before, error) => snapshot(before.rows, before.stored, { ...before, loading: false, error }),
    subscribe: (changed) =>
      deps.feed.subscribe((commit) => {
        const touched = commit.changes?.some(
          (c) => c.collection === name && (shown.has(c.id) || matches(plan, c.before) || matches(plan, c.after)),
        );
        if (touched || commit.cursors?.[name] || commit.changedElsewhere?.includes(name)) changed();
      }),
  };
}
