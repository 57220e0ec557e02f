/**
 * The rows that a decision works on: what the store returned, and above it what the decision has written since.
 *
 * - The operations of a batch are applied to it one after the other, so two operations on one row see each other. One
 *   statement that writes both would see neither: an acknowledged write would be lost.
 * - It gives out the change positions. Rolling back to a savepoint takes back everything written since, positions
 *   included.
 * - A row that was never loaded reads as absent, and is noted. The caller (run.ts) loads what is noted and runs the
 *   decision again from the start. A decision has no effects, so a run that lacked rows is thrown away. Such a run
 *   still goes on to its end, to note everything that it lacks; it skips only what depends on an absent row.
 */
import { LIMITS } from "../../../protocol/constants.ts";
import { assert } from "../../../shared/assert.ts";
import {
  type CommitRow,
  type ConflictRow,
  type DepartureRow,
  type DeviceRow,
  type DiscrepancyRow,
  type EpochRow,
  heldBytes,
  type IncarnationRow,
  isOpenQuarantine,
  type OperationRow,
  type RecordKey,
  type RecordRow,
  type ResultRow,
  type TenantClock,
} from "../../ports/rows.ts";
import type { StoreReads, StoreWrites } from "../../ports/store.ts";
import { type Kind, keyed, type MissingRead, Overlay, type Undo, Written, whole } from "./overlay.ts";
import type { Touched } from "./scope.ts";

export interface LogLine {
  readonly level: "error" | "info";
  readonly message: string;
  readonly fields: object;
}

/** Rows of ids that were never seen, which one transaction may make besides the first of each list. */
const MAX_PLACEHOLDERS = 1_000;

/** What of a device waits in quarantine. */
type Held = StoreReads["held"]["answer"];

const NOTHING_HELD: Held = { operations: 0, bytes: 0 };
const heldBy = (row: OperationRow): Held => ({ operations: 1, bytes: heldBytes(row) });
const minus = ({ operations, bytes }: Held): Held => ({ operations: -operations, bytes: -bytes });
const plus = (a: Held, b: Held): Held => ({ operations: a.operations + b.operations, bytes: a.bytes + b.bytes });

export type Savepoint = { readonly undo: number; readonly clock: TenantClock | undefined };

export const recordKey = (collection: string, id: string) => `${collection} ${id}`;
const departureKey = ({ collection, id, scope }: RecordKey & { readonly scope: string }) =>
  `${recordKey(collection, id)} ${scope}`;
const sequenceKey = (incarnation: string, sequence: number) => `${incarnation} ${sequence}`;

// Every kind of row that a decision can ask for, and how the store is asked for it.
const RECORDS = keyed<"records", RecordKey>(
  (keys) => ({ kind: "records", keys }),
  ({ collection, id }) => recordKey(collection, id),
);
const OPERATIONS = keyed<"operations", string>(
  (ids) => ({ kind: "operations", ids }),
  ({ id }) => id,
);
const COMMITS = keyed<"commits", string>(
  (ids) => ({ kind: "commits", ids }),
  ({ id }) => id,
);
const CONFLICTS = keyed<"conflicts", string>(
  (ids) => ({ kind: "conflicts", ids }),
  ({ id }) => id,
);
const CONFLICTS_OF = keyed<"conflictsOf", string>(
  (operationIds) => ({ kind: "conflictsOf", operationIds }),
  ({ operationId }) => operationId,
);
const DEVICES = keyed<"devices", string>(
  (ids) => ({ kind: "devices", ids }),
  ({ id }) => id,
);
/**
 * How many operations of one transaction are looked at: a till sends 250 of them, and one more for each that it replaces
 * under the same name (L12).
 */
export const MOST_MEMBERS = 2 * LIMITS.transactionOperations;
const MEMBERS = whole<"members">(1);
const NEWEST = whole<"incarnations">();
/** One request for each. */
const INCARNATIONS: Kind<IncarnationRow, StoreReads["incarnations"]["request"]> = (wanted) =>
  [...wanted].map(([key, request]) => ({
    request,
    rowsIn: (answer) => (answer as StoreReads["incarnations"]["answer"]).map((row) => [key, row]),
  }));
/** A till that lost its store so often tells the last ones. */
const NEWEST_INCARNATIONS = 100;
const RESULTS = whole<"results">();
const HELD = whole<"held">();
const EPOCHS = whole<"epochs">();

/** One request for each incarnation. */
const SEQUENCES: Kind<string, readonly [incarnation: string, sequence: number]> = (wanted) => {
  const byIncarnation = new Map<string, number[]>();
  for (const [incarnation, sequence] of wanted.values()) {
    const sequences = byIncarnation.get(incarnation);
    if (sequences === undefined) byIncarnation.set(incarnation, [sequence]);
    else sequences.push(sequence);
  }
  return [...byIncarnation].map(([incarnation, sequences]) => ({
    request: { kind: "sequences", incarnation, sequences },
    rowsIn: (answer) =>
      (answer as StoreReads["sequences"]["answer"]).map(({ sequence, id }) => [sequenceKey(incarnation, sequence), id]),
  }));
};

type ReadTable = Pick<Overlay<unknown, unknown>, "lacksRows" | "missingReads">;

/** One page of a device's stored results. */
export interface ResultsPage {
  readonly rows: readonly ResultRow[];
  /** The position after which the next page begins; `undefined`: this was the last one. */
  readonly next: number | undefined;
}

export class WorkingSet {
  readonly #undo: Undo[] = [];
  readonly #records = new Overlay(this.#undo, RECORDS);
  readonly #operations = new Overlay(this.#undo, OPERATIONS);
  readonly #commits = new Overlay(this.#undo, COMMITS);
  readonly #conflicts = new Overlay(this.#undo, CONFLICTS);
  readonly #conflictsOf = new Overlay(this.#undo, CONFLICTS_OF);
  readonly #devices = new Overlay(this.#undo, DEVICES);
  readonly #sequences = new Overlay(this.#undo, SEQUENCES);
  readonly #members = new Overlay(this.#undo, MEMBERS);
  readonly #incarnations = new Overlay(this.#undo, INCARNATIONS);
  readonly #newest = new Overlay(this.#undo, NEWEST);
  readonly #results = new Overlay(this.#undo, RESULTS);
  readonly #held = new Overlay(this.#undo, HELD);
  readonly #added = new Map<string, Held>();
  #placeholders = 0;
  #loadedBytes = 0;
  #followed = 0;
  readonly #reached = new Map<object, number>();
  readonly #epochs = new Overlay(this.#undo, EPOCHS);
  readonly #readTables: readonly ReadTable[] = [
    ...[this.#records, this.#operations, this.#commits, this.#conflicts, this.#conflictsOf, this.#devices],
    ...[this.#sequences, this.#members, this.#incarnations, this.#newest, this.#results, this.#held, this.#epochs],
  ];
  readonly #departures = new Written<DepartureRow>(this.#undo);
  readonly #returns = new Written<RecordKey & { readonly scope: string }>(this.#undo);
  readonly #discrepancies = new Written<DiscrepancyRow>(this.#undo);
  readonly #newEpochs = new Written<EpochRow>(this.#undo);
  readonly #loadedClock: TenantClock | undefined;
  #clock: TenantClock | undefined;
  #log: LogLine[] = [];

  constructor(clock: TenantClock | undefined) {
    this.#loadedClock = clock;
    this.#clock = clock;
  }

  // ── the clock ──

  get hasClock(): boolean {
    return this.#clock !== undefined;
  }

  get clock(): TenantClock {
    assert(this.#clock !== undefined, "the tenant has an epoch before anything else is decided");
    return this.#clock;
  }

  setClock(clock: TenantClock): void {
    this.#clock = clock;
  }

  /** The next change position. `takenBy` makes a mark with it, if no other position is taken after it. */
  take(takenBy: string): number {
    const position = this.clock.position + 1;
    assert(Number.isSafeInteger(position), "positions are safe integers");
    this.#clock = { ...this.clock, position, lastId: takenBy };
    return position;
  }

  savepoint(): Savepoint {
    return { undo: this.#undo.length, clock: this.#clock };
  }

  rollback(to: Savepoint): void {
    while (this.#undo.length > to.undo) this.#undo.pop()?.();
    this.#clock = to.clock;
  }

  // ── rows ──

  record(collection: string, id: string): RecordRow | undefined {
    return this.#records.get(recordKey(collection, id), { collection, id });
  }
  /** Whether {@link record} returns what is stored. If not, the row was not loaded yet. */
  knowsRecord({ collection, id }: RecordKey): boolean {
    return this.#records.knows(recordKey(collection, id));
  }
  putRecord(row: RecordRow): void {
    this.#records.put(recordKey(row.collection, row.id), row);
  }
  putDeparture(row: DepartureRow): void {
    const key = departureKey(row);
    this.#returns.drop(key);
    this.#departures.put(key, row);
  }
  takeBackDeparture(row: RecordKey & { readonly scope: string }): void {
    const key = departureKey(row);
    this.#departures.drop(key);
    this.#returns.put(key, row);
  }

  /** Where rows were written since then, and where rows have left a branch. */
  *touchedSince(position: number): Iterable<Touched> {
    for (const { collection, scope, version, state } of this.#records.allWritten()) {
      if (version > position && state !== "stub") yield { collection, scope };
    }
    for (const { collection, scope, version } of this.#departures.allWritten()) {
      if (version > position) yield { collection, scope };
    }
  }

  operation(id: string): OperationRow | undefined {
    return this.#operations.get(id, id);
  }
  putOperation(row: OperationRow): void {
    this.#countHeld(this.#operations.known(row.id), row);
    this.#operations.put(row.id, row);
    if (row.sequence !== undefined) this.#sequences.put(sequenceKey(row.incarnation, row.sequence), row.id);
  }
  /** What the device has in quarantine, with what this decision has added to it. */
  held(device: string): Held {
    const stored = this.#held.get(device, { kind: "held", device }) ?? NOTHING_HELD;
    return plus(stored, this.addedToQuarantine(device));
  }
  /** What this decision has added to the device's quarantine; negative if it has taken more out. */
  addedToQuarantine(device: string): Held {
    return this.#added.get(device) ?? NOTHING_HELD;
  }
  #countHeld(before: OperationRow | undefined, after: OperationRow): void {
    if (before !== undefined && isOpenQuarantine(before)) this.#addHeld(before.device, minus(heldBy(before)));
    if (isOpenQuarantine(after)) this.#addHeld(after.device, heldBy(after));
  }
  #addHeld(device: string, more: Held): void {
    const before = this.addedToQuarantine(device);
    this.#added.set(device, plus(before, more));
    this.#undo.push(() => this.#added.set(device, before));
  }
  /** Whether there is room for one more row of an id that was never seen. */
  takePlaceholder(): boolean {
    if (this.#placeholders >= MAX_PLACEHOLDERS) return false;
    this.#placeholders += 1;
    this.#undo.push(() => {
      this.#placeholders -= 1;
    });
    return true;
  }
  /** Those that this decision has written after that position, new or revised. */
  operationsSince(position: number): readonly OperationRow[] {
    return [...this.#operations.allWritten()].filter((row) => row.feedPosition > position);
  }
  /** The operation that took the sequence number. */
  sequenceOwner(incarnation: string, sequence: number): string | undefined {
    return this.#sequences.get(sequenceKey(incarnation, sequence), [incarnation, sequence]);
  }
  /** The operations of a device's wire transaction that were stored before this decision: the first 500. */
  members(transaction: string, device: string): readonly OperationRow[] {
    const request = { kind: "members", transaction, device, limit: MOST_MEMBERS } as const;
    const stored = this.#members.get(JSON.stringify([transaction, device]), request) ?? [];
    return stored.map((row) => this.#operations.written(row.id) ?? row);
  }

  /**
   * One page of the device's stored results, by feed position. It leaves out those that {@link writtenResults} has in a
   * newer version.
   */
  storedResults(device: string, after: number, limit: number): ResultsPage {
    const request = { kind: "results", device, after, limit } as const;
    const stored = this.#results.get(JSON.stringify(request), request) ?? [];
    const rows = stored.filter(({ id }) => this.#operations.written(id) === undefined);
    return { rows, next: stored.length < limit ? undefined : stored.at(-1)?.feedPosition };
  }
  /**
   * The device's results after that position that this decision has written, by feed position. They are newer than all
   * stored ones.
   */
  writtenResults(device: string, after: number): readonly ResultRow[] {
    const written = [...this.#operations.allWritten()].filter(
      (row) => row.device === device && row.feedPosition > after,
    );
    return written.sort((a, b) => a.feedPosition - b.feedPosition);
  }

  commit(id: string): CommitRow | undefined {
    return this.#commits.get(id, id);
  }
  putCommit(row: CommitRow): void {
    this.#commits.put(row.id, row);
  }

  conflict(id: string): ConflictRow | undefined {
    return this.#conflicts.get(id, id);
  }
  conflictOf(operationId: string): ConflictRow | undefined {
    return this.#conflictsOf.get(operationId, operationId);
  }
  putConflict(row: ConflictRow): void {
    this.#conflicts.put(row.id, row);
    this.#conflictsOf.put(row.operationId, row);
  }

  /** Those that this decision has written after that position. */
  conflictsSince(position: number): readonly ConflictRow[] {
    return [...this.#conflicts.allWritten()].filter((row) => row.position > position);
  }

  putDiscrepancy(row: DiscrepancyRow): void {
    this.#discrepancies.put(row.id, row);
  }

  device(id: string): DeviceRow | undefined {
    return this.#devices.get(id, id);
  }
  putDevice(row: DeviceRow): void {
    this.#devices.put(row.id, row);
  }
  incarnation(device: string, incarnation: string): IncarnationRow | undefined {
    const request = { kind: "incarnations", device, incarnation, limit: 0 } as const;
    return this.#incarnations.get(`${device} ${incarnation}`, request);
  }
  putIncarnation(row: IncarnationRow): void {
    this.#incarnations.put(`${row.device} ${row.incarnation}`, row);
  }
  /** The device's newest incarnations, with what this decision has written of them. */
  newestIncarnations(device: string): readonly IncarnationRow[] {
    const request = { kind: "incarnations", device, limit: NEWEST_INCARNATIONS } as const;
    const newest = new Map(this.#newest.get(device, request)?.map((row) => [row.incarnation, row]));
    for (const row of this.#incarnations.allWritten()) if (row.device === device) newest.set(row.incarnation, row);
    return [...newest.values()];
  }

  epochs(): readonly EpochRow[] {
    return [...(this.#epochs.get("all", { kind: "epochs" }) ?? []), ...this.#newEpochs.allWritten()];
  }
  putEpoch(row: EpochRow): void {
    this.#newEpochs.put(row.epoch, row);
  }

  log(level: LogLine["level"], message: string, fields: object): void {
    this.#log.push({ level, message, fields });
  }
  /** Logs something about a row that was just written: what takes the row back takes back the line. */
  logWritten(level: LogLine["level"], message: string, fields: object): void {
    const line = { level, message, fields };
    this.#log.push(line);
    this.#undo.push(() => {
      this.#log = this.#log.filter((other) => other !== line);
    });
  }
  get logged(): readonly LogLine[] {
    return this.#log;
  }

  // ── between runs ──

  /** About how many bytes of the shop's rows were read. */
  get loadedBytes(): number {
    return this.#loadedBytes;
  }
  noteLoaded(bytes: number): void {
    this.#loadedBytes += bytes;
  }
  /** How many ids were followed from operations in quarantine in this run, and how many of these were judged again. */
  get followed(): number {
    return this.#followed;
  }
  noteFollowed(operations: number): void {
    this.#followed += operations;
  }
  /** How many of its units a push may have judged: those whose rows were read. `undefined`: all. */
  reached(push: object): number | undefined {
    return this.#reached.get(push);
  }
  noteReached(push: object, units: number): void {
    this.#reached.set(push, units);
  }

  /** Whether the decision looked for rows that are not loaded: what this run decides is thrown away. */
  get lacksRows(): boolean {
    return this.#readTables.some((table) => table.lacksRows);
  }

  /** The reads for the rows that are lacking, each with the way to hand in its answer. */
  missingReads(): readonly MissingRead[] {
    return this.#readTables.flatMap((table) => table.missingReads());
  }

  /** Before the next run: forgets what was written, and keeps what was loaded. */
  restart(): void {
    this.rollback({ undo: 0, clock: this.#loadedClock });
    this.#log = [];
    this.#followed = 0;
  }

  writes(): StoreWrites {
    return {
      clock: this.#clock === this.#loadedClock ? undefined : this.#clock,
      epochs: [...this.#newEpochs.allWritten()],
      records: [...this.#records.allWritten()],
      departures: [...this.#departures.allWritten()],
      returns: [...this.#returns.allWritten()],
      operations: [...this.#operations.allWritten()],
      commits: [...this.#commits.allWritten()],
      devices: [...this.#devices.allWritten()],
      incarnations: [...this.#incarnations.allWritten()],
      conflicts: [...this.#conflicts.allWritten()],
      discrepancies: [...this.#discrepancies.allWritten()],
    };
  }
}
