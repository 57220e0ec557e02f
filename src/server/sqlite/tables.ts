/** The tables. (server/sqlite; their columns are made in ./migrations) */
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
} from "../ports/store.ts";
import { Table } from "./table.ts";

export const clocks = new Table<TenantClock>({
  name: "clocks",
  key: [],
  columns: {
    position: "plain",
    lastId: "plain",
    epoch: "plain",
    epochOrdinal: "plain",
    epochStart: "plain",
    deviceNumber: "plain",
  },
});

export const epochs = new Table<EpochRow>({
  name: "epochs",
  key: ["epoch"],
  columns: { epoch: "plain", ordinal: "plain", start: "plain", at: "plain", reason: "plain" },
});

export const records = new Table<RecordRow>({
  name: "records",
  key: ["collection", "id"],
  columns: {
    collection: "plain",
    id: "plain",
    version: "plain",
    born: "plain",
    state: "plain",
    data: "json",
    counters: "json",
    fields: "json",
    scope: "plain",
    schemaVersion: "plain",
  },
});

export const departures = new Table<DepartureRow>({
  name: "departures",
  key: ["collection", "id", "scope"],
  columns: { collection: "plain", id: "plain", scope: "plain", version: "plain" },
});

export const operations = new Table<OperationRow>({
  name: "operations",
  key: ["id"],
  columns: {
    id: "plain",
    device: "plain",
    incarnation: "plain",
    sequence: "plain",
    collection: "plain",
    entityId: "plain",
    transaction: "plain",
    hash: "plain",
    status: "plain",
    version: "plain",
    position: "plain",
    feedPosition: "plain",
    revision: "plain",
    supersededBy: "plain",
    result: "json",
    operation: "json",
    receivedAt: "plain",
  },
  computed: { quarantine_open: (row) => Number(isOpenQuarantine(row)) },
});

export const commits = new Table<CommitRow>({
  name: "commits",
  key: ["id"],
  columns: { id: "plain", position: "plain", kind: "plain", actor: "plain", at: "plain" },
});

export const devices = new Table<DeviceRow>({
  name: "devices",
  key: ["id"],
  columns: {
    id: "plain",
    name: "plain",
    os: "plain",
    appVersion: "plain",
    branch: "plain",
    registeredAt: "plain",
    revokedAt: "plain",
    lastPushAt: "plain",
  },
});

export const incarnations = new Table<IncarnationRow>({
  name: "incarnations",
  // Of the device and not of the tenant: a device that claims another one's incarnation must not overwrite its row.
  key: ["device", "incarnation"],
  columns: {
    device: "plain",
    incarnation: "plain",
    number: "plain",
    registeredAt: "plain",
    firstSequence: "plain",
    lastSequence: "plain",
    received: "plain",
  },
});

export const conflicts = new Table<ConflictRow>({
  name: "conflicts",
  key: ["id"],
  columns: {
    id: "plain",
    operationId: "plain",
    collection: "plain",
    entityId: "plain",
    fields: "json",
    client: "json",
    server: "json",
    scope: "plain",
    device: "plain",
    actor: "plain",
    detectedAt: "plain",
    position: "plain",
    settled: "json",
  },
  computed: { is_settled: ({ settled }) => Number(settled !== undefined) },
});

export const discrepancies = new Table<DiscrepancyRow>({
  name: "discrepancies",
  key: ["id"],
  columns: {
    id: "plain",
    operationId: "plain",
    product: "plain",
    expected: "plain",
    available: "plain",
    at: "plain",
    position: "plain",
    resolution: "plain",
  },
});
