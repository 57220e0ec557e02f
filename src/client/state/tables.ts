/** The layout of the local store: its tables, and the keys in each index. Pure. */

import type { ResolvedCollections } from "../../schema/collections.ts";
import { indexKeys, indexSignature } from "../../schema/index-keys.ts";
import { type Key, type KeyRange, prefixRange } from "../../shared/keys.ts";
import type { IndexLayout, StorageLayout, TableLayout } from "../ports/storage.ts";
import { isOpen, isReplayed, type StoredOperation, subjectOf } from "./operation.ts";
import type { StoredConflict, StoredRow } from "./rows.ts";
import { rowNow } from "./versions.ts";

/** Raise it when a stored shape changes so that older code could not read it. */
export const STORAGE_FORMAT = 1;

export const OPERATIONS = "operations";
export const CONFLICTS = "conflicts";
export const META = "meta";

const COLLECTION_PREFIX = "c:";
/** The table of a collection. The prefix keeps an app's collection named `operations` apart from the queue. */
export const tableOf = (collection: string) => COLLECTION_PREFIX + collection;
/** The tables that a transaction on these collections may use. */
export const tablesFor = (collections: readonly string[]) => [META, OPERATIONS, CONFLICTS, ...collections.map(tableOf)];
/** The collection of a table that `tableOf` named. */
export const collectionOf = (table: string) => table.slice(COLLECTION_PREFIX.length);

/** Indexes of the tables of this module. An app declares indexes only on its collections, so the names can't clash. */
export const QUEUE_INDEX = "queue";
export const SUBJECT_INDEX = "subject";
export const STATE_INDEX = "state";
export const TRANSACTION_INDEX = "transaction";

/**
 * Journal entries of an older epoch come before anything new, then the lanes. Blocked operations are kept apart, so
 * they never fill a batch [H2].
 */
const JOURNAL_LANE = -1;
const BLOCKED_LANE = 3;

const OPERATIONS_TABLE: TableLayout<StoredOperation> = {
  name: OPERATIONS,
  indexes: [
    { name: QUEUE_INDEX, signature: "1", keys: queueKeys },
    {
      name: SUBJECT_INDEX,
      signature: "1",
      keys: (o) => [[subjectOf(o.collection, o.entityId), subjectClass(o), o.rank]],
    },
    { name: STATE_INDEX, signature: "1", keys: (o) => [[o.status.state, o.sequence]] },
    {
      name: TRANSACTION_INDEX,
      signature: "1",
      keys: (o) => (o.transaction === undefined ? [] : [[o.transaction, o.rank]]),
    },
  ],
};

const CONFLICTS_TABLE: TableLayout<StoredConflict> = {
  name: CONFLICTS,
  indexes: [{ name: STATE_INDEX, signature: "1", keys: (c) => [[c.settled ? "settled" : "open", c.sequence]] }],
};

function queueKeys(operation: StoredOperation): readonly Key[] {
  const { status, rank, lane } = operation;
  if (status.state === "blocked") return [[BLOCKED_LANE, status.blockedInRound, rank]];
  return status.state === "pending" ? [[status.resend ? JOURNAL_LANE : lane, rank]] : [];
}

/** Separates what a view replays (0) from open increments, of which it needs only the sum (1), and from history (2). */
function subjectClass(operation: StoredOperation): 0 | 1 | 2 {
  if (isReplayed(operation)) return 0;
  return isOpen(operation) && operation.action === "increment" ? 1 : 2;
}

export const laneRange = (lane: number): KeyRange => prefixRange([lane]);
export const journalRange: KeyRange = prefixRange([JOURNAL_LANE]);
/** Blocked operations that may be sent again: a final result has arrived since they were blocked. */
export const unblockedRange = (wake: number): KeyRange => ({
  lower: [BLOCKED_LANE],
  upper: [BLOCKED_LANE, wake],
  upperOpen: true,
});
export const replayedRange = (subject: string): KeyRange => prefixRange([subject, 0]);
export const openIncrementsRange = (subject: string): KeyRange => prefixRange([subject, 1]);
export const subjectRange = (collection: string, id: string): KeyRange => prefixRange([subjectOf(collection, id)]);
export const stateRange = (state: string): KeyRange => prefixRange([state]);
export const transactionRange = (transaction: string): KeyRange => prefixRange([transaction]);

/**
 * The tables of the queue and of every collection. The keys of a row are those of the app's schema version, so an index
 * is built again when the version changes [H7].
 */
export function storageLayout(collections: ResolvedCollections): StorageLayout {
  const tables: TableLayout[] = [
    OPERATIONS_TABLE as TableLayout,
    CONFLICTS_TABLE as TableLayout,
    { name: META, indexes: [] },
  ];
  for (const [name, collection] of Object.entries(collections)) {
    const indexes = Object.entries(collection.indexes).map(
      ([index, fields]): IndexLayout => ({
        name: index,
        signature: indexSignature(fields) + (collection.schemaVersion === 1 ? "" : `@${collection.schemaVersion}`),
        keys: (value) => rowKeys(fields, rowNow(name, collection, value as StoredRow)),
      }),
    );
    tables.push({ name: tableOf(name), indexes });
  }
  return { format: STORAGE_FORMAT, tables };
}

function rowKeys(fields: readonly string[], row: StoredRow): readonly Key[] {
  return row.data === undefined ? [] : indexKeys(fields, row.id, row.data);
}
