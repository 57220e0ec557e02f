/**
 * Plans the reads of the port: one statement per table, however many keys are asked for.
 *
 * Key lists are passed as arrays, and each key is one index look-up. A planner that is free to choose relies on the
 * table's statistics, and those of an empty table hold until it is analysed again: 190 ms for a push into 6,000 rows.
 */
import { unreachable } from "../../shared/assert.ts";
import type { RecordKey } from "../ports/rows.ts";
import type { StoreRead, StoreReads } from "../ports/store.ts";
import { withNamed } from "../sql/with-named.ts";
import { planChanges, planCountChanges } from "./changes.ts";
import type { ReadPlan } from "./connection.ts";
import { PartitionedFeed } from "./partitioned-feed.ts";
import { arrayOf, type Columns, isStorable } from "./table.ts";
import {
  clocks,
  commits,
  conflicts,
  devices,
  discrepancies,
  epochs,
  incarnations,
  operations,
  records,
  results as resultRows,
} from "./tables.ts";

const END = Number.MAX_SAFE_INTEGER;

const results = new PartitionedFeed({
  table: resultRows,
  group: "device",
  part: "incarnation",
  position: "feed_position",
});

type Selectable = Pick<Columns<object>, "name" | "selection">;

const where = (table: Selectable, condition: string) =>
  `select ${table.selection("t")} from ${table.name} t where t.tenant = $1 and ${condition}`;
/**
 * `offset 0` keeps PostgreSQL from reversing the join: it would scan the tenant's rows and look for each in the list.
 */
const each = (keys: string, table: Selectable, selection: string, condition: string) =>
  `select ${selection} from ${keys} cross join lateral ` +
  `(select * from ${table.name} t where t.tenant = $1 and ${condition} offset 0) t`;
const byColumn = (table: Selectable, column: string) =>
  each("unnest($2::text[]) k (key)", table, table.selection("t"), `t.${column} = k.key`);

const sql = {
  // A row without an epoch is only a lock, and not a clock yet.
  clock: where(clocks, "t.epoch is not null"),
  epochs: where(epochs, "true order by t.ordinal"),
  records: each(
    "unnest($2::text[], $3::text[]) k (collection, id)",
    records,
    records.selection("t"),
    "t.collection = k.collection and t.id = k.id",
  ),
  operations: byColumn(operations, "id"),
  sequences: each(
    "unnest($3::bigint[]) k (key)",
    operations,
    "t.sequence, t.id",
    "t.incarnation = $2 and t.sequence = k.key and t.sequence is not null",
  ),
  members: where(operations, 't."transaction" = $2 and t.device = $3 order by t.position limit $4::bigint'),
  commits: byColumn(commits, "id"),
  devices: byColumn(devices, "id"),
  newest: where(incarnations, "t.device = $2 order by t.number desc limit $3::bigint"),
  incarnation: where(incarnations, "t.device = $2 and t.incarnation = $3"),
  quarantined: where(
    operations,
    "t.quarantine_open = 1 and t.position > $2::bigint order by t.position limit $3::bigint",
  ),
  held:
    "select count(*), coalesce(sum(t.held_bytes), 0) from operations t " +
    "where t.tenant = $1 and t.device = $2 and t.quarantine_open = 1",
  conflicts: byColumn(conflicts, "id"),
  conflictsOf: byColumn(conflicts, "operation_id"),
  desk: where(conflicts, "t.is_settled = $2::bigint and t.position > $3::bigint order by t.position limit $4::bigint"),
  discrepancies: where(discrepancies, "t.position > $2::bigint order by t.position limit $3::bigint"),
};

export function planRead(tenant: string, read: StoreRead): ReadPlan {
  const rows = <Row extends object>(table: Columns<Row>, text: string, ...values: string[]): ReadPlan => ({
    statements: [{ text, values: [tenant, ...values] }],
    decode: ([found = []]) => table.decode(found),
  });
  const listed = <Row extends object>(table: Columns<Row>, text: string, keys: readonly string[]): ReadPlan =>
    keys.length === 0 ? nothing : rows(table, text, arrayOf(new Set(keys)));

  switch (read.kind) {
    case "clock": {
      const { statements, decode } = rows(clocks, sql.clock);
      return { statements, decode: (found) => (decode(found) as readonly unknown[])[0] };
    }
    case "records":
      return planRecords(tenant, read.keys);
    case "operations":
      return listed(operations, sql.operations, read.ids);
    case "sequences":
      return planSequences(tenant, read.incarnation, read.sequences);
    case "members":
      if (!isStorable(read.transaction) || !isStorable(read.device)) return nothing;
      return rows(operations, sql.members, read.transaction, read.device, String(read.limit));
    case "commits":
      return listed(commits, sql.commits, read.ids);
    case "epochs":
      return rows(epochs, sql.epochs);
    case "devices":
      return listed(devices, sql.devices, read.ids);
    case "incarnations":
      return planIncarnations(tenant, read);
    case "changes":
      return planChanges(tenant, read);
    case "countChanges":
      return planCountChanges(tenant, read);
    case "results": {
      if (!isStorable(read.device)) return nothing;
      const parts = read.incarnation === undefined ? "all" : [read.incarnation];
      const range = { after: read.after, upTo: END, limit: read.limit };
      const statements = [results.page(tenant, read.device, parts, range)];
      return { statements, decode: ([found = []]) => results.decode(found) };
    }
    case "quarantined":
      return rows(operations, sql.quarantined, String(read.after), String(read.limit));
    case "held":
      return isStorable(read.device) ? planHeld(tenant, read.device) : { statements: [], decode: () => NOTHING_HELD };
    case "conflicts":
      return listed(conflicts, sql.conflicts, read.ids);
    case "conflictsOf":
      return listed(conflicts, sql.conflictsOf, read.operationIds);
    case "conflictList":
      return rows(
        conflicts,
        sql.desk,
        String(Number(read.state === "settled")),
        String(read.after),
        String(read.limit),
      );
    case "discrepancies":
      return rows(discrepancies, sql.discrepancies, String(read.after), String(read.limit));
    default:
      return unreachable(read);
  }
}

const NOTHING_HELD = { operations: 0, bytes: 0 };
const nothing: ReadPlan = { statements: [], decode: () => [] };

function planRecords(tenant: string, keys: readonly RecordKey[]): ReadPlan {
  const ids = new Map<string, Set<string>>();
  for (const { collection, id } of keys) {
    if (!isStorable(collection) || !isStorable(id)) continue; // no row has such a key
    const known = ids.get(collection);
    if (known === undefined) ids.set(collection, new Set([id]));
    else known.add(id);
  }
  const pairs = [...ids].flatMap(([collection, set]) => [...set].map((id) => [collection, id] as const));
  if (pairs.length === 0) return nothing;
  const values = [tenant, arrayOf(pairs.map(([collection]) => collection)), arrayOf(pairs.map(([, id]) => id))];
  return { statements: [{ text: sql.records, values }], decode: ([found = []]) => records.decode(found) };
}

function planIncarnations(tenant: string, read: StoreReads["incarnations"]["request"]): ReadPlan {
  const { device, incarnation, limit } = read;
  if (!isStorable(device)) return nothing;
  const statements = [{ text: sql.newest, values: [tenant, device, String(limit)] }];
  if (incarnation !== undefined && isStorable(incarnation))
    statements.push({ text: sql.incarnation, values: [tenant, device, incarnation] });
  return {
    statements,
    decode: ([newest = [], named = []]) => withNamed(incarnations.decode(newest), incarnations.decode(named)),
  };
}

function planHeld(tenant: string, device: string): ReadPlan {
  return {
    statements: [{ text: sql.held, values: [tenant, device] }],
    decode: ([[row = []] = []]) => ({ operations: Number(row[0]), bytes: Number(row[1]) }),
  };
}

function planSequences(tenant: string, incarnation: string, sequences: readonly number[]): ReadPlan {
  if (sequences.length === 0 || !isStorable(incarnation)) return nothing;
  const values = [tenant, incarnation, arrayOf(new Set(sequences))];
  return {
    statements: [{ text: sql.sequences, values }],
    decode: ([found = []]) => found.map(([sequence, id]) => ({ sequence: Number(sequence), id })),
  };
}
