/** The client: wires session, writer, loop, desks and collections together. Holds no rule. */
import type { CollectionMap } from "../schema/types.ts";
import { expectOption } from "../shared/errors.ts";
import { createCollection } from "./app/collection.ts";
import { createConflictDesk, createOperationDesk } from "./app/desks.ts";
import { diagnose } from "./app/diagnostics.ts";
import type { TransactionRun } from "./app/transaction.ts";
import { runTransaction } from "./app/transaction.ts";
import { hintEvents, mayHaveMissed } from "./decide/hints.ts";
import { resolveOptions } from "./options.ts";
import type { ConnectivityHint } from "./ports/connectivity.ts";
import { takeFence } from "./scripts/identity.ts";
import { giveLease, takeLease } from "./scripts/turn.ts";
import { closed } from "./store/local-store.ts";
import { Writer } from "./store/writer.ts";
import { SyncLoop } from "./sync/loop.ts";
import { Pokes } from "./sync/pokes.ts";
import { Drain } from "./sync/sync-calls.ts";
import { Session } from "./tab/session.ts";
import { Once } from "./tab/sync-now.ts";
import { Others } from "./tab/tab-channel.ts";
import type { SyncClient, SyncClientOptions } from "./types/client.ts";
import type { ReadOptions } from "./types/collections.ts";

/** @throws TillSyncError `invalid_option` */
export function createClient<C extends CollectionMap>(given: SyncClientOptions<C>): SyncClient<C> {
  const options = resolveOptions(given);
  const { clock, random, coordinator, connectivity, transport, collections } = options;
  const inFlight = new Set<string>();
  const session: Session = new Session(options, inFlight, {
    sync: () => (others.leading ? { state: others.leading.sync, retryAt: others.leading.retryAt } : loop),
    opened,
    committed: (names) => others.changed(names),
  });
  const { store, known, changes, emitter } = session;
  const uuid = () => random.uuid();

  const writer = new Writer({
    store,
    actor: options.actor,
    now: () => known.now(),
    uuid,
    branch: () => known.identity?.branch,
    queued() {
      loop.dispatch({ kind: "wake", why: "queued" });
      others.tell({ kind: "queued" });
    },
  });
  const drain = new Drain({
    store,
    transport,
    clock,
    batch: options.batch,
    intervalMs: options.machine.intervalMs,
    device: options.device,
    inFlight,
    uuid,
    context: () => writer.background(),
    full: () => known.storage?.full === true,
    notice(news) {
      session.notice(news);
      if (news.kind === "contact") others.contact();
      if (news.kind === "identity" || news.kind === "forked") others.changed([]);
      once.notice(news);
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
    register: (fence, signal) => drain.register(fence, signal),
    push: (fence, signal) => drain.push(fence, signal),
    pull: (fence, signal) => drain.pull(fence, signal),
    changed(state) {
      pokes.want(state.kind === "online");
      others.report();
      session.refresh();
      changes.publish({});
    },
    failed: (error, message) => emitter.fail(error, message),
  });
  const pokes = new Pokes({
    transport,
    clock,
    random,
    backoff: options.machine,
    device: () => known.identity?.deviceId,
    poked: () => loop.dispatch({ kind: "wake", why: "poke" }),
  });
  const others: Others = new Others({ session, loop, coordinator, clock, intervalMs: options.machine.intervalMs });
  const once = new Once({ session, loop, others, clock, auto: options.auto });

  const stops: (() => void)[] = [];
  function opened(): void {
    if (session.closing.aborted) return; // closed while it was opening: nobody would take these off again
    if (stops.length === 0) stops.push(connectivity.subscribe(hinted), () => others.stop());
    others.start();
    if (options.auto) loop.dispatch({ kind: "start" });
  }
  function hinted(hint: ConnectivityHint): void {
    for (const event of hintEvents(hint, options.auto)) loop.dispatch(event);
    if (mayHaveMissed(hint)) void session.look();
    session.refresh();
  }

  const wake = () => loop.dispatch({ kind: "wake", why: "manual" });
  const deskDeps = { store, writer, changes, inFlight, wake };
  const collectionDeps = {
    store,
    writer,
    changes,
    complete: (name: string) => known.cursors[name]?.everComplete ?? false,
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
    sync: (syncOptions?: ReadOptions) => once.sync(syncOptions?.signal),
    async firstSync(wanted: ReadOptions & { collections?: readonly string[] | undefined } = {}): Promise<void> {
      await session.open();
      const names = wanted.collections ?? Object.keys(collections);
      const all = Object.keys(collections).join(", ");
      for (const name of names) {
        // It would never come.
        expectOption(Object.hasOwn(collections, name), "collections", `some of ${all}`, name, "Correct its spelling.");
      }
      await session.until(() => names.every((name) => known.cursors[name]?.everComplete), wanted.signal);
    },
    get status() {
      return session.status;
    },
    now: () => known.now(),
    async device() {
      await session.open();
      const { deviceId: id, incarnation, number } = known.identity ?? {};
      return { id, incarnation, name: options.device.name, number };
    },
    on: emitter.on.bind(emitter),
    operations: createOperationDesk(deskDeps),
    conflicts: createConflictDesk(deskDeps),
    diagnostics: () => diagnose({ store, known, status: session.status, now: known.now() }),
    close(): Promise<void> {
      closing ??= session.close(closed(), closeLoop);
      return closing;
    },
    // Where the platform has no `Symbol.asyncDispose` yet, under its registered name: `await using` is compiled to that.
    [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: () => client.close(),
  };
  return client as unknown as SyncClient<C>;
}
