/**
 * Changes of the feed as the JSON text that an answer holds.
 *
 * A document whose stored text is what the answer would contain is copied as it is. Parsing a thousand documents, only
 * to write the same text again, would be most of the cost of a pull.
 */
import { zeroCounters } from "../../../schema/counters.ts";
import type { FeedRow } from "../../ports/rows.ts";
import type { FeedEntry } from "../../ports/store.ts";
import type { ServedCollection } from "./catalog.ts";
import { dataOf, type ReadRow, readFeedRow } from "./rows.ts";

/**
 * Returns a function that writes a change of this collection as JSON. A row that is not of the server's schema version
 * says so: a newer server wrote it, or an upcast failed on it [H7].
 */
export function changeTexts(served: ServedCollection): (entry: FeedEntry) => string {
  const dataText = dataTexts(served);
  return (entry) => {
    const { id, version } = entry.row;
    const start = `{"id":${JSON.stringify(id)},"version":${version}`;
    if (entry.kind === "departure") return `${start},"deleted":true,"reason":"scope"}`;
    if (entry.row.state !== "live") return `${start},"deleted":true}`;
    const { schemaVersion, data } = dataText(entry.row);
    const label = schemaVersion === served.resolved.schemaVersion ? "" : `,"schemaVersion":${schemaVersion}`;
    return `${start},"data":${data}${label}}`;
  };
}

interface DataText {
  readonly schemaVersion: number;
  readonly data: string;
}

/** Returns a function that writes what `dataOf` returns for a row, as JSON. */
function dataTexts(served: ServedCollection): (row: FeedRow) => DataText {
  const { resolved } = served;
  const text = dataTextsOf(served);
  return (row) => {
    if (row.schemaVersion >= resolved.schemaVersion) return { schemaVersion: row.schemaVersion, data: text(row) };
    const { schemaVersion, ...read } = upcastOrAsStored(served, row);
    return { schemaVersion, data: JSON.stringify(dataOf(served, read)) };
  };
}

/** The same for rows that need no upcast. */
function dataTextsOf(served: ServedCollection): (row: FeedRow) => string {
  const { resolved } = served;
  const members = resolved.counters.map((name) => `${JSON.stringify(name)}:`);
  const zeros = JSON.stringify(zeroCounters(resolved, {}));
  return (row) => {
    if (members.length === 0) return row.data;
    // After a comma, a quotation mark can only begin a member: inside a string it would be escaped.
    const counters = `,${(row.counters === "{}" ? zeros : row.counters).slice(1)}`;
    const isPlain = members.every((member) => counters.includes(`,${member}`) && !row.data.includes(member));
    if (isPlain && row.data !== "{}") return row.data.slice(0, -1) + counters;
    return JSON.stringify(dataOf(served, readFeedRow(served, row)));
  };
}

/**
 * One row that an upcast fails on must not stop the whole shop's pull (L6): it is sent as it is stored, and the till's
 * own upcast reports the failure.
 */
function upcastOrAsStored(served: ServedCollection, row: FeedRow): ReadRow & { readonly schemaVersion: number } {
  const { schemaVersion } = served.resolved;
  try {
    return { ...readFeedRow(served, row), schemaVersion };
  } catch {
    return { ...readFeedRow(served, { ...row, schemaVersion }), schemaVersion: row.schemaVersion };
  }
}
