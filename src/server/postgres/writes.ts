/** Stores what a script returned: one statement per table with rows, all in one round trip. */
import type { StoreWrites } from "../ports/store.ts";
import type { Statement } from "./connection.ts";
import { isStorable, type Table } from "./table.ts";
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

const RETURN = "delete from departures where tenant = $1 and collection = $2 and id = $3 and scope = $4";

export function planWrites(tenant: string, writes: StoreWrites): readonly Statement[] {
  const statements: Statement[] = [];
  function put<Row extends object>(table: Table<Row>, rows: readonly Row[] | undefined): void {
    if (rows !== undefined && rows.length > 0) statements.push(table.put(tenant, rows));
  }
  if (writes.clock !== undefined) put(clocks, [writes.clock]);
  put(epochs, writes.epochs);
  put(records, writes.records);
  put(departures, writes.departures);
  // There are few, each deleted by its key: for one statement with all keys, the planner might scan the tenant's
  // departures.
  for (const { collection, id, scope } of writes.returns ?? []) {
    // A key that cannot be stored has no row.
    if ([collection, id, scope].every(isStorable)) {
      statements.push({ text: RETURN, values: [tenant, collection, id, scope] });
    }
  }
  put(operations, writes.operations);
  put(commits, writes.commits);
  put(devices, writes.devices);
  put(incarnations, writes.incarnations);
  put(conflicts, writes.conflicts);
  put(discrepancies, writes.discrepancies);
  return statements;
}
