/** Maps rows of the port to rows of a table, and back. */

import { assert } from "../../shared/assert.ts";
import { UNSTORABLE } from "../../shared/json.ts";
import type { ColumnKind, ColumnsDefinition, TableDefinition } from "../sql/definitions.ts";
import type { Fields, Statement } from "./connection.ts";

const types: Readonly<Record<ColumnKind, string>> = {
  text: "text",
  integer: "bigint",
  real: "double precision",
  json: "text",
};

type Column = readonly [member: string, kind: ColumnKind, column: string];

/** A table's columns, or some of them: how they are selected and decoded. */
export class Columns<Row extends object> {
  readonly name: string;
  protected readonly columns: readonly Column[];

  constructor({ name, columns }: ColumnsDefinition<Row>) {
    this.name = name;
    this.columns = Object.entries<ColumnKind>(columns).map(([member, kind]) => [member, kind, snake(member)]);
  }

  /** The select list that `decode` expects. Columns selected after it are ignored. */
  selection(alias: string): string {
    return this.columns.map(([member]) => `${alias}.${columnOf(member)}`).join(", ");
  }

  decode(rows: readonly Fields[]): readonly Row[] {
    return rows.map((fields) => decodeRow<Row>(this.columns, fields));
  }
}

export class Table<Row extends object> extends Columns<Row> {
  readonly #computed: readonly (readonly [column: string, compute: (row: Row) => number])[];
  readonly #upsert: string;

  constructor(definition: TableDefinition<Row>) {
    super(definition);
    const { name, key, computed = {} } = definition;
    this.#computed = Object.entries(computed);

    const members = [
      ...this.columns.map(([member, kind]) => ({ member, kind })),
      ...this.#computed.map(([member]) => ({ member, kind: "integer" as const })),
    ];
    const names = members.map(({ member }) => columnOf(member));
    const keyNames = ["tenant", ...key.map(columnOf)];
    const changing = names
      .filter((column) => !keyNames.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    // One statement for any number of rows: their JSON is one parameter. A repeated key is an error in PostgreSQL; it
    // does not happen, because a batch is combined into one row per key before it is written.
    this.#upsert =
      `insert into ${name} (tenant, ${names.join(", ")}) select $1, ${names.join(", ")} from json_to_recordset($2::json) ` +
      `as given (${members.map(({ member, kind }) => `${columnOf(member)} ${types[kind]}`).join(", ")}) ` +
      `on conflict (${keyNames.join(", ")}) do update set ${changing.join(", ")}`;
  }

  put(tenant: string, rows: readonly Row[]): Statement {
    return { text: this.#upsert, values: [tenant, JSON.stringify(rows.map((row) => this.#encode(row)))] };
  }

  #encode(row: Row): object {
    const encoded: Record<string, string | number> = {};
    for (const [member, kind, column] of this.columns) {
      const value = (row as Readonly<Record<string, unknown>>)[member];
      if (value !== undefined) encoded[column] = encodeValue(value, kind);
    }
    for (const [column, compute] of this.#computed) encoded[column] = compute(row);
    return encoded;
  }
}

function decodeRow<Row>(columns: readonly Column[], fields: Fields): Row {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) {
    const [member, kind] = columns[index] as Column;
    const text = fields[index];
    row[member] =
      text === null || text === undefined
        ? undefined
        : kind === "text"
          ? text
          : kind === "json"
            ? JSON.parse(text)
            : Number(text);
  }
  return row as Row;
}

function snake(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Quoted, because `transaction` is a keyword of SQL. */
function columnOf(member: string): string {
  return `"${snake(member)}"`;
}

/** PostgreSQL text can hold no U+0000, and UTF-8 no lone surrogate: two ids could become one. JSON text has neither. */
function encodeValue(value: unknown, kind: ColumnKind): string | number {
  if (kind === "json") return JSON.stringify(value);
  if (typeof value === "number") return value;
  assert(typeof value === "string" && isStorable(value), "a column was given what PostgreSQL cannot keep");
  return value;
}

export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** A list as one array parameter. Text that cannot be stored is left out: no row has such a key. */
export function arrayOf(values: Iterable<string | number>): string {
  const elements: string[] = [];
  for (const value of values) {
    if (typeof value === "number") elements.push(String(value));
    else if (isStorable(value)) elements.push(`"${value.replace(/["\\]/g, "\\$&")}"`);
  }
  return `{${elements.join(",")}}`;
}
