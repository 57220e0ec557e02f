/** From the rows of the server's tables to its books. The columns are the same in every database. */
import type { JsonObject } from "../../src/shared/json.ts";
import type { ServerBooks } from "./books.ts";

export const RECORDS = "select collection, id, version, data, counters from records where state = 'live' and tenant = ";
export const OPERATIONS =
  'select id, device, collection, entity_id, status, "transaction", operation from operations where tenant = ';
export const EPOCHS = "select count(*) as epochs from epochs where tenant = ";

export type SqlRow = Readonly<Record<string, unknown>>;

export function booksFrom(
  records: readonly SqlRow[],
  operations: readonly SqlRow[],
  epochs: readonly SqlRow[],
): ServerBooks {
  return {
    records: records.map((row) => ({
      collection: String(row.collection),
      id: String(row.id),
      version: Number(row.version),
      value: { ...objectOf(row.data), ...objectOf(row.counters) },
    })),
    operations: operations.map((row) => {
      const sent = objectOf(row.operation ?? "{}");
      return {
        id: String(row.id),
        device: String(row.device),
        collection: String(row.collection),
        entityId: String(row.entity_id),
        status: String(row.status),
        transaction: row.transaction === null ? undefined : String(row.transaction),
        action: String(sent.action),
        patch: (sent.patch ?? {}) as JsonObject,
        by: (sent.by ?? {}) as Readonly<Record<string, number>>,
      };
    }),
    epochs: Number(epochs[0]?.epochs),
  };
}

function objectOf(text: unknown): JsonObject {
  return JSON.parse(String(text));
}
