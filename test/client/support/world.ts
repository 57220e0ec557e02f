/** Whole tills on a server in memory. A test can change everything: disks, tokens, the network, the clock. */

import type { SyncClient, SyncClientOptions } from "tillsync";
import { type FakeClock, type FakeNetwork, seededRandom } from "tillsync/testing";
import { createClient } from "../../../src/client/client.ts";
import { isOpen, isReplayed, isWaiting, type StoredOperation } from "../../../src/client/state/operation.ts";
import type { StoredConflict, StoredRow } from "../../../src/client/state/rows.ts";
import { OPERATIONS, tableOf } from "../../../src/client/state/tables.ts";
import type { SyncEvents } from "../../../src/client/types/events.ts";
import type { CollectionMap } from "../../../src/schema/types.ts";
import { importRows } from "../../../src/server/admin/import-rows.ts";
import { readRows } from "../../../src/server/admin/read-rows.ts";
import { memoryStore } from "../../../src/server/memory/memory-store.ts";
import type { Principal } from "../../../src/server/policy-types.ts";
import { createSyncHandler } from "../../../src/server/server.ts";
import { type MemoryAdapter, memory } from "../../../src/storage/memory/memory.ts";
import { fakeClock, type WorkWatch } from "../../../src/testing/fake-clock.ts";
import { fakeNetwork } from "../../../src/testing/fake-network.ts";
import { watched } from "../../../src/testing/watched-transport.ts";
import { http } from "../../../src/transport/http/http.ts";
import { type FlatOperation, flat } from "../../support/flat-operation.ts";
import { collections as shop, type collections as shopCollections } from "../../support/shop.ts";

export type Shop = typeof shopCollections;
export type Till = SyncClient<Shop>;
export type TillOptions = Partial<Omit<SyncClientOptions<Shop>, "collections" | "clock" | "storage">> & {
  readonly storage?: MemoryAdapter;
};
export const START = "2026-11-20T08:00:00Z";
export const NAME = "test-shop";
export const TENANT = "t-1";

type Verdict = { readonly outcome: "rejected" | "quarantined"; readonly code: string; readonly message: string };

export class ClientWorld {
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly store = memoryStore();
  readonly collections: CollectionMap;
  /** The token of the till's app; `undefined` if no person is signed in. A function may throw. */
  token: (() => string | undefined) | string | undefined = "good";
  /** How the server verifies a token. */
  principal: (token: string, device: string | undefined) => Principal | undefined = (token, device) =>
    token === "good" ? { tenant: TENANT, branch: "main", device, scopes: ["sync", "sync:desk"] } : undefined;
  readonly #verdicts = new Map<string, Verdict[]>();
  readonly #fetch: typeof fetch;
  readonly #handler: (request: Request) => Promise<Response>;
  readonly #tills: SyncClient[] = [];

  constructor(collections: CollectionMap = shop) {
    this.collections = collections;
    this.clock = fakeClock(START);
    this.#handler = createSyncHandler({
      store: this.store,
      collections: collections as never,
      policies: this.#policies() as never,
      clock: this.clock,
      random: seededRandom(7),
      authenticate: (request: Request) =>
        this.principal(
          request.headers.get("authorization")?.replace("Bearer ", "") ?? "",
          request.headers.get("tillsync-device") ?? undefined,
        ),
    });
    const { network, fetch } = fakeNetwork(this.#handler, () => (this.clock as FakeClock & WorkWatch).stir());
    this.network = network;
    this.#fetch = fetch;
  }

  transport() {
    const transport = http({
      url: "http://shop.test/sync",
      getToken: () => (typeof this.token === "function" ? this.token() : this.token),
      live: "off",
      fetch: this.#fetch,
    });
    return watched(transport, this.clock as FakeClock & WorkWatch);
  }

  /** A till that is not started. */
  till(options: TillOptions = {}): Till {
    const till = createClient({
      name: NAME,
      storage: memory(),
      random: seededRandom(100 + this.#tills.length),
      transport: this.transport(),
      ...options,
      clock: this.clock,
      collections: this.collections as never,
    }) as unknown as Till;
    this.#tills.push(till);
    return till;
  }

  /** A till that was started, and has pulled everything. */
  async open(options: TillOptions = {}): Promise<Till> {
    const till = this.till(options);
    await till.start();
    await this.clock.advance(1_000);
    await till.firstSync();
    return till;
  }

  async seed(
    collection: string,
    ...rows: readonly ({ readonly id: string } & Readonly<Record<string, unknown>>)[]
  ): Promise<void> {
    const { store, collections, clock } = this;
    await importRows({
      store,
      collections,
      tenant: TENANT,
      collection,
      rows,
      clock,
      random: seededRandom(11 + rows.length),
    });
  }

  async rows(collection: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const found: Readonly<Record<string, unknown>>[] = [];
    const { store, collections } = this;
    for await (const row of readRows({ store, collections, tenant: TENANT, collection })) found.push(row);
    return found;
  }

  rejectNext(collection: string, code = "not_permitted"): void {
    this.#next(collection, { outcome: "rejected", code, message: `${code}!` });
  }
  quarantineNext(collection: string, code = "shift_closed"): void {
    this.#next(collection, { outcome: "quarantined", code, message: `${code}!` });
  }

  /** What the office does on its own desk. */
  async office(path: string, body?: object): Promise<unknown> {
    const response = await this.#handler(
      new Request(`http://shop.test/sync/${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: "Bearer good",
          "content-type": "application/json",
          "tillsync-protocol": "1",
          "tillsync-request-id": "0198a3b2-0000-7000-8000-00000000000f",
        },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  paths(from = 0): readonly string[] {
    return this.network.requests.slice(from).map(({ path }) => path.replace("/sync/", ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#tills.map((till) => till.close()));
    await this.store.close();
  }

  #next(collection: string, verdict: Verdict): void {
    const waiting = this.#verdicts.get(collection);
    if (waiting) waiting.push(verdict);
    else this.#verdicts.set(collection, [verdict]);
  }

  /** Everything is allowed, except where a test has asked for another verdict. */
  #policies(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this.collections).map(([name, { kind }]) => {
        const open = { read: "everyone", create: "everyone" };
        const allow = kind === "fact" ? open : { ...open, update: "everyone", delete: "everyone", force: "everyone" };
        const decide = () =>
          this.#verdicts.get(name)?.shift() ??
          (name === "sales" ? { outcome: "applied", assigned: { orderNumber: "N-1" } } : { outcome: "applied" });
        return [name, { scope: "tenant", allow, decide }];
      }),
    );
  }
}

/** All events of a till, in order. */
export function listen(till: Till, ...events: readonly (keyof SyncEvents)[]) {
  const heard: { readonly event: string; readonly payload: unknown }[] = [];
  for (const event of events) till.on(event, (payload: unknown) => void heard.push({ event, payload }));
  return {
    heard,
    of: <T = unknown>(event: keyof SyncEvents): readonly T[] =>
      heard.filter((one) => one.event === event).map(({ payload }) => payload as T),
  };
}

// ── What is stored ──
export function operationsIn(storage: MemoryAdapter): readonly FlatOperation[] {
  const entries = storage.snapshot(NAME).tables[OPERATIONS] ?? [];
  return entries.map(([, value]) => flat(value as StoredOperation)).sort((a, b) => a.sequence - b.sequence);
}
export function conflictsIn(storage: MemoryAdapter): readonly StoredConflict[] {
  return (storage.snapshot(NAME).tables.conflicts ?? []).map(([, value]) => value as StoredConflict);
}
export function rowIn(storage: MemoryAdapter, collection: string, id: string): StoredRow | undefined {
  const found = storage.snapshot(NAME).tables[tableOf(collection)]?.find(([key]) => key === id);
  return found?.[1] as StoredRow | undefined;
}
export function metaIn<T>(storage: MemoryAdapter, key: string): T | undefined {
  return storage.snapshot(NAME).tables.meta?.find(([name]) => name === key)?.[1] as T | undefined;
}

/**
 * The counts of the queue and of each row, and the same counted from the operations: they must be equal, as S7 of
 * docs/reliability.md says.
 */
export function bothCounts(storage: MemoryAdapter) {
  const operations = operationsIn(storage);
  const queue = metaIn<Record<string, unknown>>(storage, "queue") ?? {};
  const waiting: Record<string, number> = {};
  for (const o of operations.filter(isWaiting)) waiting[o.collection] = (waiting[o.collection] ?? 0) + 1;
  const state = (name: string) => operations.filter((o) => o.state === name);
  const rows: Record<string, unknown>[] = [];
  const counted: Record<string, unknown>[] = [];
  for (const [table, entries] of Object.entries(storage.snapshot(NAME).tables)) {
    if (!table.startsWith("c:")) continue;
    for (const [id, value] of entries) {
      const row = value as StoredRow;
      const own = operations.filter((o) => tableOf(o.collection) === table && o.entityId === id && o.action !== "void");
      const states: Record<string, number> = {};
      for (const o of own)
        if (["pending", "blocked", "conflict", "rejected", "quarantined"].includes(o.state))
          states[o.state] = (states[o.state] ?? 0) + 1;
      const subject = `${table.slice(2)}/${id}`;
      rows.push({ subject, ...row.states });
      counted.push({ subject, ...states });
    }
  }
  return {
    stored: {
      waiting: queue.waiting ?? {},
      edits: queue.edits ?? 0,
      conflicts: queue.conflicts ?? 0,
      rejected: queue.rejected ?? 0,
      quarantined: queue.quarantined ?? 0,
      rows,
    },
    counted: {
      waiting,
      edits: operations.filter(
        (o) => isOpen(o) && ((isReplayed(o) && o.kind === "record") || o.status.state === "blocked"),
      ).length,
      conflicts: state("conflict").length,
      rejected: state("rejected").length,
      quarantined: state("quarantined").filter((o) => o.error?.code !== "discarded").length,
      rows: counted,
    },
  };
}
