/** `readRows`: reads the records of a collection, for reports and exports. */
import type { CollectionMap, RecordOf } from "../../schema/types.ts";
import { readFeedRow, recordOf } from "../decide/rows/rows.ts";
import { ask, type FeedPage, type ServerStore } from "../ports/store.ts";
import { checkTarget, servedOf } from "./target.ts";

/** The options of {@link readRows}. */
export interface ReadOptions<C extends CollectionMap, N extends keyof C & string> {
  /** The database to read from. */
  readonly store: ServerStore;
  /** The collections of the server. */
  readonly collections: C;
  /** The tenant whose rows are read. */
  readonly tenant: string;
  /** The collection that is read. */
  readonly collection: N;
}

/** How much is held in memory at a time. */
const PAGE = { limit: 1_000, bytes: 4 * 1024 * 1024 };

/** Reads all live records of a collection, page by page, in the order of their last change. Each page is a snapshot. */
export async function* readRows<const C extends CollectionMap, N extends keyof C & string>({
  store,
  collections,
  tenant,
  collection,
}: ReadOptions<C, N>): AsyncIterable<RecordOf<C[N]>> {
  checkTarget(store, tenant);
  const served = servedOf(collections, collection);
  let after = 0;
  for (;;) {
    const from = after;
    const { entries, more }: FeedPage = await store.read(tenant, function* script() {
      const clock = yield* ask({ kind: "clock" });
      if (clock === undefined) return { entries: [], more: false };
      return yield* ask({ kind: "changes", collection, scopes: "all", after: from, upTo: clock.position, ...PAGE });
    });
    for (const entry of entries) {
      after = entry.row.version;
      if (entry.kind !== "record" || entry.row.state !== "live") continue;
      yield recordOf(served, readFeedRow(served, entry.row)) as unknown as RecordOf<C[N]>;
    }
    if (!more) return;
  }
}
