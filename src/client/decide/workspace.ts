/**
 * The unit of work of every decision on the client. It holds the rows and operations that were loaded, what the
 * decision made of them, and what must be written. It is the one place that keeps these in agreement: a row's view with
 * its base and its open operations, the counts on the row, and the counts of the queue. Synchronous, no I/O.
 *
 * A row is copied into a draft when a decision first touches it. `put` and `setBase` change only the draft's base and
 * counts. `#materialise` computes the view from them, when it is asked for and when the draft is written.
 */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { assert } from "../../shared/assert.ts";
import type { JsonObject } from "../../shared/json.ts";
import { omit } from "../../shared/omit.ts";
import type { StorageWrite } from "../ports/storage.ts";
import { generationOf, type Orphan, orphanKey, QUEUE, type QueueState, type SyncPoint } from "../state/meta.ts";
import {
  isDiscarded,
  isOpen,
  isReplayed,
  isUnfinished,
  isWaiting,
  type StoredOperation,
  subjectOf,
} from "../state/operation.ts";
import type { StoredConflict, StoredRow } from "../state/rows.ts";
import { CONFLICTS, META, OPERATIONS, tableOf } from "../state/tables.ts";
import { raised, rowNow, versionLabel, versionOf } from "../state/versions.ts";
import { editNow } from "./edit-now.ts";
import { mergeDelta, replay } from "./replay.ts";

/** A row before and after a commit; live queries compare both with their ranges. */
export interface RowChange {
  readonly collection: string;
  readonly id: string;
  readonly before: StoredRow | undefined;
  readonly after: StoredRow;
}

export interface WorkspaceInput {
  readonly collections: ResolvedCollections;
  readonly queue: QueueState;
  /** The sync point with the current generation of each collection: see {@link StoredRow.generation}. */
  readonly point: SyncPoint;
  readonly rows: readonly (readonly [collection: string, row: StoredRow])[];
  /**
   * For each row that the decision touches: all operations that its view replays and, if its base may change
   * generation, its open increments too.
   */
  readonly operations: readonly StoredOperation[];
}

/** A row under change. Unlike a stored row it always has a `base`. */
type Draft = { -readonly [K in keyof StoredRow]: StoredRow[K] };

export class Workspace {
  readonly collections: ResolvedCollections;
  readonly #point: SyncPoint;
  readonly #queueBefore: QueueState;
  #queue: QueueState;
  readonly #before = new Map<string, StoredRow>();
  readonly #rows = new Map<string, { readonly collection: string; readonly row: Draft }>();
  readonly #operations = new Map<string, StoredOperation>();
  readonly #bySubject = new Map<string, Set<string>>();
  readonly #dirtyOperations = new Set<string>();
  readonly #conflicts = new Map<string, StoredConflict>();
  readonly #faults = new Map<string, unknown>();
  /** Rows that do not agree with their operations, because this app does not have their collection. */
  readonly #orphans: Orphan[] = [];

  constructor(input: WorkspaceInput) {
    this.collections = input.collections;
    this.#point = input.point;
    this.#queueBefore = input.queue;
    this.#queue = input.queue;
    for (const [collection, row] of input.rows)
      this.#before.set(subjectOf(collection, row.id), rowNow(collection, this.definition(collection), row));
    for (const operation of input.operations) this.#remember(operation);
  }

  /**
   * Whether this app has the collection. An app of another version may lack one in which operations are queued: they
   * are sent, and their rows are left alone.
   */
  knows(collection: string): boolean {
    return Object.hasOwn(this.collections, collection);
  }

  definition(collection: string): ResolvedCollection {
    const definition = this.collections[collection];
    assert(definition, `no collection \`${collection}\``);
    return definition;
  }

  get queue(): QueueState {
    return this.#queue;
  }

  /** The unblock round before this decision. */
  get unblockRoundBefore(): number {
    return this.#queueBefore.unblockRound;
  }

  /** The row with what was put so far. The `data` of a draft is not up to date: see `view`. */
  row(collection: string, id: string): StoredRow | undefined {
    const subject = subjectOf(collection, id);
    return this.#rows.get(subject)?.row ?? this.#before.get(subject);
  }

  operation(id: string): StoredOperation | undefined {
    return this.#operations.get(id);
  }

  /** The loaded operations on a row, in replay order. */
  operationsOf(collection: string, id: string): readonly StoredOperation[] {
    const ids = this.#bySubject.get(subjectOf(collection, id)) ?? [];
    const found: StoredOperation[] = [];
    for (const operationId of ids) {
      const operation = this.#operations.get(operationId);
      if (operation) found.push(operation);
    }
    return found.sort((a, b) => a.rank - b.rank || a.sequence - b.sequence);
  }

  /** Gives out the next sequence number. */
  nextSequence(): number {
    this.#queue = { ...this.#queue, sequence: this.#queue.sequence + 1 };
    return this.#queue.sequence;
  }

  /**
   * Lets everything that is blocked be sent again, because something final has happened [H2]. Raises the round at most
   * once.
   */
  unblock(): void {
    if (this.#queue.unblockRound === this.#queueBefore.unblockRound)
      this.#queue = { ...this.#queue, unblockRound: this.#queue.unblockRound + 1 };
  }

  /** `at`: when the oldest waiting operation was made, in epoch ms; `undefined` if none waits. */
  setOldest(at: number | undefined): void {
    this.#queue = at === undefined ? omit(this.#queue, "oldestAt") : { ...this.#queue, oldestAt: at };
  }

  /** Stores an operation, new or in its next state, and keeps the counts of its row and of the queue in agreement. */
  put(operation: StoredOperation): void {
    const before = this.#operations.get(operation.id);
    this.#remember(operation);
    this.#dirtyOperations.add(operation.id);
    this.#countInQueue(before, -1);
    this.#countInQueue(operation, 1);
    if (!this.knows(operation.collection)) {
      this.#orphans.push({ collection: operation.collection, entityId: operation.entityId });
      return;
    }
    const row = this.#draft(operation.collection, operation.entityId);
    this.#countOnRow(row, before, -1);
    this.#countOnRow(row, operation, 1);
  }

  putConflict(conflict: StoredConflict): void {
    this.#conflicts.set(conflict.id, conflict);
  }

  /** Recounts a row from its operations. All unfinished operations on it must have been loaded. */
  recountStates(collection: string, id: string): void {
    const row = this.#draft(collection, id);
    row.states = undefined;
    for (const { status, action } of this.operationsOf(collection, id)) {
      const { state } = status;
      if (isUnfinished(state) && action !== "void") row.states = tally(row.states, state, 1);
      if (status.state === "conflict") row.conflictId = status.conflictId;
    }
    this.#recountView(collection, row);
  }

  /** Sets members of the row that are shown to people: flags, the time of the last change here, the open conflict. */
  annotate(
    collection: string,
    id: string,
    note: Partial<Pick<StoredRow, "flags" | "changedHereAt" | "conflictId">>,
  ): void {
    Object.assign(this.#draft(collection, id), note);
  }

  /** The errors of steps that failed on rows of an answer. Such a row is kept as it came, and has no view [H7]. */
  get faults(): readonly unknown[] {
    return [...this.#faults.values()];
  }

  /** Whether the app can read what the server has of the row. */
  canRead(collection: string, id: string): boolean {
    const row = this.row(collection, id);
    return row === undefined || isReadable(this.definition(collection), row);
  }

  /**
   * Takes a row from an answer as the base if its version is greater; the first row after a resync began is always
   * taken [C4]. A row that lacks own operations which are in the base is not taken [C6]; that there is none is: a row
   * that has left the scope comes with the version at which it left, also where this till has counted on it since [C10].
   * `null`: the server has none. `schemaVersion`: of `data`; the app's if it is not given.
   */
  setBase(
    collection: string,
    id: string,
    version: number,
    data: JsonObject | null,
    schemaVersion = this.definition(collection).schemaVersion,
  ): void {
    const generation = generationOf(this.#point, collection);
    const known = this.row(collection, id);
    const isOld = known && (known.guessed ? version < known.version : version <= known.version);
    const amendedTo = this.amendedTo(collection, id);
    const lacksOwn = data !== null && version < amendedTo;
    if (known?.generation === generation && (isOld || lacksOwn)) return;
    const row = this.#draft(collection, id);
    const newGeneration = row.generation !== generation;
    row.version = version;
    row.generation = generation;
    row.guessed = undefined;
    row.amendedTo = version < amendedTo ? amendedTo : undefined;
    if (data !== null) row.deletedBase = undefined;
    else if (row.base) row.deletedBase = row.base;
    if (data === null) row.base = null;
    else this.#takeData(collection, row, data, schemaVersion);
    if (newGeneration) this.#recountView(collection, row);
  }

  #takeData(collection: string, row: Draft, data: JsonObject, schemaVersion: number): void {
    const definition = this.definition(collection);
    const now = raised(collection, definition, schemaVersion, data, (error) => this.#faults.set(collection, error));
    row.base = now ?? data;
    row.schemaVersion = now ? definition.schemaVersion : schemaVersion;
  }

  /** Marks the base, which `setBase` has just taken, as what this till makes of the row: see {@link StoredRow.guessed}. */
  markGuessed(collection: string, id: string): void {
    this.#draft(collection, id).guessed = true;
  }

  /**
   * Writes what an own operation made of the row into the base, if its result has no row, or one that can't be taken: the
   * app can't read it [H7], it is ahead of the till's results, or it lacks what is in the base [C6]. The base keeps its
   * version, because what others have written up to the result's version is not in it.
   */
  amendBase(collection: string, id: string, data: JsonObject, version: number): void {
    if (!this.canRead(collection, id)) return;
    const row = this.#draft(collection, id);
    row.amendedTo = Math.max(version, this.amendedTo(collection, id));
    row.base = data;
  }

  /** Up to which version the base has own operations in it without the row of their results; 0: it has none. */
  amendedTo(collection: string, id: string): number {
    const row = this.row(collection, id);
    return row?.generation === generationOf(this.#point, collection) ? (row.amendedTo ?? 0) : 0;
  }

  /** Lets a row be written in the app's schema version, if it is not [H7]. */
  touch(collection: string, id: string): void {
    if (this.row(collection, id) !== undefined) this.#draft(collection, id);
  }

  /** The server's copy of the row; `null` if there is none, or none that the app can read. */
  baseOf(collection: string, id: string): JsonObject | null {
    const row = this.row(collection, id);
    if (row === undefined || !this.canRead(collection, id)) return null;
    return row.base === undefined ? (row.data ?? null) : row.base;
  }

  /** The view, with everything that was put so far. */
  view(collection: string, id: string): JsonObject | undefined {
    const open = this.#rows.get(subjectOf(collection, id));
    return open ? this.#materialise(collection, open.row).data : this.row(collection, id)?.data;
  }

  /** Everything to write, and the rows that changed. Called once. */
  finish(): { readonly writes: readonly StorageWrite[]; readonly changes: readonly RowChange[] } {
    const writes: StorageWrite[] = [];
    const changes: RowChange[] = [];
    // The outbox is empty, be it by an answer, a park or a discard. The next write sets the time anew.
    if (this.#queue.oldestAt !== undefined && Object.keys(this.#queue.waiting).length === 0) this.setOldest(undefined);
    for (const [subject, { collection, row }] of this.#rows) {
      const before = this.#before.get(subject);
      const after = this.#materialise(collection, row);
      writes.push({ kind: "put", table: tableOf(collection), key: after.id, value: after });
      changes.push({ collection, id: after.id, before, after });
    }
    for (const id of this.#dirtyOperations)
      writes.push({ kind: "put", table: OPERATIONS, key: id, value: this.#operations.get(id) });
    for (const target of this.#orphans)
      writes.push({ kind: "put", table: META, key: orphanKey(target.collection, target.entityId), value: target });
    for (const conflict of this.#conflicts.values())
      writes.push({ kind: "put", table: CONFLICTS, key: conflict.id, value: conflict });
    if (this.#queue !== this.#queueBefore) writes.push({ kind: "put", table: META, key: QUEUE, value: this.#queue });
    return { writes, changes };
  }

  #remember(operation: StoredOperation): void {
    this.#operations.set(operation.id, operation);
    const subject = subjectOf(operation.collection, operation.entityId);
    const ids = this.#bySubject.get(subject);
    if (ids) ids.add(operation.id);
    else this.#bySubject.set(subject, new Set([operation.id]));
  }

  #draft(collection: string, id: string): Draft {
    const subject = subjectOf(collection, id);
    const open = this.#rows.get(subject);
    if (open) return open.row;
    const before = this.#before.get(subject);
    const row: Draft = before ? { ...before } : { id, version: 0, generation: 0, rev: 0, base: null };
    row.rev += 1;
    // A draft stores its base apart from its view; `#materialise` removes the base again if nothing is replayed on it.
    if (row.base === undefined) row.base = row.data ?? null;
    this.#rows.set(subject, { collection, row });
    return row;
  }

  /**
   * Whether the operation's effect must be added to this row's base. A base of the lost epoch already includes what
   * that epoch had acknowledged [C8.6]. Only the row and the operation decide this, whatever resync or restore has
   * begun since, because the row's counts were made in the same way.
   */
  #isOnBase(row: StoredRow, operation: StoredOperation): boolean {
    return row.generation >= (operation.missingSince ?? 0);
  }

  #countOnRow(row: Draft, operation: StoredOperation | undefined, sign: 1 | -1): void {
    if (operation === undefined) return;
    const { state } = operation.status;
    if (isUnfinished(state) && operation.action !== "void") row.states = tally(row.states, state, sign);
    this.#countOnView(row, operation, sign);
  }

  #countOnView(row: Draft, operation: StoredOperation, sign: 1 | -1): void {
    if (!this.#isOnBase(row, operation)) return;
    if (isReplayed(operation)) row.edits = (row.edits ?? 0) + sign;
    else if (operation.action === "increment" && isOpen(operation))
      row.delta = mergeDelta(row.delta, operation.by ?? {}, sign);
  }

  /**
   * Recounts what is replayed on the base, and the sum of the increments. A base of another generation may include
   * other operations than the old one.
   */
  #recountView(collection: string, row: Draft): void {
    row.edits = 0;
    row.delta = undefined;
    for (const operation of this.operationsOf(collection, row.id)) this.#countOnView(row, operation, 1);
  }

  #materialise(collection: string, row: Draft): StoredRow {
    const definition = this.definition(collection);
    const base = row.base ?? null;
    const readable = isReadable(definition, row);
    const edits = row.edits
      ? this.operationsOf(collection, row.id).filter((o) => isReplayed(o) && this.#isOnBase(row, o))
      : [];
    assert(
      edits.length === (row.edits ?? 0),
      `row ${row.id} of ${collection} has ${row.edits} edits, ${edits.length} were loaded`,
    );
    // What an edit of another version makes of the row is not known: it is sent, and is not in the view [H7].
    const replayed = edits.map((edit) => editNow(definition, edit, base)).filter((edit) => edit !== undefined);
    const view = readable ? replay(base, replayed, row.delta, definition.counters) : undefined;
    const open = edits.length > 0 || row.delta !== undefined;
    return compact({
      ...row,
      data: view,
      base: open || !readable ? base : undefined,
      ...versionLabel(readable ? definition.schemaVersion : versionOf(row)),
      edits: row.edits || undefined,
      // Keeping a refused edit of a deleted row means creating the row again, also after a retry.
      deletedBase: row.states ? row.deletedBase : undefined,
      conflictId: row.states?.conflict ? row.conflictId : undefined,
    });
  }

  #countInQueue(operation: StoredOperation | undefined, sign: 1 | -1): void {
    if (operation === undefined) return;
    const queue = { ...this.#queue };
    if (isWaiting(operation)) queue.waiting = tally(queue.waiting, operation.collection, sign) ?? {};
    const { state } = operation.status;
    if (state === "conflict") queue.conflicts += sign;
    if (state === "rejected") queue.rejected += sign;
    if (state === "quarantined" && !isDiscarded(operation)) queue.quarantined += sign;
    const isEdit = operation.kind === "record" && operation.action !== "increment" && operation.action !== "void";
    if (isOpen(operation) && (isEdit || state === "blocked")) queue.edits += sign;
    this.#queue = queue;
  }
}

function isReadable(definition: ResolvedCollection, row: Pick<StoredRow, "base" | "schemaVersion">): boolean {
  return row.base === null || versionOf(row) === definition.schemaVersion;
}

type Tally = Readonly<Partial<Record<string, number>>>;

function tally(counts: Tally | undefined, key: string, by: 1 | -1): Tally | undefined {
  const next: Record<string, number> = { ...(counts as Record<string, number> | undefined) };
  next[key] = (next[key] ?? 0) + by;
  if (next[key] === 0) delete next[key];
  return Object.keys(next).length === 0 ? undefined : next;
}

/** Without the members that are `undefined`: a synced row of a large catalogue stores only what it has. */
function compact(row: Draft): StoredRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as unknown as StoredRow;
}
