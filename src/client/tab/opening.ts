/**
 * What happens to a store before any caller gets its connection, and the snapshot of it that a client keeps in memory.
 */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { StorageConnection } from "../ports/storage.ts";
import { changedSchemas, isNoted, noteSchemas, restateStep } from "../scripts/app-versions.ts";
import { ensureIdentity } from "../scripts/identity.ts";
import { adoptStep } from "../scripts/upkeep.ts";
import {
  type CursorState,
  cursorKey,
  EMPTY_QUEUE,
  FIRST_CURSOR,
  FIRST_SYNC_POINT,
  IDENTITY,
  type Identity,
  QUEUE,
  type QueueState,
  SCHEMAS,
  type Schemas,
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import { UNFINISHED } from "../state/operation.ts";
import { META, tablesFor } from "../state/tables.ts";
import type { StoreSnapshot } from "../store/local-store.ts";

/** Returns the identity of the store, and creates it if the store is new. */
export function identityOf(
  connection: StorageConnection,
  device: string | undefined,
  now: number,
  uuid: () => string,
): Promise<Identity> {
  return connection.transact({ tables: [META], durability: "strict", label: "identity" }, () =>
    ensureIdentity(device, now, uuid),
  );
}

/**
 * Repairs rows whose operations changed state while the app did not have their collection. There are none, except after
 * one upgrade that dropped a collection and another that brought it back.
 */
export async function adoptOrphans(connection: StorageConnection, collections: ResolvedCollections): Promise<void> {
  const tables = tablesFor(Object.keys(collections));
  const step = () =>
    connection.transact({ tables, durability: "strict", label: "adopt" }, () => adoptStep(collections));
  while ((await step()).more);
}

/** Follows an update or a rollback of the app. There is nothing to do unless a schema version has changed. */
export async function adoptVersions(connection: StorageConnection, collections: ResolvedCollections): Promise<void> {
  const [before] = await connection.get<Schemas>(META, [SCHEMAS]);
  if (isNoted(before, collections)) return;
  const tables = tablesFor(Object.keys(collections));
  const changed = changedSchemas(before, collections);
  for (const state of changed.length === 0 ? [] : UNFINISHED) {
    let after: number | undefined = 0;
    while (after !== undefined) {
      const from: number = after;
      after = await connection.transact({ tables, durability: "strict", label: "restate" }, () =>
        restateStep(collections, changed, state, from),
      );
    }
  }
  await connection.transact({ tables: [META], durability: "strict", label: "schemas" }, () => noteSchemas(collections));
}

/** Reads what a client keeps in memory of its store, in one read. */
export async function readSnapshot(
  source: Pick<StorageConnection, "get">,
  collections: readonly string[],
): Promise<StoreSnapshot> {
  const keys = [IDENTITY, QUEUE, SYNC, ...collections.map(cursorKey)];
  const [identity, queue, point, ...cursors] = await source.get<unknown>(META, keys);
  return {
    identity: identity as Identity | undefined,
    queue: (queue as QueueState | undefined) ?? EMPTY_QUEUE,
    point: (point as SyncPoint | undefined) ?? FIRST_SYNC_POINT,
    cursors: Object.fromEntries(
      collections.map((name, index) => [name, (cursors[index] as CursorState | undefined) ?? FIRST_CURSOR]),
    ),
  };
}
