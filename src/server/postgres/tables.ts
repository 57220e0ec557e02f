/** The tables. (server/postgres; their columns are made in ./migrations) */
import type {
  CommitRow,
  ConflictRow,
  DepartureRow,
  DeviceRow,
  DiscrepancyRow,
  EpochRow,
  IncarnationRow,
  OperationRow,
  RecordRow,
  TenantClock,
} from "../ports/store.ts";
import { isOpenQuarantine } from "../ports/store.ts";
import { Table } from "./table.ts";

export const clocks = new Table<TenantClock>({
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
});

export const epochs = new Table<EpochRow>({
  name: "epochs",
  key: ["epoch"],
  columns: { epoch: "text", ordinal: "integer", start: "integer", at: "integer", reason: "text" },
});

export const records = new Table<RecordRow>({
  name: "records",
  key: ["collection", "id"],
  columns: {
    collection: "text",
    id: "text",
    version: "integer",
    born: "integer",
    state: "text",
    data: "json",
    counters: "json",
    fields: "json",
    scope: "text",
    schemaVersion: "integer",
  },
});

export const departures = new Table<DepartureRow>({
  name: "departures",
  key: ["collection", "id", "scope"],
  columns: { collection: "text", id: "text", scope: "text", version: "integer" },
});

export const operations = new Table<OperationRow>({
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
  },
  computed: { quarantine_open: (row) => Number(isOpenQuarantine(row)) },
});

export const commits = new Table<CommitRow>({
  name: "commits",
  key: ["id"],
  columns: { id: "text", position: "integer", kind: "text", actor: "text", at: "integer" },
});

export const devices = new Table<DeviceRow>({
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
});

export const incarnations = new Table<IncarnationRow>({
  name: "incarnations",
  // Of the device and not of the tenant: a device that claims another one's incarnation must not overwrite its row.
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
});

export const conflicts = new Table<ConflictRow>({
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
});

export const discrepancies = new Table<DiscrepancyRow>({
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
});

/** Those that belong to tenants, one and all under row-level security. */
export const tenantTables: readonly string[] = [
  ...[clocks, epochs, records, departures, operations],
  ...[commits, devices, incarnations, conflicts, discrepancies],
].map(({ name }) => name);
