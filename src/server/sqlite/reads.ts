/**
 * Runs the reads of the port: one statement per table, however many keys are asked for.
 *
 * Key lists are passed as one JSON array. `cross join` fixes the join order in SQLite: a planner that is free to choose
 * might scan the table and look into the list, which gets slower with everything that was ever sold.
 */
import { unreachable } from "../../shared/assert.ts";
import type { RecordRow } from "../ports/rows.ts";
import type { StoreRead } from "../ports/store.ts";
import { withNamed } from "../sql/with-named.ts";
import { countChanges, readChanges } from "./changes.ts";
import type { Connection } from "./connection.ts";
import type { SqliteValue } from "./driver.ts";
import { PartitionedFeed } from "./partitioned-feed.ts";
import type { Columns } from "./table.ts";
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

const byColumn = (table: Selectable, column: string) =>
  `select ${table.selection("t")} from json_each(?) k cross join ${table.name} t where t.tenant = ? and t.${column} = k.value`;
const where = (table: Selectable, condition: string) =>
  `select ${table.selection("t")} from ${table.name} t where t.tenant = ? and ${condition}`;

const sql = {
  clock: where(clocks, "true"),
  epochs: where(epochs, "true order by t.ordinal"),
  records:
    `select ${records.selection("t")} from json_each(?) k cross join records t ` +
    "where t.tenant = ? and t.collection = k.value ->> 0 and t.id = k.value ->> 1",
  operations: byColumn(operations, "id"),
  sequences:
    "select t.sequence, t.id from json_each(?) k cross join operations t where t.tenant = ? and t.incarnation = ? and t.sequence = k.value",
  members: where(operations, 't."transaction" = ? and t.device = ? order by t.position limit ?'),
  commits: byColumn(commits, "id"),
  devices: byColumn(devices, "id"),
  newest: where(incarnations, "t.device = ? order by t.number desc limit ?"),
  incarnation: where(incarnations, "t.device = ? and t.incarnation = ?"),
  quarantined: where(operations, "t.quarantine_open = 1 and t.position > ? order by t.position limit ?"),
  held: "select count(*) as operations, coalesce(sum(t.held_bytes), 0) as bytes from operations t where t.tenant = ? and t.device = ? and t.quarantine_open = 1",
  conflicts: byColumn(conflicts, "id"),
  conflictsOf: byColumn(conflicts, "operation_id"),
  desk: where(conflicts, "t.is_settled = ? and t.position > ? order by t.position limit ?"),
  discrepancies: where(discrepancies, "t.position > ? order by t.position limit ?"),
};

export function runRead(connection: Connection, tenant: string, read: StoreRead): unknown {
  const rows = <Row extends object>(table: Columns<Row>, text: string, ...parameters: SqliteValue[]): readonly Row[] =>
    table.decode(connection.all(text, ...parameters));
  const listed = <Row extends object>(
    table: Columns<Row>,
    text: string,
    keys: readonly (string | number)[],
  ): readonly Row[] => (keys.length === 0 ? [] : rows(table, text, JSON.stringify([...new Set(keys)]), tenant));

  switch (read.kind) {
    case "clock":
      return rows(clocks, sql.clock, tenant)[0];
    case "records":
      return readRecords(connection, tenant, read.keys);
    case "operations":
      return listed(operations, sql.operations, read.ids);
    case "sequences":
      if (read.sequences.length === 0) return [];
      return connection.all(sql.sequences, JSON.stringify([...new Set(read.sequences)]), tenant, read.incarnation);
    case "members":
      return rows(operations, sql.members, tenant, read.transaction, read.device, read.limit);
    case "commits":
      return listed(commits, sql.commits, read.ids);
    case "epochs":
      return rows(epochs, sql.epochs, tenant);
    case "devices":
      return listed(devices, sql.devices, read.ids);
    case "incarnations":
      return withNamed(
        rows(incarnations, sql.newest, tenant, read.device, read.limit),
        read.incarnation === undefined
          ? []
          : rows(incarnations, sql.incarnation, tenant, read.device, read.incarnation),
      );
    case "changes":
      return readChanges(connection, tenant, read);
    case "countChanges":
      return countChanges(connection, tenant, read);
    case "results": {
      const parts = read.incarnation === undefined ? "all" : [read.incarnation];
      const range = { after: read.after, upTo: END, limit: read.limit };
      return results.page(connection, tenant, read.device, parts, range).rows;
    }
    case "quarantined":
      return rows(operations, sql.quarantined, tenant, read.after, read.limit);
    case "held": {
      const [held] = connection.all(sql.held, tenant, read.device);
      return { operations: Number(held?.operations), bytes: Number(held?.bytes) };
    }
    case "conflicts":
      return listed(conflicts, sql.conflicts, read.ids);
    case "conflictsOf":
      return listed(conflicts, sql.conflictsOf, read.operationIds);
    case "conflictList":
      return rows(conflicts, sql.desk, tenant, Number(read.state === "settled"), read.after, read.limit);
    case "discrepancies":
      return rows(discrepancies, sql.discrepancies, tenant, read.after, read.limit);
    default:
      return unreachable(read);
  }
}

function readRecords(
  connection: Connection,
  tenant: string,
  keys: readonly { readonly collection: string; readonly id: string }[],
): readonly RecordRow[] {
  if (keys.length === 0) return [];
  const pairs = new Set(keys.map(({ collection, id }) => JSON.stringify([collection, id])));
  return records.decode(connection.all(sql.records, `[${[...pairs].join(",")}]`, tenant));
}
