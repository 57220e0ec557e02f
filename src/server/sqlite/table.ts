/** Maps rows of the port to rows of a table, and back. */

import { assert } from "../../shared/assert.ts";
import type { ColumnKind, ColumnsDefinition, TableDefinition } from "../sql/definitions.ts";
import type { Connection, SqliteRow } from "./connection.ts";
import type { SqliteValue } from "./driver.ts";

/** A table's columns, or some of them: how they are selected and decoded. */
export class Columns<Row extends object> {
  readonly name: string;
  protected readonly columns: readonly (readonly [member: keyof Row & string, kind: ColumnKind])[];
  readonly #json: readonly string[];

  constructor({ name, columns }: ColumnsDefinition<Row>) {
    this.name = name;
    this.columns = Object.entries(columns) as [keyof Row & string, ColumnKind][];
    this.#json = this.columns.filter(([, kind]) => kind === "json").map(([member]) => member);
  }

  /** The select list that {@link decode} expects. */
  selection(alias: string): string {
    return this.columns.map(([member]) => `${alias}.${columnOf(member)} as "${member}"`).join(", ");
  }

  decode(rows: readonly SqliteRow[]): readonly Row[] {
    for (const row of rows as Record<string, unknown>[]) {
      for (const member in row) if (row[member] === null) row[member] = undefined;
      for (const member of this.#json) {
        const text = row[member];
        if (text !== undefined) row[member] = JSON.parse(text as string);
      }
    }
    return rows as unknown as readonly Row[];
  }
}

export class Table<Row extends object> extends Columns<Row> {
  readonly #computed: readonly ((row: Row) => number)[];
  readonly #upsert: string;

  constructor(definition: TableDefinition<Row>) {
    super(definition);
    const { name, key, computed = {} } = definition;
    this.#computed = Object.values(computed);

    const names = ["tenant", ...this.columns.map(([member]) => columnOf(member)), ...Object.keys(computed)];
    const keyNames = ["tenant", ...key.map(columnOf)];
    const changing = names
      .filter((column) => !keyNames.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    // Not `insert or replace`: that would delete another operation with the same sequence number instead of failing.
    this.#upsert =
      `insert into ${name} (${names.join(", ")}) values (${names.map(() => "?").join(", ")}) ` +
      `on conflict (${keyNames.join(", ")}) do update set ${changing.join(", ")}`;
  }

  put(connection: Connection, tenant: string, row: Row): void {
    const parameters: SqliteValue[] = [tenant];
    for (const [member, kind] of this.columns) parameters.push(encode(row[member], kind));
    for (const compute of this.#computed) parameters.push(compute(row));
    connection.run(this.#upsert, ...parameters);
  }
}

/** Quoted, because `transaction` is a keyword of SQL. */
function columnOf(member: string): string {
  return `"${member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;
}

/**
 * libsql ends the process if it is given a boolean, and cuts text at U+0000; UTF-8 encodes every lone surrogate as the
 * same character. Two ids could become one. JSON text has none of these.
 */
function encode(value: unknown, kind: ColumnKind): SqliteValue {
  if (value === undefined) return null;
  if (kind === "json") return JSON.stringify(value);
  if (typeof value === "number") return value;
  assert(typeof value === "string" && isStorable(value), "a column was given what SQLite cannot keep");
  return value;
}

/** `isWellFormed` is in Node 20 and not yet in the `lib` of this project. */
export function isStorable(text: string): boolean {
  return !text.includes("\0") && (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}
