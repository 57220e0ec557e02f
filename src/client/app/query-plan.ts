/** Checks a query, and turns it into a plan for reading the store. Pure. */
import { indexKeys } from "../../schema/index-keys.ts";
import type { ResolvedCollection } from "../../schema/resolved.ts";
import { TillSyncError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/json.ts";
import {
  compareKeys,
  inRange,
  isKey,
  type Key,
  type KeyRange,
  prefixRange,
  stringPrefixRange,
} from "../../shared/keys.ts";
import type { ScanOptions } from "../ports/storage.ts";
import type { StoredRow } from "../state/rows.ts";

/** A query before it is checked: a caller without types can pass anything. */
export interface LooseQuery {
  readonly ids?: readonly string[] | undefined;
  readonly index?: string | undefined;
  readonly equals?: unknown;
  readonly from?: unknown;
  readonly before?: unknown;
  readonly startsWith?: unknown;
  readonly limit?: number | undefined;
  readonly reverse?: boolean | undefined;
  readonly startAfter?: (JsonObject & { readonly id: string }) | undefined;
}

/**
 * How to read the rows of a query: by their ids, or by a scan of the table (`fields` is `undefined`) or of an index.
 */
export type Plan =
  | { readonly kind: "ids"; readonly ids: readonly string[]; readonly limit: number | undefined }
  | {
      readonly kind: "scan";
      readonly fields: readonly string[] | undefined;
      readonly options: ScanOptions;
      readonly limit: number | undefined;
    };

const KNOWN = ["ids", "index", "equals", "from", "before", "startsWith", "limit", "reverse", "startAfter"];

/** @throws TillSyncError `invalid_query` */
export function planQuery(collection: string, definition: ResolvedCollection, query: LooseQuery = {}): Plan {
  const refuse = (expected: string, hint: string) =>
    new TillSyncError("invalid_query", `Invalid query of \`${collection}\`: ${expected}. ${hint}`, {
      collection,
      expected,
      hint,
    });
  const notOfIt = () =>
    refuse("`startAfter` must be a row of this query", "Pass the last row of the previous page, unchanged.");
  const { ids, index, limit, reverse = false, startAfter } = query;
  for (const key of Object.keys(query))
    if (!KNOWN.includes(key))
      throw refuse(`a query may only have ${KNOWN.join(", ")}`, `\`${key}\` is not one of them.`);
  for (const key of ["equals", "startsWith"] as const) {
    // A barcode variable that happens to be undefined must not match the whole shop.
    if (Object.hasOwn(query, key) && query[key] === undefined)
      throw refuse(`\`${key}\` must not be undefined`, "Pass a value. To get all rows, leave it out.");
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0))
    throw refuse("`limit` must be a whole number, 0 or greater", "To get all rows, leave it out.");
  const ranged = ["equals", "from", "before", "startsWith"].some((key) => query[key as keyof LooseQuery] !== undefined);
  if (ids !== undefined) {
    if (index !== undefined || ranged)
      throw refuse("`ids` can't be combined with `index` or a range", "Query by `ids`, and filter the rows.");
    // If the pages started again from the beginning, their reader would never reach the end.
    if (startAfter !== undefined && !ids.includes(startAfter.id)) throw notOfIt();
    return { kind: "ids", ids: pageOfIds([...new Set(ids)], reverse, startAfter?.id), limit };
  }
  const direction = reverse ? "prev" : "next";
  if (index === undefined) {
    if (ranged) throw refuse("a range needs an `index`", 'Name it: { index: "name", equals: … }.');
    const after = startAfter && { key: startAfter.id, primary: startAfter.id };
    return { kind: "scan", fields: undefined, options: { direction, after }, limit };
  }
  const fields =
    Object.hasOwn(definition.indexes, index) || index in definition.indexes ? definition.indexes[index] : undefined;
  if (fields === undefined)
    throw refuse(
      `\`index\` must be one of ${Object.keys(definition.indexes).join(", ") || "the declared indexes (there are none)"}`,
      `Declare \`${index}\` in \`indexes\`.`,
    );
  const range = rangeOf(query, fields, refuse);
  const after = startAfter && positionOf(startAfter, fields, range, reverse);
  if (startAfter && !after) throw notOfIt();
  return { kind: "scan", fields, options: { index, range, direction, after }, limit };
}

function pageOfIds(ids: readonly string[], reverse: boolean, after: string | undefined): readonly string[] {
  const ordered = reverse ? [...ids].reverse() : ids;
  return after === undefined ? ordered : ordered.slice(ordered.indexOf(after) + 1);
}

function rangeOf(
  query: LooseQuery,
  fields: readonly string[],
  refuse: (expected: string, hint: string) => Error,
): KeyRange | undefined {
  const { equals, from, before, startsWith } = query;
  const compound = fields.length > 1;
  const key = (value: unknown): Key => {
    const parts = compound && !Array.isArray(value) ? [value] : value;
    if (
      !isKey(parts) ||
      (!compound && Array.isArray(parts)) ||
      (Array.isArray(parts) && (parts.length === 0 || parts.length > fields.length))
    ) {
      throw refuse(
        "the keys of a range must fit its index",
        compound
          ? `Pass up to ${fields.length} strings or numbers, for ${fields.join(", ")}.`
          : "Pass a string or a number.",
      );
    }
    return parts;
  };
  const given = [equals, startsWith, from ?? before].filter((value) => value !== undefined).length;
  if (given > 1)
    throw refuse("a query has only one kind of range", "Use `equals`, `startsWith`, or `from` and `before`.");
  if (equals !== undefined) {
    const exact = key(equals);
    return Array.isArray(exact) ? prefixRange(exact) : { lower: exact, upper: exact };
  }
  if (startsWith !== undefined) {
    if (typeof startsWith !== "string")
      throw refuse("`startsWith` must be a string", "It can't be used with numeric keys.");
    return compound ? stringPrefixRange(startsWith, []) : stringPrefixRange(startsWith);
  }
  if (from === undefined && before === undefined) return undefined;
  return {
    ...(from !== undefined && { lower: key(from) }),
    ...(before !== undefined && { upper: key(before), upperOpen: true }),
  };
}

/** The keys of a row that lie in the range of the index, in the direction of the scan. */
function keysInRange(
  fields: readonly string[],
  id: string,
  data: JsonObject,
  range: KeyRange | undefined,
  reverse: boolean,
): readonly Key[] {
  const keys = indexKeys(fields, id, data).filter((key) => range === undefined || inRange(key, range));
  return [...keys].sort((a, b) => (reverse ? compareKeys(b, a) : compareKeys(a, b)));
}

/** Where a scan continues after this row; `undefined` if the row has no key in the range. */
function positionOf(
  row: JsonObject & { readonly id: string },
  fields: readonly string[],
  range: KeyRange | undefined,
  reverse: boolean,
): ScanOptions["after"] {
  const first = keysInRange(fields, row.id, row, range, reverse)[0];
  return first === undefined ? undefined : { key: first, primary: row.id };
}

/**
 * A row with several keys in the range (two barcodes) is shown once, at the first of them, so it is on the same page in
 * every read.
 */
export function showsAt(plan: Extract<Plan, { kind: "scan" }>, row: StoredRow, key: Key): boolean {
  if (row.data === undefined) return false;
  if (plan.fields === undefined) return true;
  const first = keysInRange(plan.fields, row.id, row.data, plan.options.range, plan.options.direction === "prev")[0];
  return first !== undefined && compareKeys(first, key) === 0;
}

/** Whether a row belongs to the plan. A live query reads again only if the row did before or after a commit. */
export function matches(plan: Plan, row: StoredRow | undefined): boolean {
  if (row?.data === undefined) return false;
  if (plan.kind === "ids") return plan.ids.includes(row.id);
  if (plan.fields === undefined) return true;
  return keysInRange(plan.fields, row.id, row.data, plan.options.range, false).length > 0;
}

/** A row as a transaction sees it: stored, or with its own writes. */
type OwnRow = Pick<StoredRow, "id" | "data">;

/**
 * The rows of a plan, in its order, with a transaction's own records in place of the stored ones. `undefined` in `own`
 * means that the transaction has deleted the record.
 */
export function withOwn<R extends OwnRow>(
  plan: Plan,
  rows: readonly R[],
  own: ReadonlyMap<string, JsonObject | undefined>,
): readonly OwnRow[] {
  const all: OwnRow[] = rows.filter((row) => !own.has(row.id));
  for (const [id, data] of own) if (data !== undefined) all.push({ id, data });
  if (plan.kind === "ids") {
    const place = new Map(plan.ids.map((id, index) => [id, index]));
    return all
      .filter(({ id }) => place.has(id))
      .sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0))
      .slice(0, plan.limit);
  }
  const { range, direction, after } = plan.options;
  const sign = direction === "prev" ? -1 : 1;
  const placed = all.flatMap((row) => {
    const key =
      plan.fields === undefined ? row.id : keysInRange(plan.fields, row.id, row.data ?? {}, range, sign === -1)[0];
    return key === undefined ? [] : [{ row, place: [key, row.id] as const }];
  });
  return placed
    .filter(({ place }) => after === undefined || sign * compareKeys(place, [after.key, after.primary]) > 0)
    .sort((a, b) => sign * compareKeys(a.place, b.place))
    .map(({ row }) => row)
    .slice(0, plan.limit);
}
