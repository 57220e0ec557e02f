/**
 * The rows that a decision works on: what the store gave, under what the decision has written since.
 *
 * - Operations of a batch fold over it one after the other, so that two on one row see each other. One statement that
 *   writes both would see neither: an acknowledged lost write.
 * - It gives out the change positions. A savepoint takes back everything written since, positions included.
 * - A row that was never loaded reads as absent, and is noted. Whoever runs the decision loads what is noted and runs it again
 *   from the start: a decision has no effects, so a run that lacked rows is thrown away. It goes to its end all the same, so that
 *   it notes everything that it lacks; only what depends on the absent row is spared.
 */
import { assert } from "../../../shared/assert.ts";
import type {
  CommitRow,
  ConflictRow,
  DepartureRow,
  DeviceRow,
  DiscrepancyRow,
  EpochRow,
  IncarnationRow,
  OperationRow,
  RecordKey,
  RecordRow,
  ResultRow,
  TenantClock,
} from "../../ports/rows.ts";
import type { StoreRead, StoreReads, StoreWrites } from "../../ports/store.ts";
import { Overlay, type Undo } from "./overlay.ts";

export interface LogLine {
  readonly level: "error" | "info";
  readonly message: string;
  readonly fields: object;
}

export type Savepoint = { readonly undo: number; readonly clock: TenantClock | undefined };

export const recordKey = (collection: string, id: string) => `${collection} ${id}`;

export class WorkingSet {
  readonly #undo: Undo[] = [];
  readonly #records = new Overlay<RecordRow>(this.#undo);
  readonly #operations = new Overlay<OperationRow>(this.#undo);
  readonly #sequences = new Overlay<string>(this.#undo);
  readonly #members = new Overlay<readonly OperationRow[]>(this.#undo);
  readonly #commits = new Overlay<CommitRow>(this.#undo);
  readonly #conflicts = new Overlay<ConflictRow>(this.#undo);
  readonly #conflictsOf = new Overlay<ConflictRow>(this.#undo);
  readonly #devices = new Overlay<DeviceRow>(this.#undo);
  readonly #incarnations = new Overlay<readonly IncarnationRow[]>(this.#undo);
  readonly #results = new Overlay<readonly ResultRow[]>(this.#undo);
  readonly #departures = new Overlay<DepartureRow>(this.#undo);
  readonly #returns = new Overlay<RecordKey & { readonly scope: string }>(this.#undo);
  readonly #discrepancies = new Overlay<DiscrepancyRow>(this.#undo);
  readonly #epochs = new Overlay<EpochRow>(this.#undo);
  readonly #touchedIncarnations = new Overlay<IncarnationRow>(this.#undo);
  readonly #loadedClock: TenantClock | undefined;
  /** Those that can be asked for. */
  readonly #tables: readonly Overlay<unknown>[] = [
    ...[this.#records, this.#operations, this.#sequences, this.#members, this.#commits, this.#conflicts],
    ...[this.#conflictsOf, this.#devices, this.#incarnations, this.#results],
  ];
  #loadedEpochs: readonly EpochRow[] | undefined;
  #epochsWanted = false;
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

  /** The next change position. `taker` makes a mark with it, if nobody takes one after it. */
  take(taker: string): number {
    const position = this.clock.position + 1;
    assert(Number.isSafeInteger(position), "positions are safe integers");
    this.#clock = { ...this.clock, position, lastId: taker };
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
  /** Whether what {@link record} answers is true, and not only that nobody has looked yet. */
  knowsRecord({ collection, id }: RecordKey): boolean {
    return this.#records.knows(recordKey(collection, id));
  }
  putRecord(row: RecordRow): void {
    this.#records.put(recordKey(row.collection, row.id), row);
  }
  putDeparture(row: DepartureRow): void {
    const key = `${recordKey(row.collection, row.id)} ${row.scope}`;
    this.#returns.drop(key);
    this.#departures.put(key, row);
  }
  takeBackDeparture(row: RecordKey & { readonly scope: string }): void {
    const key = `${recordKey(row.collection, row.id)} ${row.scope}`;
    this.#departures.drop(key);
    this.#returns.put(key, row);
  }

  *collectionsWrittenSince(position: number): Iterable<string> {
    for (const row of this.#records.allWritten()) {
      if (row.version > position && row.state !== "stub") yield row.collection;
    }
  }

  operation(id: string): OperationRow | undefined {
    return this.#operations.get(id, id);
  }
  putOperation(row: OperationRow): void {
    this.#operations.put(row.id, row);
    if (row.sequence !== undefined) this.#sequences.put(`${row.incarnation} ${row.sequence}`, row.id);
  }
  /** Which operation took the sequence number. */
  sequenceOwner(incarnation: string, sequence: number): string | undefined {
    return this.#sequences.get(`${incarnation} ${sequence}`, [incarnation, sequence]);
  }
  /** Every operation of a wire transaction, as stored before this decision. */
  members(transaction: string): readonly OperationRow[] {
    return (this.#members.get(transaction, transaction) ?? []).map((row) => this.#operations.written(row.id) ?? row);
  }

  /**
   * This device's results behind `after`, by feed position: what is stored, `size` at a time and no further than is looked at, and then
   * what this decision has written, which is newer than all of it.
   */
  *results(device: string, after: number, size: number): Iterable<ResultRow> {
    for (let from = after; ; ) {
      const request = { kind: "results", device, after: from, limit: size } as const;
      const stored = this.#results.get(JSON.stringify(request), request) ?? [];
      for (const row of stored) {
        if (this.#operations.written(row.id) === undefined) yield row;
        from = row.feedPosition;
      }
      if (stored.length < size) break;
    }
    const written = [...this.#operations.allWritten()].filter(
      (row) => row.device === device && row.feedPosition > after,
    );
    yield* written.sort((a, b) => a.feedPosition - b.feedPosition);
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

  putDiscrepancy(row: DiscrepancyRow): void {
    this.#discrepancies.put(row.id, row);
  }

  device(id: string): DeviceRow | undefined {
    return this.#devices.get(id, id);
  }
  putDevice(row: DeviceRow): void {
    this.#devices.put(row.id, row);
  }
  incarnations(device: string): readonly IncarnationRow[] {
    return this.#incarnations.get(device, device) ?? [];
  }
  putIncarnation(row: IncarnationRow): void {
    const others = this.incarnations(row.device).filter(({ incarnation }) => incarnation !== row.incarnation);
    this.#incarnations.put(row.device, [...others, row]);
    this.#touchedIncarnations.put(`${row.device} ${row.incarnation}`, row);
  }

  epochs(): readonly EpochRow[] {
    this.#epochsWanted = true;
    return [...(this.#loadedEpochs ?? []), ...this.#epochs.allWritten()];
  }
  putEpoch(row: EpochRow): void {
    this.#epochs.put(row.epoch, row);
  }

  log(level: LogLine["level"], message: string, fields: object): void {
    this.#log.push({ level, message, fields });
  }
  get logged(): readonly LogLine[] {
    return this.#log;
  }

  // ── between runs ──

  /** Whether something was asked for that is not here: what this run decides will be thrown away. */
  get incomplete(): boolean {
    if (this.#epochsWanted && this.#loadedEpochs === undefined) return true;
    return this.#tables.some(({ wanted }) => wanted.size > 0);
  }

  needs(): readonly StoreRead[] {
    const needs: StoreRead[] = [];
    const want = <K>(overlay: Overlay<unknown>, read: (keys: K[]) => StoreRead) => {
      if (overlay.wanted.size > 0) needs.push(read([...overlay.wanted.values()] as K[]));
    };
    want<RecordKey>(this.#records, (keys) => ({ kind: "records", keys }));
    want<string>(this.#operations, (ids) => ({ kind: "operations", ids }));
    want<string>(this.#commits, (ids) => ({ kind: "commits", ids }));
    want<string>(this.#conflicts, (ids) => ({ kind: "conflicts", ids }));
    want<string>(this.#conflictsOf, (operationIds) => ({ kind: "conflictsOf", operationIds }));
    want<string>(this.#devices, (ids) => ({ kind: "devices", ids }));
    for (const [incarnation, sequences] of this.#wantedSequences()) {
      needs.push({ kind: "sequences", incarnation, sequences });
    }
    for (const transaction of this.#members.wanted.values() as Iterable<string>) {
      needs.push({ kind: "members", transaction });
    }
    for (const device of this.#incarnations.wanted.values() as Iterable<string>) {
      needs.push({ kind: "incarnations", device });
    }
    for (const request of this.#results.wanted.values()) needs.push(request as StoreReads["results"]["request"]);
    if (this.#epochsWanted && this.#loadedEpochs === undefined) needs.push({ kind: "epochs" });
    return needs;
  }

  #wantedSequences(): Map<string, number[]> {
    const wanted = new Map<string, number[]>();
    for (const [incarnation, sequence] of this.#sequences.wanted.values() as Iterable<[string, number]>) {
      const sequences = wanted.get(incarnation);
      if (sequences === undefined) wanted.set(incarnation, [sequence]);
      else sequences.push(sequence);
    }
    return wanted;
  }

  /** Takes the answer to one of the {@link needs}. */
  load<K extends StoreRead["kind"]>(
    request: StoreReads[K]["request"] & { kind: K },
    answer: StoreReads[K]["answer"],
  ): void;
  load(request: StoreRead, answer: unknown): void {
    switch (request.kind) {
      case "records":
        this.#records.load(
          request.keys.map(({ collection, id }) => recordKey(collection, id)),
          answer as RecordRow[],
          (row) => recordKey(row.collection, row.id),
        );
        break;
      case "operations":
        this.#operations.load(request.ids, answer as OperationRow[], (row) => row.id);
        break;
      case "commits":
        this.#commits.load(request.ids, answer as CommitRow[], (row) => row.id);
        break;
      case "conflicts":
        this.#conflicts.load(request.ids, answer as ConflictRow[], (row) => row.id);
        break;
      case "conflictsOf":
        this.#conflictsOf.load(request.operationIds, answer as ConflictRow[], (row) => row.operationId);
        break;
      case "devices":
        this.#devices.load(request.ids, answer as DeviceRow[], (row) => row.id);
        break;
      case "sequences": {
        const keyed = (sequence: number) => `${request.incarnation} ${sequence}`;
        const rows = answer as StoreReads["sequences"]["answer"];
        const owners = new Map(rows.map(({ sequence, id }) => [keyed(sequence), id]));
        for (const sequence of request.sequences) this.#sequences.know(keyed(sequence), owners.get(keyed(sequence)));
        break;
      }
      case "members":
        this.#members.know(request.transaction, answer as OperationRow[]);
        break;
      case "incarnations":
        this.#incarnations.know(request.device, answer as IncarnationRow[]);
        break;
      case "results":
        this.#results.know(JSON.stringify(request), answer as ResultRow[]);
        break;
      case "epochs":
        this.#loadedEpochs = answer as EpochRow[];
        break;
      default:
        assert(false, `a decision can't ask for ${request.kind}`);
    }
  }

  /** Before the next run: what was written goes, what was loaded stays. */
  restart(): void {
    this.rollback({ undo: 0, clock: this.#loadedClock });
    this.#log = [];
  }

  writes(): StoreWrites {
    return {
      clock: this.#clock === this.#loadedClock ? undefined : this.#clock,
      epochs: [...this.#epochs.allWritten()],
      records: [...this.#records.allWritten()],
      departures: [...this.#departures.allWritten()],
      returns: [...this.#returns.allWritten()],
      operations: [...this.#operations.allWritten()],
      commits: [...this.#commits.allWritten()],
      devices: [...this.#devices.allWritten()],
      incarnations: [...this.#touchedIncarnations.allWritten()],
      conflicts: [...this.#conflicts.allWritten()],
      discrepancies: [...this.#discrepancies.allWritten()],
    };
  }
}
