/** Stores what a script returned: one statement for each table that has rows. (server/postgres) */
import type { StoreWrites } from "../ports/store.ts";
import type { Statement } from "./connection.ts";
import { arrayOf, isStorable, type Table } from "./table.ts";
import {
  clocks,
  commits,
  conflicts,
  departures,
  devices,
  discrepancies,
  epochs,
  incarnations,
  operations,
  records,
} from "./tables.ts";

const RETURN =
  "delete from departures d using unnest($2::text[], $3::text[], $4::text[]) k (collection, id, scope) " +
  "where d.tenant = $1 and d.collection = k.collection and d.id = k.id and d.scope = k.scope";

export function planWrites(tenant: string, writes: StoreWrites): readonly Statement[] {
  const statements: Statement[] = [];
  function put<Row extends object>(table: Table<Row>, rows: readonly Row[] | undefined): void {
    if (rows !== undefined && rows.length > 0) statements.push(table.put(tenant, rows));
  }
  if (writes.clock !== undefined) put(clocks, [writes.clock]);
  put(epochs, writes.epochs);
  put(records, writes.records);
  put(departures, writes.departures);
  // No row has a key that cannot be stored.
  const returns = (writes.returns ?? []).filter((row) => [row.collection, row.id, row.scope].every(isStorable));
  if (returns.length > 0) {
    const columns = (["collection", "id", "scope"] as const).map((column) =>
      arrayOf(returns.map((row) => row[column])),
    );
    statements.push({ text: RETURN, values: [tenant, ...columns] });
  }
  put(operations, writes.operations);
  put(commits, writes.commits);
  put(devices, writes.devices);
  put(incarnations, writes.incarnations);
  put(conflicts, writes.conflicts);
  put(discrepancies, writes.discrepancies);
  return statements;
}
