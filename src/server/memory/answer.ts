/** Runs the reads of the port on a tenant's tables. */
import { unreachable } from "../../shared/assert.ts";
import { jsonBytes } from "../../shared/json.ts";
import { type DepartureRow, type FeedRow, heldBytes, type RecordRow } from "../ports/rows.ts";
import type { FeedEntry, FeedPage, ScopeFilter, StoreRead, StoreReads } from "../ports/store.ts";
import { keyOf, type TenantState } from "./tenant-state.ts";

const END = Number.MAX_SAFE_INTEGER;
const COUNT_LIMIT = 1_000_000;

export function runRead(state: TenantState, read: StoreRead): unknown {
  switch (read.kind) {
    case "clock":
      return state.clock;
    case "records":
      return state.records.pick(read.keys.map(({ collection, id }) => keyOf(collection, id)));
    case "operations":
      return state.operations.pick(read.ids);
    case "sequences":
      return sequences(state, read);
    case "members":
      return state.members.page(read.transaction, [read.device], { after: -1, upTo: END }, read.limit);
    case "commits":
      return state.commits.pick(read.ids);
    case "epochs":
      return state.epochs.all();
    case "devices":
      return state.devices.pick(read.ids);
    case "incarnations":
      return incarnations(state, read);
    case "changes":
      return changes(state, read);
    case "countChanges":
      return countChanges(state, read);
    case "results": {
      const incarnations = read.incarnation === undefined ? "all" : [read.incarnation];
      const rows = state.results.page(read.device, incarnations, { after: read.after, upTo: END }, read.limit);
      return rows.map(({ operation: _, ...row }) => row);
    }
    case "quarantined":
      return state.quarantine.page("", "all", { after: read.after, upTo: END }, read.limit);
    case "held": {
      const rows = state.held.page(read.device, "all", { after: -1, upTo: END }, END);
      return { operations: rows.length, bytes: rows.reduce((sum, row) => sum + heldBytes(row), 0) };
    }
    case "conflicts":
      return state.conflicts.pick(read.ids);
    case "conflictsOf":
      return [...new Set(read.operationIds)].flatMap((id) =>
        state.conflictsOf.page(id, "all", { after: -1, upTo: END }, END),
      );
    case "conflictList":
      return state.desk.page(read.state, "all", { after: read.after, upTo: END }, read.limit);
    case "discrepancies":
      return state.discrepancyFeed.page("", "all", { after: read.after, upTo: END }, read.limit);
    default:
      return unreachable(read);
  }
}

function incarnations(
  state: TenantState,
  { device, incarnation, limit }: StoreReads["incarnations"]["request"],
): StoreReads["incarnations"]["answer"] {
  const all = state.incarnationsOf.page(device, "all", { after: -1, upTo: END }, END);
  const oldest = all.length - limit;
  return all.filter((row, index) => index >= oldest || row.incarnation === incarnation);
}

function sequences(state: TenantState, read: StoreReads["sequences"]["request"]): StoreReads["sequences"]["answer"] {
  return [...new Set(read.sequences)].flatMap((sequence) => {
    const id = state.sequenceOwner(read.incarnation, sequence);
    return id === undefined ? [] : [{ sequence, id }];
  });
}

function changes(state: TenantState, read: StoreReads["changes"]["request"]): FeedPage {
  const { collection, scopes, after, limit } = read;
  const rows = state.changes.page(collection, scopes, { after, upTo: read.upTo }, limit);
  const records = within(read.bytes, rows).map((row): FeedEntry => ({ kind: "record", row }));
  const isCut = records.length < rows.length || records.length >= limit;
  if (scopes === "all") return { entries: records, more: isCut };

  // Departures after a full page of records belong to the next page.
  const upTo = isCut ? (records.at(-1)?.row.version ?? read.upTo) : read.upTo;
  const left = state.departureFeed.page(collection, scopes, { after, upTo }, limit, hasLeft(state, scopes));
  const departures = left.map((row): FeedEntry => ({ kind: "departure", row }));
  const entries = [...records, ...departures].sort((a, b) => a.row.version - b.row.version).slice(0, limit);
  return { entries, more: isCut || entries.length >= limit };
}

/** The rows up to the one whose documents bring the page to `bytes`. */
function within(bytes: number, rows: readonly RecordRow[]): readonly FeedRow[] {
  const held: FeedRow[] = [];
  let total = 0;
  for (const { id, version, state, schemaVersion, ...row } of rows) {
    const data = JSON.stringify(row.data);
    const counters = JSON.stringify(row.counters);
    held.push({ id, version, state, schemaVersion, data, counters });
    total += jsonBytes(data) + jsonBytes(counters);
    if (total >= bytes) break;
  }
  return held;
}

function countChanges(
  state: TenantState,
  { collection, scopes, after, upTo }: StoreReads["countChanges"]["request"],
): number {
  const records = state.changes.count(collection, scopes, { after, upTo });
  if (scopes === "all" || records >= COUNT_LIMIT) return Math.min(records, COUNT_LIMIT);
  const departures = state.departureFeed.page(collection, scopes, { after, upTo }, COUNT_LIMIT, hasLeft(state, scopes));
  return Math.min(records + departures.length, COUNT_LIMIT);
}

/**
 * A row that moved from one of the reader's scopes to another has not left the reader. Without this condition, the page
 * would hold "here it is" and "drop it" at the same version.
 */
function hasLeft(state: TenantState, scopes: Exclude<ScopeFilter, "all">): (departure: DepartureRow) => boolean {
  return ({ collection, id }) => {
    const record = state.records.get(keyOf(collection, id));
    return record === undefined || record.state === "stub" || !scopes.includes(record.scope);
  };
}
