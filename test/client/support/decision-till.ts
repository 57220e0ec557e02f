/**
 * A till without I/O: rows, operations, counts. It has no storage and no loop: it keeps exactly what decisions write.
 */

import { decideEpochChange, newEpoch } from "../../../src/client/decide/epoch.ts";
import { decideLocalWrite, type LocalChange } from "../../../src/client/decide/local-write.ts";
import type { MintContext } from "../../../src/client/decide/mint.ts";
import { decidePullPage, restartCursor } from "../../../src/client/decide/pull-page.ts";
import { mergeDelta, replay } from "../../../src/client/decide/replay.ts";
import { decideResults, type OperationEvent } from "../../../src/client/decide/results.ts";
import { Workspace } from "../../../src/client/decide/workspace.ts";
import {
  type CursorState,
  EMPTY_QUEUE,
  FIRST_CURSOR,
  FIRST_SYNC_POINT,
  generationOf,
  nextGenerations,
  QUEUE,
  type QueueState,
  type SyncPoint,
} from "../../../src/client/state/meta.ts";
import {
  isDiscarded,
  isIn,
  isOpen,
  isReplayed,
  isWaiting,
  type OperationState,
  type StoredOperation,
  subjectOf,
} from "../../../src/client/state/operation.ts";
import type { StoredConflict, StoredRow } from "../../../src/client/state/rows.ts";
import { CONFLICTS, META, OPERATIONS } from "../../../src/client/state/tables.ts";
import type { Change, OperationResult, PullPage } from "../../../src/protocol/types.ts";
import { checkCollections } from "../../../src/schema/collections.ts";
import type { CollectionMap } from "../../../src/schema/types.ts";
import type { JsonObject } from "../../../src/shared/json.ts";
import { type FlatOperation, flat } from "../../support/flat-operation.ts";
import { collections as shop } from "../../support/shop.ts";

export const NOW = Date.UTC(2026, 10, 20, 8);

export class DecisionTill {
  readonly collections;
  readonly rows = new Map<string, StoredRow>();
  readonly operations = new Map<string, StoredOperation>();
  readonly conflicts = new Map<string, StoredConflict>();
  readonly cursors = new Map<string, CursorState>();
  queue: QueueState = EMPTY_QUEUE;
  point: SyncPoint = { ...FIRST_SYNC_POINT, epoch: "e1" };
  #minted = 0;
  /** For each epoch that was left: the sync point whose generations are the first of the next epoch. */
  readonly #after = new Map<string, SyncPoint>();

  readonly #uuid: (n: number) => string;

  constructor(collections: CollectionMap = shop, uuid = (n: number) => `op-${n}`) {
    this.collections = checkCollections(collections);
    this.#uuid = uuid;
  }

  /** The same store, opened by another version of the app. */
  updated(collections: CollectionMap): DecisionTill {
    const next = new DecisionTill(collections, this.#uuid);
    for (const kept of ["rows", "operations", "conflicts", "cursors"] as const)
      for (const [key, value] of this[kept]) (next[kept] as Map<string, unknown>).set(key, value);
    return Object.assign(next, { queue: this.queue, point: this.point });
  }

  context(over: Partial<MintContext> = {}): MintContext {
    this.#minted += 1;
    const transaction = over.transaction ?? `t-${this.#minted}`;
    return { now: NOW, actor: "u-7", branch: "main", ...over, transaction, uuid: () => this.#uuid(++this.#minted) };
  }

  /** A workspace with everything that is stored. */
  open(): Workspace {
    return new Workspace({
      collections: this.collections,
      queue: this.queue,
      point: this.point,
      rows: this.#known(),
      operations: [...this.operations.values()],
    });
  }

  /** The rows of the collections that the app has. */
  #known(): readonly (readonly [collection: string, row: StoredRow])[] {
    return [...this.rows]
      .map(([subject, row]) => [subject.slice(0, subject.indexOf("/")), row] as const)
      .filter(([collection]) => Object.hasOwn(this.collections, collection));
  }

  commit(workspace: Workspace): void {
    const { writes } = workspace.finish();
    for (const write of writes) {
      if (write.kind !== "put") throw new Error("decisions delete nothing");
      if (write.table === META) {
        // The other rows there name what a till without the collection leaves to a later app.
        if (write.key === QUEUE) this.queue = write.value as QueueState;
      } else if (write.table === OPERATIONS) this.operations.set(write.key, write.value as StoredOperation);
      else if (write.table === CONFLICTS) this.conflicts.set(write.key, write.value as StoredConflict);
      else this.rows.set(subjectOf(write.table.slice(2), write.key), write.value as StoredRow);
    }
  }

  /** A local transaction. */
  write(changes: readonly LocalChange[], over: Partial<MintContext> = {}): readonly StoredOperation[] {
    const workspace = this.open();
    const minted = decideLocalWrite(workspace, this.context(over), changes);
    this.commit(workspace);
    return minted;
  }

  /** One change, one operation. */
  one(change: LocalChange): StoredOperation {
    const [only, ...others] = this.write([change]);
    if (only === undefined || others.length > 0) throw new Error(`expected one operation, got ${others.length + 1}`);
    return only;
  }

  answer(...results: readonly OperationResult[]): readonly OperationEvent[] {
    return this.receive(results);
  }

  /** A pull brings the server's row. */
  pull(collection: string, ...changes: readonly Change[]): void {
    this.page(collection, changes);
  }

  page(collection: string, changes: readonly Change[], more = false, remaining?: number): CursorState {
    this.receive([], { [collection]: { changes, more, remaining, cursor: `c-${changes.length}` } });
    return this.cursors.get(collection) ?? FIRST_CURSOR;
  }

  /** Applies all results of one answer, in one transaction [C6]. */
  receive(
    results: readonly OperationResult[],
    pages: Readonly<Record<string, PullPage>> = {},
    moreResults = false,
  ): readonly OperationEvent[] {
    const workspace = this.open();
    const events = decideResults(workspace, this.context(), {
      results,
      moreResults,
      epoch: this.point.epoch ?? "",
      serverTime: NOW + 1_000,
      siblings: ({ transaction }) => [...this.operations.values()].filter((o) => o.transaction === transaction),
      conflict: (id) => this.conflicts.get(id),
    });
    const moved = Object.entries(pages).map(([name, page]) => {
      const cursor = this.cursors.get(name) ?? FIRST_CURSOR;
      return [name, decidePullPage(workspace, name, page, cursor, generationOf(this.point, name))] as const;
    });
    this.commit(workspace);
    for (const [name, cursor] of moved) this.cursors.set(name, cursor);
    return events;
  }

  /** These collections are pulled again from the start; operations stay. */
  resync(...collections: readonly string[]): void {
    this.point = nextGenerations(this.point, collections);
    for (const name of collections)
      this.cursors.set(name, restartCursor(this.cursors.get(name) ?? FIRST_CURSOR, generationOf(this.point, name)));
  }

  /** The server has another history now. Returns how many operations are sent to it again. */
  follow(epoch: string): number {
    const names = Object.keys(this.collections);
    const next = newEpoch(this.point, epoch, names);
    const workspace = new Workspace({
      collections: this.collections,
      queue: this.queue,
      point: next,
      rows: this.#known(),
      operations: [...this.operations.values()],
    });
    const journal = [...this.operations.values()].filter((o) => !isIn(o, "pending", "superseded"));
    const replaying = decideEpochChange(workspace, this.point, journal);
    this.commit(workspace);
    this.#after.set(this.point.epoch ?? "", next);
    this.point = next;
    for (const name of names)
      this.cursors.set(name, restartCursor(this.cursors.get(name) ?? FIRST_CURSOR, generationOf(next, name)));
    return replaying;
  }

  row(collection: string, id: string): StoredRow | undefined {
    return this.rows.get(subjectOf(collection, id));
  }

  view(collection: string, id: string): JsonObject | undefined {
    return this.row(collection, id)?.data;
  }

  state(operation: { readonly id: string }): OperationState | undefined {
    return this.operations.get(operation.id)?.status.state;
  }

  stored(operation: { readonly id: string }): StoredOperation {
    const found = this.operations.get(operation.id);
    if (found === undefined) throw new Error(`no operation ${operation.id}`);
    return found;
  }

  /** The stored operation, with its status spread into it. */
  flat(operation: { readonly id: string }): FlatOperation {
    return flat(this.stored(operation));
  }

  /** Everything that is stored besides the operations, computed only from them. */
  recounted() {
    const operations = [...this.operations.values()];
    const waiting: Record<string, number> = {};
    for (const { collection } of operations.filter(isWaiting)) waiting[collection] = (waiting[collection] ?? 0) + 1;
    const inState = (state: string) => operations.filter((o) => o.status.state === state);
    return {
      waiting,
      edits: operations.filter((o) => isOpen(o) && (isEdit(o) || o.status.state === "blocked")).length,
      conflicts: inState("conflict").length,
      rejected: inState("rejected").length,
      quarantined: inState("quarantined").filter((o) => !isDiscarded(o)).length,
    };
  }

  counted() {
    const { waiting, edits, conflicts, rejected, quarantined } = this.queue;
    return { waiting, edits, conflicts, rejected, quarantined };
  }

  /** The same for each row: its counts and its view. */
  recountedRow(collection: string, id: string) {
    const row = this.row(collection, id);
    const own = [...this.operations.values()]
      .filter((o) => o.collection === collection && o.entityId === id)
      .sort((a, b) => a.rank - b.rank || a.sequence - b.sequence);
    const states: Record<string, number> = {};
    for (const o of own)
      if (o.action !== "void" && ["pending", "blocked", "conflict", "rejected", "quarantined"].includes(o.status.state))
        states[o.status.state] = (states[o.status.state] ?? 0) + 1;
    // What a lost history had acknowledged is in that history's bases already, and in none that was pulled after it
    // [C8.6].
    const onTop = own.filter(({ acknowledged }) => {
      const after = acknowledged && this.#after.get(acknowledged.epoch);
      return after === undefined || (row?.generation ?? 0) >= generationOf(after, collection);
    });
    const edits = onTop.filter(isReplayed);
    const delta = onTop
      .filter((o) => o.action === "increment" && isOpen(o))
      .reduce((sum, o) => mergeDelta(sum, o.by ?? {}, 1), undefined as ReturnType<typeof mergeDelta>);
    const base = row?.base === undefined ? (edits.length > 0 || delta ? null : (row?.data ?? null)) : row.base;
    return {
      states: Object.keys(states).length === 0 ? undefined : states,
      edits: edits.length === 0 ? undefined : edits.length,
      delta,
      view: replay(base, edits, delta, this.collections[collection]?.counters ?? []),
    };
  }

  countedRow(collection: string, id: string) {
    const row = this.row(collection, id);
    return { states: row?.states, edits: row?.edits, delta: row?.delta, view: row?.data };
  }
}

function isEdit({ kind, action }: StoredOperation): boolean {
  return kind === "record" && action !== "increment" && action !== "void";
}

// ── Changes, as an app makes them ──
export const tea = { name: "Tea", barcodes: ["600"], category: "drinks", priceCents: 5_000 };
export const create = (collection: string, entityId: string, data: JsonObject): LocalChange => ({
  action: "create",
  collection,
  entityId,
  data,
});
export const update = (
  collection: string,
  entityId: string,
  patch: Readonly<Record<string, unknown>>,
): LocalChange => ({
  action: "update",
  collection,
  entityId,
  patch: patch as never,
});
export const increment = (
  collection: string,
  entityId: string,
  by: Readonly<Record<string, unknown>>,
): LocalChange => ({
  action: "increment",
  collection,
  entityId,
  by,
});
export const remove = (collection: string, entityId: string): LocalChange => ({
  action: "delete",
  collection,
  entityId,
});
export const sale = (entityId: string, over: JsonObject = {}): LocalChange =>
  create("sales", entityId, {
    items: [{ productId: "p-1", quantity: 1, priceCents: 5_000 }],
    totalCents: 5_000,
    soldAt: NOW,
    ...over,
  });

/** A till that has pulled a product, of which there are 7, and a customer. */
export function stockedTill(
  collections?: CollectionMap,
  more: { readonly product?: JsonObject; readonly customer?: JsonObject } = {},
): DecisionTill {
  const one = new DecisionTill(collections);
  one.pull("products", { id: "p-1", version: 10, data: { ...tea, stock: 7, ...more.product } });
  one.pull("customers", { id: "c-1", version: 11, data: { name: "Ann", phone: "1", points: 0, ...more.customer } });
  return one;
}

// ── Results, as a server gives them ──
type Id = { readonly id: string };
export const applied = (
  { id }: Id,
  version: number,
  over: Partial<Extract<OperationResult, { status: "applied" }>> = {},
): OperationResult => ({ id, status: "applied", version, ...over });
export const rejected = (
  { id }: Id,
  code: string,
  over: Partial<Extract<OperationResult, { status: "rejected" }>> = {},
): OperationResult => ({ id, status: "rejected", error: { code, message: code }, ...over });
export const quarantined = (
  { id }: Id,
  code = "shift_closed",
  over: Partial<Extract<OperationResult, { status: "quarantined" }>> = {},
): OperationResult => ({ id, status: "quarantined", error: { code, message: code }, ...over });
export const conflict = (
  { id }: Id,
  fields: readonly string[],
  server: Extract<OperationResult, { status: "conflict" }>["server"],
  over: Partial<Extract<OperationResult, { status: "conflict" }>> = {},
): OperationResult => ({ id, status: "conflict", conflictId: `c-${id}`, fields, server, ...over });
export const blocked = ({ id }: Id, ...by: readonly Id[]): OperationResult => ({
  id,
  status: "blocked",
  by: by.map((o) => o.id),
});
export const retry = ({ id }: Id, code = "schema_newer"): OperationResult => ({
  id,
  status: "retry",
  afterMs: 5_000,
  error: { code, message: code },
});
