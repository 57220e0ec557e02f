/** Who this store is: making it, registering it, forking it, fencing it, and following the server into another epoch. */
import type { ResolvedCollections } from "../../schema/collections.ts";
import { omit } from "../../shared/omit.ts";
import { decideEpochChange, newEpoch } from "../decide/epoch.ts";
import { restartCursor } from "../decide/pull-page.ts";
import type { RowChange } from "../decide/workspace.ts";
import type { StorageScript, StorageWrite } from "../ports/storage.ts";
import {
  type CursorState,
  cursorKey,
  FIRST_CURSOR,
  FIRST_SYNC_POINT,
  generationOf,
  IDENTITY,
  type Identity,
  nextGenerations,
  type QueueState,
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import { isIn, type StoredOperation } from "../state/operation.ts";
import { CONFLICTS, META, STATE_INDEX, stateRange } from "../state/tables.ts";
import { loadWorkspace } from "./load.ts";
import { ask, cursorsOf, meta, operationsIn, type Reads, valuesOf } from "./reads.ts";

const put = (key: string, value: unknown): StorageWrite => ({ kind: "put", table: META, key, value });

/** The identity of the store, minted with it. `device`: the app's own id for it. */
export function* ensureIdentity(device: string | undefined, now: number, uuid: () => string): StorageScript<Identity> {
  const [[known]] = yield* ask([meta(IDENTITY)]);
  if (known) return { value: known, writes: [] };
  const identity: Identity = { deviceId: device ?? uuid(), incarnation: uuid(), createdAt: now };
  return { value: identity, writes: [put(IDENTITY, identity), put(SYNC, FIRST_SYNC_POINT)] };
}

export interface Registration {
  readonly tenant: string;
  readonly branch: string | undefined;
  readonly number: number;
  readonly epoch: string;
  /** Where the results of an incarnation begin under which nothing was sent yet. */
  readonly mark: string | undefined;
}

/** Remembers whose shop this is, at the first contact; the caller has checked that it is still the same one. */
export function* storeRegistration(
  fence: number,
  registration: Registration,
): StorageScript<{ readonly identity: Identity; readonly point: SyncPoint } | undefined> {
  const [[known, point = FIRST_SYNC_POINT]] = yield* ask([meta(IDENTITY, SYNC)]);
  if (known === undefined || point.fence !== fence) return { value: undefined, writes: [] };
  const next: Identity = {
    ...known,
    tenant: registration.tenant,
    ...(registration.branch !== undefined && { branch: registration.branch }),
    number: registration.number,
    registered: true,
  };
  // A known epoch changes only by `followEpoch`, which brings the journal along.
  const { epoch, mark } = registration;
  // Forked before it was ever registered, it has what its clone may have sent under the name that they shared: it hears all results,
  // from the beginning, else it would count on top of the rows what is in them [C6].
  const isForked = known.registered === false;
  const first: SyncPoint = { ...point, epoch, marks: mark === undefined || isForked ? {} : { push: mark, pull: mark } };
  const nextPoint = point.epoch === undefined ? first : point;
  return { value: { identity: next, point: nextPoint }, writes: [put(IDENTITY, next), put(SYNC, nextPoint)] };
}

/** Only the incarnation changes: operation ids and sequences stay, and the counter goes on [C7]. */
export function* forkIdentity(
  fence: number,
  incarnation: string,
): StorageScript<{ readonly before: Identity; readonly after: Identity } | undefined> {
  const [[before, point]] = yield* ask([meta(IDENTITY, SYNC)]);
  if (before === undefined || point?.fence !== fence) return { value: undefined, writes: [] };
  const rest = omit(before, "number");
  const after: Identity = { ...rest, incarnation, registered: false };
  return { value: { before, after }, writes: [put(IDENTITY, after)] };
}

export interface Followed {
  readonly from: string | undefined;
  readonly point: SyncPoint;
  readonly replaying: number;
  readonly changes: readonly RowChange[];
  readonly queue: QueueState;
  readonly cursors: Readonly<Record<string, CursorState>>;
}

/** What the journal holds of a lost epoch, and what waits in it: see `decideEpochChange`. */
const SENT_AGAIN = ["applied", "quarantined", "conflict", "closed_elsewhere", "blocked"] as const;

/** Sets the new epoch, forgets cursors and marks, moves the journal back into the outbox: one transaction [C8.4]. */
export function* followEpoch(
  collections: ResolvedCollections,
  fence: number,
  epoch: string,
): StorageScript<Followed | undefined> {
  const [[point = FIRST_SYNC_POINT]] = yield* ask([meta(SYNC)]);
  if (point.fence !== fence || point.epoch === epoch) return { value: undefined, writes: [] };
  const scanned = yield* ask(SENT_AGAIN.map((state) => operationsIn(STATE_INDEX, stateRange(state))));
  const journal = scanned.flatMap(valuesOf);
  const { workspace } = yield* loadWorkspace(collections, {
    operationIds: journal.map((o) => o.id),
    restarting: true,
  });
  // The rows keep their generation: what the lost epoch had acknowledged is in their bases already, and is not replayed over them.
  const replaying = decideEpochChange(workspace, point, journal);
  const done = workspace.finish();
  const next = newEpoch(point, epoch, Object.keys(collections));
  const cursors = yield* restart(Object.keys(collections), next);
  return {
    value: { from: point.epoch, point: next, replaying, changes: done.changes, queue: workspace.queue, cursors },
    writes: [...done.writes, ...forgottenConflicts(journal), ...storedCursors(cursors), put(SYNC, next)],
  };
}

/** The conflicts that lay open were the lost history's: their operations are sent again, and are judged anew. */
function forgottenConflicts(journal: readonly StoredOperation[]): readonly StorageWrite[] {
  const open = journal.filter((operation) => isIn(operation, "conflict"));
  return open.map(({ status }) => ({ kind: "delete", table: CONFLICTS, key: status.conflictId }));
}

/** A resync of these collections in the same epoch: their bases give way to what is pulled again. */
export function* restartCollections(
  fence: number,
  collections: readonly string[],
): StorageScript<Restarted | undefined> {
  const [[stored]] = yield* ask([meta(SYNC)]);
  if (stored === undefined || stored.fence !== fence) return { value: undefined, writes: [] };
  const point = nextGenerations(stored, collections);
  const cursors = yield* restart(collections, point);
  return { value: { point, cursors }, writes: [...storedCursors(cursors), put(SYNC, point)] };
}

export interface Restarted {
  readonly point: SyncPoint;
  readonly cursors: Readonly<Record<string, CursorState>>;
}

function* restart(collections: readonly string[], point: SyncPoint): Reads<Readonly<Record<string, CursorState>>> {
  const [cursors] = yield* ask([cursorsOf(collections)]);
  return Object.fromEntries(
    collections.map((collection, index) => [
      collection,
      restartCursor(cursors[index] ?? FIRST_CURSOR, generationOf(point, collection)),
    ]),
  );
}

function storedCursors(cursors: Readonly<Record<string, CursorState>>): readonly StorageWrite[] {
  return Object.entries(cursors).map(([collection, cursor]) => put(cursorKey(collection), cursor));
}
