/**
 * The tables of the SQL stores: rows of the port, column by column. Each engine creates its own tables in its
 * ./migrations.
 */
import {
  type CommitRow,
  type ConflictRow,
  type DepartureRow,
  type DeviceRow,
  type DiscrepancyRow,
  type EpochRow,
  type FeedRow,
  heldBytes,
  type IncarnationRow,
  isOpenQuarantine,
  type OperationRow,
  type RecordRow,
  type ResultRow,
  type TenantClock,
} from "../ports/rows.ts";

/** `json` is stored as text. In every kind, `undefined` is stored as NULL. */
export type ColumnKind = "text" | "integer" | "real" | "json";

export interface ColumnsDefinition<Row> {
  /** The table's name. */
  readonly name: string;
  /** Every member of the row. The column has the member's name in snake case. */
  readonly columns: { readonly [M in keyof Required<Row> & string]: ColumnKind };
}

export interface TableDefinition<Row> extends ColumnsDefinition<Row> {
  /** The members that identify a row within its tenant. Empty: the tenant has one row. */
  readonly key: readonly (keyof Row & string)[];
  /** Columns that only indexes use, by their name in the table: integers computed from the row. */
  readonly computed?: Readonly<Record<string, (row: Row) => number>> | undefined;
}

export const clocks: TableDefinition<TenantClock> = {
  name: "clocks",
  key: [],
  columns: {
    position: "integer",
    lastId: "text",
    epoch: "text",
    epochOrdinal: "integer",
    epochStart: "integer",
    deviceNumber: "integer",
  },
};

export const epochs: TableDefinition<EpochRow> = {
  name: "epochs",
  key: ["epoch"],
  columns: { epoch: "text", ordinal: "integer", start: "integer", at: "integer", reason: "text" },
};

export const records: TableDefinition<RecordRow> = {
  name: "records",
  key: ["collection", "id"],
  columns: {
    collection: "text",
    id: "text",
    version: "integer",
    createdVersion: "integer",
    state: "text",
    data: "json",
    counters: "json",
    fields: "json",
    scope: "text",
    schemaVersion: "integer",
  },
};

/** Records as the feed returns them: only the columns that a page shows are read. */
export const feedRows: ColumnsDefinition<FeedRow> = {
  name: "records",
  columns: { id: "text", version: "integer", state: "text", schemaVersion: "integer", data: "text", counters: "text" },
};

export const departures: TableDefinition<DepartureRow> = {
  name: "departures",
  key: ["collection", "id", "scope"],
  columns: { collection: "text", id: "text", scope: "text", version: "integer" },
};

export const operations: TableDefinition<OperationRow> = {
  name: "operations",
  key: ["id"],
  columns: {
    id: "text",
    device: "text",
    incarnation: "text",
    sequence: "integer",
    collection: "text",
    entityId: "text",
    transaction: "text",
    hash: "text",
    status: "text",
    version: "integer",
    position: "integer",
    feedPosition: "integer",
    revision: "integer",
    supersededBy: "text",
    result: "json",
    operation: "json",
    receivedAt: "integer",
    sentBy: "text",
    sentFrom: "text",
  },
  computed: {
    quarantine_open: (row) => Number(isOpenQuarantine(row)),
    held_bytes: (row) => (isOpenQuarantine(row) ? heldBytes(row) : 0),
  },
};

const { operation: _, ...resultColumns } = operations.columns;
/** Operations as their device receives them: without what was sent. */
export const results: ColumnsDefinition<ResultRow> = { name: "operations", columns: resultColumns };

export const commits: TableDefinition<CommitRow> = {
  name: "commits",
  key: ["id"],
  columns: { id: "text", position: "integer", kind: "text", actor: "text", at: "integer" },
};

export const devices: TableDefinition<DeviceRow> = {
  name: "devices",
  key: ["id"],
  columns: {
    id: "text",
    name: "text",
    os: "text",
    appVersion: "text",
    branch: "text",
    registeredAt: "integer",
    revokedAt: "integer",
    lastPushAt: "integer",
  },
};

export const incarnations: TableDefinition<IncarnationRow> = {
  name: "incarnations",
  // Unique per device and not per tenant: a device that claims another device's incarnation must not overwrite its row.
  key: ["device", "incarnation"],
  columns: {
    device: "text",
    incarnation: "text",
    number: "integer",
    registeredAt: "integer",
    firstSequence: "integer",
    lastSequence: "integer",
    received: "integer",
  },
};

export const conflicts: TableDefinition<ConflictRow> = {
  name: "conflicts",
  key: ["id"],
  columns: {
    id: "text",
    operationId: "text",
    collection: "text",
    entityId: "text",
    fields: "json",
    client: "json",
    server: "json",
    scope: "text",
    device: "text",
    actor: "text",
    detectedAt: "integer",
    position: "integer",
    settled: "json",
  },
  computed: { is_settled: ({ settled }) => Number(settled !== undefined) },
};

export const discrepancies: TableDefinition<DiscrepancyRow> = {
  name: "discrepancies",
  key: ["id"],
  columns: {
    id: "text",
    operationId: "text",
    product: "text",
    expected: "real",
    available: "real",
    at: "integer",
    position: "integer",
    resolution: "text",
  },
};
