/** The client: wires store, writer, loop, desks and events together. Holds no rule. (client) */
import type { CollectionMap } from "../schema/types.ts";
import { orAborted } from "../shared/abort.ts";
import { deferred } from "../shared/deferred.ts";
import type { AnyTillSyncError } from "../shared/errors.ts";
import { isTillSyncError, TillSyncError } from "../shared/errors.ts";
import { Announcer } from "./announce.ts";
import { Changes } from "./changes.ts";
import { createCollection } from "./collection.ts";
import { createConflictDesk, createOperationDesk } from "./desks.ts";
import { diagnose } from "./diagnostics.ts";
import { Emitter } from "./emitter.ts";
import { Known } from "./known.ts";
import { resolveOptions } from "./options.ts";
import type { StorageConnection } from "./ports/storage.ts";
import { ensureIdentity, takeFence } from "./scripts/identity.ts";
import { deriveStatus, outcomeOf } from "./status.ts";
import type { Committed } from "./store.ts";
import { closed, TillStore } from "./store.ts";
import type { CursorState, QueueState, SyncPoint } from "./stored.ts";
import { cursorKey, EMPTY_QUEUE, FIRST_CURSOR, FIRST_SYNC_POINT, META, QUEUE, SYNC } from "./stored.ts";
import type { News } from "./sync/drain.ts";
import { Drain } from "./sync/drain.ts";
import { SyncLoop } from "./sync/loop.ts";
import type { SyncState } from "./sync/machine.ts";
import { Pokes } from "./sync/pokes.ts";
import type { TransactionRun } from "./transaction.ts";
import { runTransaction } from "./transaction.ts";
import type { SyncClient, SyncClientOptions } from "./types/client.ts";
import type { SyncEvents } from "./types/events.ts";
import type { SyncOutcome, SyncStatus } from "./types/status.ts";
import { Writer } from "./writer.ts";

type Events = SyncEvents<CollectionMap>;

/** How long a one-off `sync()` waits for its turn before it leaves the work to whoever has it. */
const TURN_MS = 1_000;

/** @throws TillSyncError `invalid_option` */
export function createClient<C extends CollectionMap>(given: SyncClientOptions<C>): SyncClient<C> {
  const options = resolveOptions(given);
  const { clock, random, logger, collections } = options;
  const names = Object.keys(collections);
  const known = new Known(names, clock);
  const emitter = new Emitter<Events>(logger);
  const closing = new AbortController();
  /** This client, among others of the same store. */
  const self = random.uuid();
  const inFlight = new Set<string>();
  const changes = new Changes((error) => emitter.fail(error, "A listener of a commit threw."));
  let status: SyncStatus = deriveStatus(undefined, factsOf(), clock.now());
  let unauthorised: "no_token" | "refused" = "no_token";
  let moved = { pushed: 0, pulled: 0 };

  const store = new TillStore(options.storage, options.name, collections, { opened, committed, failed: storageFailed });
  const announcer = new Announcer(emitter, store, known, inFlight);
  const writer = new Writer({
    store,
    actor: options.actor,
    now: () => known.now(),
    uuid: () => random.uuid(),
    branch: () => known.identity?.branch,
    queued() {
      loop.dispatch({ kind: "wake", why: "queued" });
      options.coordinator.broadcast(store.scope, { kind: "queued", from: self });
    },
  });
  const drain = new Drain({
    store,
    transport: options.transport,
    clock,
    batch: options.batch,
    device: options.device,
    inFlight,
    uuid: () => random.uuid(),
    context: () => writer.context(),
    notice,
  });
  const loop = new SyncLoop({
    clock,
    random,
    coordinator: options.coordinator,
    scope: store.scope,
    options: options.machine,
    takeFence: async () =>
      (await store.transact("fence", "strict", [], takeFence, ({ point }) => ({ point }))).point.fence,
    register: (fence, signal) => drain.register(fence, signal),
    push: (fence, signal) => drain.push(fence, signal),
    pull: (fence, signal) => drain.pull(fence, signal),
    changed: syncChanged,
    failed: (error, message) => emitter.fail(error, message),
  });
  const pokes = new Pokes({
    transport: options.transport,
    clock,
    random,
    backoff: options.machine,
    device: () => known.identity?.deviceId,
    poked: () => loop.dispatch({ kind: "wake", why: "poke" }),
  });
  const stops: (() => void)[] = [];

  function factsOf() {
    return {
      opened: known.opened,
      failure: known.failure,
      sync: loopState(),
      retryAt: loopRetryAt(),
      online: options.connectivity.online(),
      contacted: known.contacted,
      queue: known.queue,
      point: known.point,
      cursors: known.cursors,
      clock: known.offset,
      storage: known.storage,
    };
  }
  // The first status is derived before there is a loop.
  function loopState(): SyncState {
    return known.opened === "not" ? { kind: "stopped" } : loop.state;
  }
  function loopRetryAt(): number | undefined {
    return known.opened === "not" ? undefined : loop.retryAt;
  }

  function refresh(): void {
    const next = deriveStatus(status, factsOf(), clock.now());
    if (next === status) return;
    const before = status;
    status = next;
    emitter.emit("status", status);
    tellOfTrouble(before, status);
  }

  function tellOfTrouble(before: SyncStatus, now: SyncStatus): void {
    if (now.storage.atRisk && now.storage.atRisk !== before.storage.atRisk)
      emitter.emit("storage_at_risk", { cause: now.storage.atRisk });
    if (now.phase !== "action_needed" || (before.phase === "action_needed" && before.cause === now.cause)) return;
    if (now.cause === "auth_required") emitter.emit("auth_required", { cause: unauthorised });
    if (now.cause === "device_revoked") emitter.emit("device_revoked", { at: known.now() });
  }

  /** Reads what the client keeps in memory, before anybody uses the connection. */
  async function opened(connection: StorageConnection): Promise<void> {
    known.opened = "opening";
    known.failure = undefined;
    const uuid = () => random.uuid();
    known.identity = await connection.transact({ tables: [META], durability: "strict", label: "identity" }, () =>
      ensureIdentity(options.device.id, clock.now(), uuid),
    );
    known.take(await readKnown(connection));
    known.storage = await connection.estimate();
    known.opened = "open";
    refresh();
    if (stops.length === 0) listen();
    if (options.auto) loop.dispatch({ kind: "start" });
  }

  /** What every client of the store keeps in memory, as it is on disk. */
  async function readKnown(source: Pick<StorageConnection, "get"> = store): Promise<Committed> {
    const [queue, point, ...cursors] = await source.get<unknown>(META, [QUEUE, SYNC, ...names.map(cursorKey)]);
    return {
      queue: (queue as QueueState | undefined) ?? EMPTY_QUEUE,
      point: (point as SyncPoint | undefined) ?? FIRST_SYNC_POINT,
      cursors: Object.fromEntries(
        names.map((name, index) => [name, (cursors[index] as CursorState | undefined) ?? FIRST_CURSOR]),
      ),
    };
  }

  function listen(): void {
    stops.push(
      options.connectivity.subscribe((hint) => {
        if (hint !== "offline") loop.dispatch({ kind: "wake", why: hint === "online" ? "online" : "visible" });
        refresh();
      }),
      options.coordinator.subscribe(store.scope, (message) => {
        if (message.from === self) return;
        if (message.kind === "queued") loop.dispatch({ kind: "wake", why: "queued" });
        else
          void readKnown().then(
            (read) => tell({ ...read, foreign: message.collections }),
            () => undefined,
          ); // closed meanwhile
      }),
    );
  }

  function committed(commit: Committed): void {
    tell(commit);
    const collections = [...new Set((commit.changes ?? []).map((change) => change.collection))];
    options.coordinator.broadcast(store.scope, { kind: "changed", from: self, collections });
  }

  function tell(commit: Committed): void {
    known.take(commit);
    changes.publish(commit);
    announcer.commit(commit);
    refresh();
  }

  function notice(news: News): void {
    if (news.kind === "contact") known.contact(news.sample);
    if (news.kind === "identity") known.identity = news.identity;
    if (news.kind === "forked") known.identity = news.after;
    if (news.kind === "unauthorised") unauthorised = news.reason;
    if (news.kind === "moved") moved = { pushed: moved.pushed + news.pushed, pulled: moved.pulled + news.pulled };
    announcer.news(news);
  }

  function syncChanged(state: SyncState): void {
    pokes.want(state.kind === "online");
    refresh();
    changes.publish({});
  }

  function storageFailed(error: unknown, told: boolean): void {
    known.failure = asError(error);
    if (!told) emitter.fail(known.failure, known.failure.message);
    refresh();
  }

  async function open(): Promise<void> {
    if (known.opened === "not") known.opened = "opening";
    refresh();
    await store.open();
  }

  /** Waits until `done` is true, looking again after every commit and every step of the loop. */
  function until(done: () => boolean, signal?: AbortSignal): Promise<void> {
    const wait = deferred<void>();
    const look = () => done() && wait.resolve();
    const stop = changes.subscribe(look);
    const closed = () => wait.reject(closing.signal.reason);
    closing.signal.addEventListener("abort", closed, { once: true });
    look();
    return orAborted(wait.promise, signal).finally(() => {
      stop();
      closing.signal.removeEventListener("abort", closed);
    });
  }

  async function sync({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<SyncOutcome> {
    await open();
    moved = { pushed: 0, pulled: 0 };
    const once = !options.auto && loop.state.kind === "stopped";
    if (once) loop.dispatch({ kind: "start" });
    if (loop.state.kind === "standby") {
      options.coordinator.broadcast(store.scope, { kind: "queued", from: self });
      const over = new AbortController();
      const turn = until(() => loop.state.kind !== "standby", signal).catch(() => undefined);
      await Promise.race([turn, clock.sleep(TURN_MS, over.signal).catch(() => undefined)]);
      over.abort();
    }
    loop.dispatch({ kind: "wake", why: "manual" });
    const outcome = () => outcomeOf(factsOf(), moved);
    await until(() => outcome() !== undefined, signal);
    const result = outcome() ?? { outcome: "done", ...moved, remaining: 0 };
    if (once) loop.dispatch({ kind: "stop" });
    return result;
  }

  const deskDeps = { store, writer, changes, inFlight };
  const collectionDeps = {
    store,
    writer,
    changes,
    complete: (name: string) => known.cursors[name]?.everComplete ?? false,
    closing: closing.signal,
  };
  let closed_: Promise<void> | undefined;

  const client = {
    name: options.name,
    collections: Object.fromEntries(
      Object.entries(collections).map(([name, definition]) => [
        name,
        createCollection(name, definition, collectionDeps),
      ]),
    ),
    transaction: (run: TransactionRun, transactionOptions?: object) =>
      runTransaction(store, writer, run, transactionOptions),
    start: open,
    pause(reason: string): void {
      loop.dispatch({ kind: "pause", reason });
    },
    resume(reason: string): void {
      loop.dispatch({ kind: "resume", reason });
      // Without a background loop there is nothing that resuming would start.
      if (!options.auto && loop.state.kind === "standby") loop.dispatch({ kind: "stop" });
    },
    sync,
    async firstSync({
      collections: wanted = names,
      signal,
    }: {
      collections?: readonly string[] | undefined;
      signal?: AbortSignal | undefined;
    } = {}): Promise<void> {
      await open();
      await until(() => wanted.every((name) => known.cursors[name]?.everComplete), signal);
    },
    get status(): SyncStatus {
      return status;
    },
    now: () => known.now(),
    async device() {
      await open();
      const identity = known.identity;
      return {
        id: identity?.deviceId,
        incarnation: identity?.incarnation,
        name: options.device.name,
        number: identity?.number,
      };
    },
    on: emitter.on.bind(emitter),
    operations: createOperationDesk(deskDeps),
    conflicts: createConflictDesk(deskDeps),
    diagnostics: () => diagnose({ store, known, status, now: known.now() }),
    close(): Promise<void> {
      closed_ ??= shut();
      return closed_;
    },
    [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: () => client.close(),
  };

  async function shut(): Promise<void> {
    closing.abort(closed());
    pokes.want(false);
    for (const stop of stops) stop();
    await loop.close();
    await store.close();
    known.opened = "closed";
    refresh();
    emitter.clear();
  }

  return client as unknown as SyncClient<C>;
}

function asError(error: unknown): AnyTillSyncError {
  return isTillSyncError(error)
    ? error
    : new TillSyncError("internal", "The local store failed.", {}, { cause: error });
}
