/**
 * The client: wires session, writer, loop, desks and collections together. It holds no rule.
 *
 *                    app
 *      calls ┌────────┴───────┐ events, status, live lists
 *            ▼                ▲
 *     collections,       EventPublisher, live lists, pending `settled()` calls
 *     desks, tx               ▲                  ▲
 *            │ LocalChange    │ SyncNotice       │ Commit, with its OperationEvents
 *            ▼                │                  │
 *     Writer ──► LocalStore ──┼──► Session ──► CommitFeed
 *            │      ▲         │       ▲
 *     queued │      │ answers │       │ SyncNotice: what a call found out
 *            ▼      │         └───────┤
 *     SyncLoop ──► SyncCalls (register, push, pull)
 *       ▲  ▲ MachineEvent: the outcome of a call
 *       │  └── ConnectivityHint (online, visible, frozen) and pokes, as MachineEvents
 *       │
 *     TabChannel ◄── TabMessage ──► the other tabs: who leads, what changed, what was queued
 *
 * The seven vocabularies: `OperationEvent` (what a commit did to operations), `SyncNotice` (what a call found out),
 * `Commit` (what a transaction changed), `TabMessage` (between tabs), `MachineEvent` (into the state machine),
 * `SyncEvents` (to the app) and `ConnectivityHint` (from the platform). docs/architecture.md has a table of them.
 *
 * `loop`, `tabs` and `pokes` call each other: each is created before the first event can arrive, so a closure may name
 * one that is declared below it.
 */
import type { CollectionMap } from "../schema/types.ts";
import { expectOption } from "../shared/errors.ts";
import { createCollection } from "./app/collection.ts";
import { createConflictDesk } from "./app/conflict-desk.ts";
import { diagnose } from "./app/diagnostics.ts";
import { createOperationDesk } from "./app/operation-desk.ts";
import { runTransaction, type TransactionRun } from "./app/transaction.ts";
import { hintEvents, mayHaveMissed } from "./decide/hints.ts";
import { resolveOptions } from "./options.ts";
import type { ConnectivityHint } from "./ports/connectivity.ts";
import { giveLease, takeFence, takeLease } from "./scripts/turn.ts";
import { closed } from "./store/local-store.ts";
import { Writer } from "./store/writer.ts";
import { SyncLoop } from "./sync/loop.ts";
import { Pokes } from "./sync/pokes.ts";
import { SyncCalls } from "./sync/sync-calls.ts";
import { EVENT_NAMES } from "./tab/event-names.ts";
import { Session } from "./tab/session.ts";
import { SyncNow } from "./tab/sync-now.ts";
import { TabChannel } from "./tab/tab-channel.ts";
import type { SyncClient, SyncClientOptions } from "./types/client.ts";
import type { ReadOptions } from "./types/collections.ts";

/** @throws TillSyncError `invalid_option` */
export function createClient<C extends CollectionMap>(given: SyncClientOptions<C>): SyncClient<C> {
  const options = resolveOptions(given);
  const { clock, random, coordinator, connectivity, transport, collections } = options;
  const inFlight = new Set<string>();
  const session: Session = new Session(options, inFlight, {
    sync: () => (tabs.leader ? { state: tabs.leader.sync, retryAt: tabs.leader.retryAt } : loop),
    opened,
    committed: (names) => tabs.changed(names),
  });
  const { store, clientState, feed, emitter } = session;
  const uuid = () => random.uuid();

  const writer = new Writer({
    store,
    actor: options.actor,
    now: () => clientState.now(),
    uuid,
    branch: () => clientState.identity?.branch,
    queued() {
      loop.dispatch({ kind: "wake", why: "queued" });
      tabs.broadcast({ kind: "queued" });
    },
  });
  const calls = new SyncCalls({
    store,
    transport,
    clock,
    batch: options.batch,
    intervalMs: options.machine.intervalMs,
    device: options.device,
    inFlight,
    uuid,
    context: () => writer.background(),
    full: () => clientState.storage?.full === true,
    offsetMs: () => clientState.offset.offsetMs,
    notice(notice) {
      session.notice(notice);
      if (notice.kind === "contact") tabs.contact();
      if (notice.kind === "identity" || notice.kind === "forked") tabs.changed([]);
      syncNow.notice(notice);
    },
  });
  const loop: SyncLoop = new SyncLoop({
    clock,
    random,
    coordinator,
    scope: store.scope,
    lease: {
      take: (ms) => store.transact("lease", "relaxed", [], () => takeLease(session.id, clock.now(), ms)),
      give: () => store.transact("lease", "relaxed", [], () => giveLease(session.id)),
    },
    options: options.machine,
    async takeFence() {
      const { point } = await store.transact("fence", "strict", [], takeFence, (taken) => ({ point: taken.point }));
      return point.fence;
    },
    register: (fence, signal) => calls.register(fence, signal),
    push: (fence, signal) => calls.push(fence, signal),
    pull: (fence, signal) => calls.pull(fence, signal),
    changed(state) {
      pokes.want(state.kind === "online");
      tabs.report();
      session.refresh();
      feed.publish({});
    },
    failed: (error, message) => emitter.fail(error, message),
  });
  const pokes = new Pokes({
    transport,
    clock,
    random,
    backoff: options.machine,
    device: () => clientState.identity?.deviceId,
    poked: () => loop.dispatch({ kind: "wake", why: "poke" }),
  });
  const tabs: TabChannel = new TabChannel({
    session,
    loop,
    coordinator,
    clock,
    intervalMs: options.machine.intervalMs,
  });
  const syncNow = new SyncNow({ session, loop, tabs, clock, auto: options.auto });

  const stops: (() => void)[] = [];
  function opened(): void {
    if (session.closing.aborted) return; // closed while it was opening: nothing would unsubscribe these
    if (stops.length === 0) stops.push(connectivity.subscribe(hinted), () => tabs.stop());
    tabs.start();
    if (options.auto) loop.dispatch({ kind: "start" });
  }
  function hinted(hint: ConnectivityHint): void {
    for (const event of hintEvents(hint, options.auto)) loop.dispatch(event);
    if (mayHaveMissed(hint)) void session.checkStore();
    session.refresh();
  }

  const wake = () => loop.dispatch({ kind: "wake", why: "manual" });
  const deskDeps = { store, writer, feed, inFlight, wake };
  const collectionDeps = {
    store,
    writer,
    feed,
    complete: (name: string) => clientState.cursors[name]?.everComplete ?? false,
    closing: session.closing,
  };
  let closing: Promise<void> | undefined;
  async function closeLoop(): Promise<void> {
    pokes.want(false);
    for (const stop of stops) stop();
    await loop.close();
  }

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
    start: () => session.open(),
    pause: (reason: string) => loop.dispatch({ kind: "pause", reason }),
    resume: (reason: string) => loop.dispatch({ kind: "resume", reason }),
    sync: (syncOptions?: ReadOptions) => syncNow.sync(syncOptions?.signal),
    async firstSync(wanted: ReadOptions & { collections?: readonly string[] | undefined } = {}): Promise<void> {
      await session.open();
      const names = wanted.collections ?? Object.keys(collections);
      const all = Object.keys(collections).join(", ");
      for (const name of names) {
        // The wait for an unknown collection would never end.
        expectOption(Object.hasOwn(collections, name), "collections", `some of ${all}`, name, "Correct its spelling.");
      }
      await session.until(() => names.every((name) => clientState.isPulled(name)), wanted.signal);
    },
    get status() {
      return session.status;
    },
    now: () => clientState.now(),
    async device() {
      await session.open();
      const { deviceId: id, incarnation, number } = clientState.identity ?? {};
      return { id, incarnation, name: options.device.name, number };
    },
    on(...[event, listener]: Parameters<typeof emitter.on>) {
      // A listener for an event that never comes would wait in silence.
      const names = EVENT_NAMES.join(", ");
      expectOption(EVENT_NAMES.includes(event), "event", `one of ${names}`, event, "Correct its spelling.");
      return emitter.on(event, listener);
    },
    operations: createOperationDesk(deskDeps),
    conflicts: createConflictDesk(deskDeps),
    diagnostics: () => diagnose({ store, clientState, status: session.status, now: clientState.now() }),
    close(): Promise<void> {
      closing ??= session.close(closed(), closeLoop);
      return closing;
    },
    // Where the platform has no `Symbol.asyncDispose` yet, under its registered name: `await using` is compiled to that.
    [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: () => client.close(),
  };
  return client as unknown as SyncClient<C>;
}
