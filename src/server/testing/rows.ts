/** Rows with default values; a case overrides the members that it tests. */

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
  ResultRow,
  TenantClock,
} from "../ports/rows.ts";
import type { FeedEntry } from "../ports/store.ts";

export function clockRow(position: number, row: Partial<TenantClock> = {}): TenantClock {
  return {
    position,
    lastId: `at-${position}`,
    epoch: "epoch-1",
    epochOrdinal: 1,
    epochStart: 0,
    deviceNumber: 0,
    ...row,
  };
}

export function epochRow(ordinal: number, row: Partial<EpochRow> = {}): EpochRow {
  return { epoch: `epoch-${ordinal}`, ordinal, start: ordinal * 1_000, at: 1_700_000_000_000, reason: "first", ...row };
}

export function recordRow(id: string, version: number, row: Partial<RecordRow> = {}): RecordRow {
  return {
    collection: "products",
    id,
    version,
    createdVersion: version,
    state: "live",
    data: { name: id, price: 250 },
    counters: { stock: 3 },
    fields: { price: [version, "incarnation-1"] },
    scope: "",
    schemaVersion: 1,
    ...row,
  };
}

/** The record as the change feed returns it. */
export function changeOf({ id, version, state, schemaVersion, data, counters }: RecordRow): FeedEntry {
  const documents = { data: JSON.stringify(data), counters: JSON.stringify(counters) };
  return { kind: "record", row: { id, version, state, schemaVersion, ...documents } };
}

export function departureRow(
  id: string,
  version: number,
  scope: string,
  row: Partial<DepartureRow> = {},
): DepartureRow {
  return { collection: "products", id, scope, version, ...row };
}

export function operationRow(id: string, position: number, row: Partial<OperationRow> = {}): OperationRow {
  return {
    id,
    device: "device-1",
    incarnation: "incarnation-1",
    sequence: position,
    collection: "sales",
    entityId: `entity-of-${id}`,
    transaction: undefined,
    hash: `hash-of-${id}`,
    status: "applied",
    version: position,
    position,
    feedPosition: position,
    revision: 0,
    supersededBy: undefined,
    result: { id, status: "applied", version: position },
    operation: {
      id,
      sequence: position,
      collection: "sales",
      entityId: `entity-of-${id}`,
      schemaVersion: 1,
      occurredAt: "2026-01-05T09:30:00.000Z",
      action: "create",
      data: { total: 250 },
    },
    receivedAt: 1_767_605_400_000,
    sentBy: "anna",
    sentFrom: "north",
    ...row,
  };
}

/** The operation as a device's results return it. */
export function resultRow({ operation: _, ...row }: OperationRow): ResultRow {
  return row;
}

/** A quarantined fact. */
export function quarantinedRow(id: string, position: number, row: Partial<OperationRow> = {}): OperationRow {
  const error = { code: "validation_failed", message: "The total is not the sum of the lines." };
  return operationRow(id, position, {
    status: "quarantined",
    version: 0,
    result: { id, status: "quarantined", error },
    ...row,
  });
}

export function commitRow(id: string, position: number, row: Partial<CommitRow> = {}): CommitRow {
  return { id, position, kind: "release", actor: "anna", at: 1_767_605_400_000, ...row };
}

export function deviceRow(id: string, row: Partial<DeviceRow> = {}): DeviceRow {
  return {
    id,
    name: "Till 1",
    os: "Android 14",
    appVersion: "3.2.0",
    branch: "north",
    registeredAt: 1_767_605_400_000,
    revokedAt: undefined,
    lastPushAt: undefined,
    ...row,
  };
}

export function incarnationRow(incarnation: string, row: Partial<IncarnationRow> = {}): IncarnationRow {
  return {
    incarnation,
    device: "device-1",
    number: 1,
    registeredAt: 1_767_605_400_000,
    firstSequence: undefined,
    lastSequence: 0,
    received: 0,
    ...row,
  };
}

export function conflictRow(id: string, position: number, row: Partial<ConflictRow> = {}): ConflictRow {
  return {
    id,
    operationId: `operation-of-${id}`,
    collection: "customers",
    entityId: "customer-1",
    fields: ["phone"],
    client: { phone: "030 1" },
    server: { version: 4, data: { phone: "030 2" } },
    scope: "",
    device: "device-1",
    actor: "anna",
    detectedAt: 1_767_605_400_000,
    position,
    settled: undefined,
    ...row,
  };
}

export function discrepancyRow(id: string, position: number, row: Partial<DiscrepancyRow> = {}): DiscrepancyRow {
  return {
    id,
    operationId: `operation-of-${id}`,
    product: "product-1",
    expected: 2,
    available: 0,
    at: 1_767_605_400_000,
    position,
    resolution: undefined,
    ...row,
  };
}
