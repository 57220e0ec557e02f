/** A shop as the first version of the store wrote it, before its second migration, and what has to be read of it. */
import { readFileSync } from "node:fs";
import type { StoreRead } from "../../../src/server/ports/store.ts";
import type { CheckedMigration, Migration } from "../../../src/server/sql/migrations.ts";
import * as rows from "../../../src/server/testing/rows.ts";
import { systemDigest } from "../../../src/shared/digest.ts";

export async function firstMigration([initial]: readonly Migration[]): Promise<CheckedMigration> {
  if (initial === undefined) throw new Error("there is no migration");
  return { ...initial, checksum: await systemDigest.sha256(initial.sql) };
}

type Value = string | number | null;
type Tables = Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;

const url = new URL("./first-version.json", import.meta.url);
const tables = JSON.parse(readFileSync(url, "utf8")) as Tables;

/** The statements that bring the rows into a database that has the first migration alone. Both databases take them. */
export const insertions: readonly string[] = Object.entries(tables).flatMap(([table, all]) =>
  all.map((row) => {
    const columns = Object.keys(row).map((name) => `"${name}"`);
    return `insert into ${table} (${columns.join(", ")}) values (${Object.values(row).map(literal).join(", ")})`;
  }),
);

function literal(value: Value): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

// That version did not store who had sent an operation.
const unknownSender = { sentBy: undefined, sentFrom: undefined };
const sale = rows.operationRow("sale", 2, { transaction: "basket", ...unknownSender });
const payment = rows.quarantinedRow("payment", 5, { transaction: "basket", ...unknownSender });
const page = { after: 0, limit: 10 } as const;

export const expectations: readonly (readonly [StoreRead, unknown])[] = [
  [{ kind: "clock" }, rows.clockRow(7)],
  [{ kind: "epochs" }, [rows.epochRow(1)]],
  [
    { kind: "records", keys: [{ collection: "products", id: "tea" }] },
    [rows.recordRow("tea", 1, { data: { name: "Tea" }, counters: { stock: -3 } })],
  ],
  [{ kind: "operations", ids: ["sale"] }, [sale]],
  [{ kind: "members", transaction: "basket", device: "device-1", limit: 10 }, [sale, payment]],
  [{ kind: "results", device: "device-1", ...page }, [sale, payment].map(rows.resultRow)],
  [{ kind: "quarantined", ...page }, [payment]],
  // How many bytes they have was not stored. They count.
  [
    { kind: "held", device: "device-1" },
    { operations: 1, bytes: 0 },
  ],
  [{ kind: "incarnations", device: "device-1", limit: 1 }, [rows.incarnationRow("incarnation-2", { number: 2 })]],
  [{ kind: "commits", ids: ["release"] }, [rows.commitRow("release", 4)]],
  [{ kind: "devices", ids: ["device-1"] }, [rows.deviceRow("device-1", { name: "Till 1" })]],
  [{ kind: "conflictList", state: "open", ...page }, [rows.conflictRow("conflict", 6, { operationId: "sale" })]],
  [{ kind: "discrepancies", ...page }, [rows.discrepancyRow("discrepancy", 7)]],
];
