/** The floor: the same rows in the same tables under the same indexes, put there and read back by hand, with nothing around it. */
import type { OperationRow, RecordRow } from "../../../src/server/ports/rows.ts";
import type { WrittenRows } from "./written-rows.ts";

export interface Bare {
  /** One transaction, flushed to disk. */
  insert(rows: WrittenRows): Promise<void>;
  /** A page of the feed, as the text of a body; and where it ends. */
  page(
    collection: string,
    after: number,
    limit: number,
  ): Promise<{ readonly text: string; readonly last: number; readonly rows: number }>;
  close(): Promise<void>;
}

/** As a row of the table `records`: its columns in their order. */
export function recordValues(tenant: string, row: RecordRow) {
  return [
    tenant,
    row.collection,
    row.id,
    row.version,
    row.createdVersion,
    row.state,
    JSON.stringify(row.data),
    JSON.stringify(row.counters),
    JSON.stringify(row.fields),
    row.scope,
    row.schemaVersion,
  ];
}

export function operationValues(tenant: string, row: OperationRow) {
  return [
    tenant,
    row.id,
    row.device,
    row.incarnation,
    row.sequence ?? null,
    row.collection,
    row.entityId,
    row.transaction ?? null,
    row.hash,
    row.status,
    row.version,
    row.position,
    row.feedPosition,
    row.revision,
    row.supersededBy ?? null,
    JSON.stringify(row.result),
    row.operation === undefined ? null : JSON.stringify(row.operation),
    row.receivedAt,
    0,
    row.sentBy ?? null,
    row.sentFrom ?? null,
    0,
  ];
}

/** Rows of the feed as the members of a page. */
export function pageText(
  rows: readonly { readonly id: string; readonly version: number; readonly data: string; readonly counters: string }[],
) {
  const changes = rows.map(({ id, version, data, counters }) => ({
    id,
    version: Number(version),
    data: { ...JSON.parse(data), ...JSON.parse(counters) },
  }));
  return { text: JSON.stringify({ changes }), last: changes.at(-1)?.version ?? 0, rows: changes.length };
}
