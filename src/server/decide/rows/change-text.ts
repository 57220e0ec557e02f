/**
 * Changes of the feed as the texts that an answer holds.
 *
 * A document that is stored as the answer would say it goes out as it is: to parse a thousand of them and write the same again would be
 * most of what a pull costs.
 */
import { zeroCounters } from "../../../schema/counters.ts";
import type { FeedRow } from "../../ports/rows.ts";
import type { FeedEntry } from "../../ports/store.ts";
import type { ServedCollection } from "./catalog.ts";
import { dataOf, type ReadRow, readFeedRow } from "./rows.ts";

/** What writes a change of this collection as JSON. */
export function changeTexts(served: ServedCollection): (entry: FeedEntry) => string {
  const dataText = dataTexts(served);
  return (entry) => {
    const { id, version } = entry.row;
    const start = `{"id":${JSON.stringify(id)},"version":${version}`;
    if (entry.kind === "departure") return `${start},"deleted":true,"reason":"scope"}`;
    if (entry.row.state !== "live") return `${start},"deleted":true}`;
    return `${start},"data":${dataText(entry.row)}}`;
  };
}

/** What `dataOf` says of a row, as JSON. */
function dataTexts(served: ServedCollection): (row: FeedRow) => string {
  const { resolved } = served;
  const members = resolved.counters.map((name) => `${JSON.stringify(name)}:`);
  const zeros = JSON.stringify(zeroCounters(resolved, {}));
  return (row) => {
    if (row.schemaVersion < resolved.schemaVersion) return JSON.stringify(dataOf(served, brought(served, row)));
    if (members.length === 0) return row.data;
    // Behind a comma a quotation mark can only begin a member: a string would have escaped it.
    const counters = `,${(row.counters === "{}" ? zeros : row.counters).slice(1)}`;
    const isPlain = members.every((member) => counters.includes(`,${member}`) && !row.data.includes(member));
    if (isPlain && row.data !== "{}") return row.data.slice(0, -1) + counters;
    return JSON.stringify(dataOf(served, brought(served, row)));
  };
}

/** One row that an up-caster trips over must not end the whole shop's pull (L6): it goes as it is, and the till's own will say so. */
function brought(served: ServedCollection, row: FeedRow): ReadRow {
  try {
    return readFeedRow(served, row);
  } catch {
    return readFeedRow(served, { ...row, schemaVersion: served.resolved.schemaVersion });
  }
}
