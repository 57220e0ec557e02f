/** How the rows of the port become rows of a table and come back. (server/postgres) */

import { assert } from "../../shared/assert.ts";
import { UNSTORABLE } from "../../shared/json.ts";
import type { ColumnKind, TableDefinition } from "../sql/definitions.ts";
import type { Fields, Statement } from "./connection.ts";

const types: Readonly<Record<ColumnKind, string>> = {
  text: "text",
  integer: "bigint",
  real: "double precision",
  json: "text",
};

type Column = readonly [member: string, kind: ColumnKind, column: string];

/** A table's columns, or some of them, as they are asked for and read. */
export interface Columns<Row extends object> {
  readonly name: string;
  /** What to select so that `decode` understands it. */
  selection(alias: string): string;
  decode(rows: readonly Fields[]): readonly Row[];
}

export class Table<Row extends object> implements Columns<Row> {
  readonly name: string;
  readonly #columns: readonly Column[];
  readonly #computed: readonly (readonly [column: string, compute: (row: Row) => number])[];
  readonly #upsert: string;

  constructor({ name, key, columns, computed = {} }: TableDefinition<Row>) {
    this.name = name;
    this.#columns = Object.entries<ColumnKind>(columns).map(([member, kind]) => [member, kind, snake(member)]);
    this.#computed = Object.entries(computed);

    const members = [
      ...this.#columns.map(([member, kind]) => ({ member, kind })),
      ...this.#computed.map(([member]) => ({ member, kind: "integer" as const })),
    ];
    const names = members.map(({ member }) => columnOf(member));
    const keyNames = ["tenant", ...key.map(columnOf)];
    const changing = names
      .filter((column) => !keyNames.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    // One statement for any number of rows: their JSON is one parameter. A key that comes twice is an error of PostgreSQL's,
    // and not the last one's luck: a batch is folded before it comes here.
    this.#upsert =
      `insert into ${name} (tenant, ${names.join(", ")}) select $1, ${names.join(", ")} from json_to_recordset($2::json) ` +
      `as given (${members.map(({ member, kind }) => `${columnOf(member)} ${types[kind]}`).join(", ")}) ` +
      `on conflict (${keyNames.join(", ")}) do update set ${changing.join(", ")}`;
  }

  selection(alias: string): string {
    return selectionOf(this.#columns, alias);
  }

  decode(rows: readonly Fields[]): readonly Row[] {
    return decodeRows(this.#columns, rows);
  }

  /** The table as it is for who does not need these members: they stay unread. */
  without<Member extends keyof Row & string>(...members: readonly Member[]): Columns<Omit<Row, Member>> {
    const columns = this.#columns.filter(([member]) => !(members as readonly string[]).includes(member));
    return {
      name: this.name,
      selection: (alias) => selectionOf(columns, alias),
      decode: (rows) => decodeRows(columns, rows),
    };
  }

  put(tenant: string, rows: readonly Row[]): Statement {
    return { text: this.#upsert, values: [tenant, JSON.stringify(rows.map((row) => this.#encode(row)))] };
  }

  #encode(row: Row): object {
    const encoded: Record<string, string | number> = {};
    for (const [member, kind, column] of this.#columns) {
      const value = (row as Readonly<Record<string, unknown>>)[member];
      if (value !== undefined) encoded[column] = encodeValue(value, kind);
    }
    for (const [column, compute] of this.#computed) encoded[column] = compute(row);
    return encoded;
  }
}

function selectionOf(columns: readonly Column[], alias: string): string {
  return columns.map(([member]) => `${alias}.${columnOf(member)}`).join(", ");
}

function decodeRows<Row>(columns: readonly Column[], rows: readonly Fields[]): readonly Row[] {
  return rows.map((fields) => {
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
  });
}

function snake(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Quoted: `transaction` is a word of SQL. */
function columnOf(member: string): string {
  return `"${snake(member)}"`;
}

/** PostgreSQL has no U+0000 in text, and UTF-8 no lone surrogate: two ids could become one. JSON text has neither. */
function encodeValue(value: unknown, kind: ColumnKind): string | number {
  if (kind === "json") return JSON.stringify(value);
  if (typeof value === "number") return value;
  assert(typeof value === "string" && isStorable(value), "a column was given what PostgreSQL cannot keep");
  return value;
}

export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** A list as one parameter. What cannot be stored is left out: no row has such a key. */
export function arrayOf(values: Iterable<string | number>): string {
  const elements: string[] = [];
  for (const value of values) {
    if (typeof value === "number") elements.push(String(value));
    else if (isStorable(value)) elements.push(`"${value.replace(/["\\]/g, "\\$&")}"`);
  }
  return `{${elements.join(",")}}`;
}
