/** The rows of one tenant: its tables, and how a commit changes them. */
import { assert } from "../../shared/assert.ts";
import {
  type CommitRow,
  type ConflictRow,
  type DepartureRow,
  type DeviceRow,
  type DiscrepancyRow,
  type EpochRow,
  type IncarnationRow,
  isOpenQuarantine,
  type OperationRow,
  type RecordRow,
  type TenantClock,
} from "../ports/rows.ts";
import type { StoreWrites } from "../ports/store.ts";
import { frozenCopy } from "./frozen-copy.ts";
import { getOrMake } from "./get-or-make.ts";
import { FeedIndex, Table } from "./table.ts";

/** One key from several parts. The lengths keep ("ab", "c") and ("a", "bc") apart, whatever the parts contain. */
export function keyOf(...parts: readonly string[]): string {
  let key = "";
  for (const part of parts) key += `${part.length}:${part}`;
  return key;
}

export class TenantState {
  #clock: TenantClock | undefined;
  readonly #takenSequences = new Map<string, Map<number, string>>();

  /** Rows by collection and scope, without stubs: those have not been created yet [H4]. */
  readonly changes = new FeedIndex<RecordRow>({
    group: (row) => (row.state === "stub" ? undefined : row.collection),
    part: (row) => row.scope,
    position: (row) => row.version,
  });
  readonly departureFeed = new FeedIndex<DepartureRow>({
    group: (row) => row.collection,
    part: (row) => row.scope,
    position: (row) => row.version,
  });
  readonly results = new FeedIndex<OperationRow>({
    group: (row) => row.device,
    part: (row) => row.incarnation,
    position: (row) => row.feedPosition,
  });
  readonly members = new FeedIndex<OperationRow>({
    group: (row) => row.transaction,
    part: (row) => row.device,
    position: (row) => row.position,
  });
  readonly quarantine = new FeedIndex<OperationRow>({
    group: (row) => (isOpenQuarantine(row) ? "" : undefined),
    position: (row) => row.position,
  });
  /** What waits in quarantine, by device. */
  readonly held = new FeedIndex<OperationRow>({
    group: (row) => (isOpenQuarantine(row) ? row.device : undefined),
    position: (row) => row.position,
  });
  readonly conflictsOf = new FeedIndex<ConflictRow>({
    group: (row) => row.operationId,
    position: (row) => row.position,
  });
  readonly desk = new FeedIndex<ConflictRow>({
    group: (row) => (row.settled === undefined ? "open" : "settled"),
    position: (row) => row.position,
  });
  readonly discrepancyFeed = new FeedIndex<DiscrepancyRow>({ group: () => "", position: (row) => row.position });
  readonly incarnationsOf = new FeedIndex<IncarnationRow>({
    group: (row) => row.device,
    position: (row) => row.number,
  });

  readonly epochs = new Table<EpochRow>((row) => row.epoch);
  readonly records = new Table<RecordRow>((row) => keyOf(row.collection, row.id), [this.changes]);
  readonly departures = new Table<DepartureRow>(
    (row) => keyOf(row.collection, row.id, row.scope),
    [this.departureFeed],
  );
  readonly operations = new Table<OperationRow>(
    (row) => row.id,
    [this.results, this.members, this.quarantine, this.held],
  );
  readonly commits = new Table<CommitRow>((row) => row.id);
  readonly devices = new Table<DeviceRow>((row) => row.id);
  // Unique per device and not per tenant: a device that claims another device's incarnation must not overwrite its row.
  readonly incarnations = new Table<IncarnationRow>((row) => keyOf(row.device, row.incarnation), [this.incarnationsOf]);
  readonly conflicts = new Table<ConflictRow>((row) => row.id, [this.conflictsOf, this.desk]);
  readonly discrepancies = new Table<DiscrepancyRow>((row) => row.id, [this.discrepancyFeed]);

  get clock(): TenantClock | undefined {
    return this.#clock;
  }

  sequenceOwner(incarnation: string, sequence: number): string | undefined {
    return this.#takenSequences.get(incarnation)?.get(sequence);
  }

  /** Commits all writes or none: everything that can fail is checked before the first row changes. */
  apply(writes: StoreWrites): void {
    // Copied first: a row that cannot be copied must not stop the commit half-way.
    const rows = frozenCopy(writes);
    this.#refuseTakenSequences(rows.operations ?? []);

    if (rows.clock !== undefined) this.#clock = rows.clock;
    putAll(this.epochs, rows.epochs);
    putAll(this.records, rows.records);
    putAll(this.departures, rows.departures);
    for (const { collection, id, scope } of rows.returns ?? []) this.departures.delete(keyOf(collection, id, scope));
    putAll(this.operations, rows.operations);
    for (const { id, incarnation, sequence } of rows.operations ?? []) this.#takeSequence(incarnation, sequence, id);
    putAll(this.commits, rows.commits);
    putAll(this.devices, rows.devices);
    putAll(this.incarnations, rows.incarnations);
    putAll(this.conflicts, rows.conflicts);
    putAll(this.discrepancies, rows.discrepancies);
  }

  /** All rows, as the one commit that restores them. */
  contents(): StoreWrites {
    return {
      clock: this.#clock,
      epochs: this.epochs.all(),
      records: this.records.all(),
      departures: this.departures.all(),
      operations: this.operations.all(),
      commits: this.commits.all(),
      devices: this.devices.all(),
      incarnations: this.incarnations.all(),
      conflicts: this.conflicts.all(),
      discrepancies: this.discrepancies.all(),
    };
  }

  /** The unique index [C7]: a fork that the decision has overlooked must fail and not overwrite a row. */
  #refuseTakenSequences(operations: readonly OperationRow[]): void {
    const taken = new Map<string, string>();
    for (const { id, incarnation, sequence } of operations) {
      if (sequence === undefined) continue;
      const key = keyOf(incarnation, String(sequence));
      const owner = taken.get(key) ?? this.sequenceOwner(incarnation, sequence);
      assert(
        owner === undefined || owner === id,
        `operations ${owner} and ${id} have the same incarnation and sequence`,
      );
      taken.set(key, id);
    }
  }

  #takeSequence(incarnation: string, sequence: number | undefined, id: string): void {
    if (sequence === undefined) return;
    getOrMake(this.#takenSequences, incarnation, () => new Map<number, string>()).set(sequence, id);
  }
}

function putAll<Row>(table: Table<Row>, rows: readonly Row[] | undefined): void {
  if (rows === undefined) return;
  for (const row of rows) table.put(row);
}
