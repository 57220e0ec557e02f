/** A query, checked, as a scan of the store. Pure. */
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

/** A query as it comes: the types of `Query` say more, a caller without types says anything. */
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
    new TillSyncError("invalid_query", `Expected a query of \`${collection}\` with ${expected}. ${hint}`, {
      collection,
      expected,
      hint,
    });
  const notOfIt = () =>
    refuse("a `startAfter` that is a row of it", "Hand in the last row of the page before, as it came.");
  const { ids, index, limit, reverse = false, startAfter } = query;
  for (const key of Object.keys(query))
    if (!KNOWN.includes(key)) throw refuse(`only ${KNOWN.join(", ")}`, `\`${key}\` is none of them.`);
  for (const key of ["equals", "startsWith"] as const) {
    // A barcode that a variable did not have must not find the whole shop.
    if (Object.hasOwn(query, key) && query[key] === undefined)
      throw refuse(`a \`${key}\` that is given`, "It is undefined.");
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0))
    throw refuse("a `limit` that is a whole number", "Leave it out to have all rows.");
  const ranged = ["equals", "from", "before", "startsWith"].some((key) => query[key as keyof LooseQuery] !== undefined);
  if (ids !== undefined) {
    if (index !== undefined || ranged) throw refuse("either `ids` or `index`", "Ask for the ids, and filter the rows.");
    // From the start again, a reader of pages would never come to an end.
    if (startAfter !== undefined && !ids.includes(startAfter.id)) throw notOfIt();
    return { kind: "ids", ids: pageOfIds([...new Set(ids)], reverse, startAfter?.id), limit };
  }
  const direction = reverse ? "prev" : "next";
  if (index === undefined) {
    if (ranged) throw refuse("an `index` for its range", 'Name it: { index: "name", equals: … }.');
    const after = startAfter && { key: startAfter.id, primary: startAfter.id };
    return { kind: "scan", fields: undefined, options: { direction, after }, limit };
  }
  const fields =
    Object.hasOwn(definition.indexes, index) || index in definition.indexes ? definition.indexes[index] : undefined;
  if (fields === undefined)
    throw refuse(
      `one of the indexes ${Object.keys(definition.indexes).join(", ") || "(none is declared)"}`,
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
        "keys of its index",
        `${compound ? `Up to ${fields.length} strings or numbers, of ${fields.join(", ")}` : "A string or a number"}.`,
      );
    }
    return parts;
  };
  const given = [equals, startsWith, from ?? before].filter((value) => value !== undefined).length;
  if (given > 1) throw refuse("one kind of range", "`equals`, `startsWith`, or `from` and `before`.");
  if (equals !== undefined) {
    const exact = key(equals);
    return Array.isArray(exact) ? prefixRange(exact) : { lower: exact, upper: exact };
  }
  if (startsWith !== undefined) {
    if (typeof startsWith !== "string") throw refuse("a string to start with", "Numbers start with nothing.");
    return compound ? stringPrefixRange(startsWith, []) : stringPrefixRange(startsWith);
  }
  if (from === undefined && before === undefined) return undefined;
  return {
    ...(from !== undefined && { lower: key(from) }),
    ...(before !== undefined && { upper: key(before), upperOpen: true }),
  };
}

/** The keys of a row in an index that lie in the range, in the direction of the scan. */
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

function positionOf(
  row: JsonObject & { readonly id: string },
  fields: readonly string[],
  range: KeyRange | undefined,
  reverse: boolean,
): ScanOptions["after"] {
  const first = keysInRange(fields, row.id, row, range, reverse)[0];
  return first === undefined ? undefined : { key: first, primary: row.id };
}

/** A row with several keys in the range (two barcodes) is shown once, at the first of them: the same on every page. */
export function showsAt(plan: Extract<Plan, { kind: "scan" }>, row: StoredRow, key: Key): boolean {
  if (row.data === undefined) return false;
  if (plan.fields === undefined) return true;
  const first = keysInRange(plan.fields, row.id, row.data, plan.options.range, plan.options.direction === "prev")[0];
  return first !== undefined && compareKeys(first, key) === 0;
}

/** Whether a row, as it was or as it is, is or was one of the plan's: a live query looks again only then. */
export function matches(plan: Plan, row: StoredRow | undefined): boolean {
  if (row?.data === undefined) return false;
  if (plan.kind === "ids") return plan.ids.includes(row.id);
  if (plan.fields === undefined) return true;
  return keysInRange(plan.fields, row.id, row.data, plan.options.range, false).length > 0;
}

/** A record that is not stored yet, or not as it is: a transaction's own. */
type OwnRow = Pick<StoredRow, "id" | "data">;

/** The rows of a plan with a transaction's own records in place of the stored ones, in the plan's order. `undefined`: deleted. */
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
