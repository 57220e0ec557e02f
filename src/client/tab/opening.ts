/**
 * What happens to a store before any caller gets its connection, and the snapshot of it that a client keeps in memory.
 */
import type { ResolvedCollections } from "../../schema/collections.ts";
import type { StorageConnection } from "../ports/storage.ts";
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
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
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
