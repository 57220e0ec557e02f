/** The identity of the store: creating it, registering it, forking it, and following the server into another epoch. */
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
  QUEUE,
  type QueueState,
  SYNC,
  type SyncPoint,
} from "../state/meta.ts";
import { isIn, type StoredOperation } from "../state/operation.ts";
import { CONFLICTS, META, STATE_INDEX, stateRange } from "../state/tables.ts";
import { loadWorkspace } from "./load.ts";
import { ask, cursorsOf, meta, operationsIn, type Reads, valuesOf } from "./reads.ts";

const put = (key: string, value: unknown): StorageWrite => ({ kind: "put", table: META, key, value });

/** Returns the identity of the store, and creates it if the store is new. `device`: the app's own id of the device. */
export function* ensureIdentity(device: string | undefined, now: number, uuid: () => string): StorageScript<Identity> {
  const [[known]] = yield* ask([meta(IDENTITY)]);
  if (known) return { value: known, writes: [] };
  const identity: Identity = { deviceId: device ?? uuid(), incarnation: uuid(), createdAt: now, firstSequence: 1 };
  return { value: identity, writes: [put(IDENTITY, identity), put(SYNC, FIRST_SYNC_POINT)] };
}

/** What the server says of the store when it registers. */
export interface Registration {
  readonly tenant: string;
  readonly branch: string | undefined;
  readonly number: number;
  readonly epoch: string;
  /** Where the results of this incarnation begin, if nothing was ever sent under it; `undefined` otherwise. */
  readonly mark: string | undefined;
}

/**
 * Stores whose shop this is, at the first contact; the caller has checked that it has not changed. Returns `undefined`
 * if another client has taken the fence.
 */
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
  // A known epoch is changed only by `followEpoch`, which also moves the journal.
  const { epoch, mark } = registration;
  // A store that was forked before its first registration may share operations with its clone. It must receive all
  // results from the beginning; otherwise it would add operations again that the rows already include [C6].
  const isForked = known.registered === false;
  const first: SyncPoint = { ...point, epoch, marks: mark === undefined || isForked ? {} : { push: mark, pull: mark } };
  const nextPoint = point.epoch === undefined ? first : point;
  return { value: { identity: next, point: nextPoint }, writes: [put(IDENTITY, next), put(SYNC, nextPoint)] };
}

/**
 * Gives the store a new incarnation. Operation ids and sequence numbers stay, and the counter continues [C7]. Returns
 * `undefined` if another client has taken the fence.
 */
export function* forkIdentity(
  fence: number,
  incarnation: string,
): StorageScript<{ readonly before: Identity; readonly after: Identity } | undefined> {
  const [[before, point, queue]] = yield* ask([meta(IDENTITY, SYNC, QUEUE)]);
  if (before === undefined || point?.fence !== fence) return { value: undefined, writes: [] };
  const rest = omit(before, "number");
  // What was made before the fork may arrive from a clone, so only what is made from now on can be missing.
  const firstSequence = (queue?.sequence ?? 0) + 1;
  const after: Identity = { ...rest, incarnation, firstSequence, registered: false };
  return { value: { before, after }, writes: [put(IDENTITY, after)] };
}

/**
 * What following a new epoch has changed. `from`: the epoch before, if there was one; `replaying`: how many operations
 * are sent again.
 */
export interface Followed {
  readonly from: string | undefined;
  readonly point: SyncPoint;
  readonly replaying: number;
  readonly changes: readonly RowChange[];
  readonly queue: QueueState;
  readonly cursors: Readonly<Record<string, CursorState>>;
}

/** The states of the journal of a lost epoch, and of what was blocked in it: see `decideEpochChange`. */
const SENT_AGAIN = ["applied", "quarantined", "conflict", "closed_elsewhere", "rejected", "blocked"] as const;

/**
 * Sets the new epoch, forgets cursors and marks, and moves the journal back into the outbox, in one transaction [C8.4].
 * Returns `undefined` if another client has taken the fence, or if the store follows this epoch already.
 */
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
  // The rows keep their generation: their bases include what the lost epoch had acknowledged, so it is not replayed on
  // them.
  const replaying = decideEpochChange(workspace, point, journal);
  const done = workspace.finish();
  const next = newEpoch(point, epoch, Object.keys(collections));
  const cursors = yield* restart(Object.keys(collections), next);
  return {
    value: { from: point.epoch, point: next, replaying, changes: done.changes, queue: workspace.queue, cursors },
    writes: [...done.writes, ...forgottenConflicts(journal), ...storedCursors(cursors), put(SYNC, next)],
  };
}

/** The open conflicts belong to the lost history: their operations are sent again and judged anew. */
function forgottenConflicts(journal: readonly StoredOperation[]): readonly StorageWrite[] {
  const open = journal.filter((operation) => isIn(operation, "conflict"));
  return open.map(({ status }) => ({ kind: "delete", table: CONFLICTS, key: status.conflictId }));
}

/**
 * Starts a resync of these collections in the same epoch: what is pulled again replaces their bases. Returns
 * `undefined` if another client has taken the fence.
 */
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

/** What a resync has changed when it starts. */
export interface Restarted {
  readonly point: SyncPoint;
  readonly cursors: Readonly<Record<string, CursorState>>;
}

/** The cursors of these collections at the start of a resync. */
export function* restart(
  collections: readonly string[],
  point: SyncPoint,
): Reads<Readonly<Record<string, CursorState>>> {
  const [cursors] = yield* ask([cursorsOf(collections)]);
  return Object.fromEntries(
    collections.map((collection, index) => [
      collection,
      restartCursor(cursors[index] ?? FIRST_CURSOR, generationOf(point, collection)),
    ]),
  );
}

/** Cursors as they are written. */
export function storedCursors(cursors: Readonly<Record<string, CursorState>>): readonly StorageWrite[] {
  return Object.entries(cursors).map(([collection, cursor]) => put(cursorKey(collection), cursor));
}
