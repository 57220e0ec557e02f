/**
 * A shop for the rules of the protocol: the real client over the real transport and the real handler, in one process, where a test holds
 * everything that happens in between. Each till has a line and a disk of its own, the server can be put back, and tokens can change.
 */

import { createSyncHandler, type Policies, type Principal } from "tillsync/server";
import { type MemoryStore, memoryStore } from "tillsync/server/memory";
import { type MemoryAdapter, memory } from "tillsync/storage/memory";
import { type FakeClock, fakeClock, seededRandom } from "tillsync/testing";
import { expect } from "vitest";
import { createClient } from "../../src/client/client.ts";
import type { Transport } from "../../src/client/ports/transport.ts";
import type { StoredOperation } from "../../src/client/state/operation.ts";
import type { StoredRow } from "../../src/client/state/rows.ts";
import type { SyncClient, SyncClientOptions, SyncOptions } from "../../src/client/types/client.ts";
import type { SyncStatus } from "../../src/client/types/status.ts";
import type { FinalResult, OperationResult, PullPage } from "../../src/protocol/types.ts";
import { resolvedOf } from "../../src/schema/resolved.ts";
import type { CollectionMap } from "../../src/schema/types.ts";
import { announceRestore, importRows, revokeDevice } from "../../src/server/admin.ts";
import type { OperationRow, RecordRow } from "../../src/server/ports/rows.ts";
import type { ServerStore } from "../../src/server/ports/store.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { http } from "../../src/transport/http/http.ts";
import { type FlatOperation, flat } from "./flat-operation.ts";
import { collections as shopCollections } from "./shop.ts";

const TENANT = "shop";
const STORE_NAME = "shop";
const START = "2026-11-20T08:00:00Z";
const DAY_MS = 24 * 60 * 60 * 1_000;
export const days = (n: number) => n * DAY_MS;

type Shop = typeof shopCollections;
type Verdict = { readonly outcome: "rejected" | "quarantined"; readonly code: string; readonly message: string };
type Json = Record<string, unknown>;

type Endpoint = "register" | "push" | "pull";
/** One request of a till, and what it was told. `status` is missing where it was told nothing. */
export interface Exchange {
  readonly endpoint: Endpoint;
  // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
  readonly request: any;
  status: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
  answer: any;
}
/** What becomes of a request on its way. */
export type Way = (deliver: () => Promise<Response>, request: Request, exchange: Exchange) => Promise<Response>;
export interface Held {
  /** Resolves when the request (or its answer) is where it is held. */
  readonly arrived: Promise<void>;
  release(): void;
}

const unreachable = () => new TypeError("Failed to fetch");
export const lostRequest: Way = () => Promise.reject(unreachable());
export const lostAnswer: Way = async (deliver) => {
  await deliver();
  throw unreachable();
};
export const twice: Way = async (deliver) => {
  await deliver();
  return deliver();
};
/** A refusal of the server itself, as it would be if it could not read the request. */
export const refusing =
  (status: number, code: string): Way =>
  async (_deliver, request) =>
    Response.json(
      {
        type: `urn:tillsync:problem:${code}`,
        title: code,
        status,
        detail: "Refused by the test",
        code,
        requestId: request.headers.get("tillsync-request-id"),
      },
      {
        status,
        headers: {
          "content-type": "application/problem+json",
          "tillsync-protocol": "1",
          "tillsync-request-id": request.headers.get("tillsync-request-id") ?? "",
          "tillsync-server-time": START.replace("Z", ".000Z"),
        },
      },
    );

/** Between one till and the server. */
export class Line {
  up = true;
  readonly exchanges: Exchange[] = [];
  /** What every request goes through that nothing else was said of. */
  always: Way | undefined;
  readonly #next: Record<Endpoint, Way[]> = { register: [], push: [], pull: [] };
  readonly #handler: (request: Request) => Promise<Response>;
  readonly #stir: () => void;

  constructor(handler: (request: Request) => Promise<Response>, stir: () => void) {
    this.#handler = handler;
    this.#stir = stir;
  }

  /** How the next request to this endpoint goes; said twice, the next two. */
  next(endpoint: Endpoint, ...ways: readonly Way[]): void {
    this.#next[endpoint].push(...ways);
  }

  /** The next request waits in front of the server, or its answer behind it. */
  hold(endpoint: Endpoint, what: "request" | "answer"): Held {
    const arrived = deferred<void>();
    const released = deferred<void>();
    this.next(endpoint, async (deliver) => {
      const early = what === "answer" ? await deliver() : undefined;
      arrived.resolve();
      this.#moving -= 1;
      await released.promise;
      this.#move();
      return early ?? deliver();
    });
    return { arrived: arrived.promise, release: () => released.resolve() };
  }

  of(endpoint: Endpoint): readonly Exchange[] {
    return this.exchanges.filter((exchange) => exchange.endpoint === endpoint);
  }
  /** The operations of each push that was sent, in their order. */
  get pushed(): readonly (readonly Json[])[] {
    return this.of("push").map(({ request }) => request.operations as Json[]);
  }

  /** A clock that waits for quiet waits for every request that nobody holds. */
  #moving = 0;
  #move(): void {
    this.#moving += 1;
    if (this.#moving > 1) return;
    const stir = () => {
      this.#stir();
      if (this.#moving > 0) setTimeout(stir, 0);
    };
    stir();
  }

  /** Around the whole transport, not only its `fetch`: streams and JSON before and after it take turns as well. */
  watched(transport: Transport): Transport {
    const during = async <T>(work: () => Promise<T>): Promise<T> => {
      this.#move();
      try {
        return await work();
      } finally {
        this.#moving -= 1;
        this.#stir();
      }
    };
    return {
      ...transport,
      register: (request, call) => during(() => transport.register(request, call)),
      push: (request, call) => during(() => transport.push(request, call)),
      pull: (request, call) => during(() => transport.pull(request, call)),
      time: (call) => during(() => transport.time(call)),
    };
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const endpoint = new URL(request.url).pathname.split("/").at(-1) as Endpoint;
    const exchange: Exchange = {
      endpoint,
      request: await bodyOf(request.clone()),
      status: undefined,
      answer: undefined,
    };
    this.exchanges.push(exchange);
    if (!this.up) throw unreachable();
    const deliver = () => this.#handler(request.clone());
    const way = this.#next[endpoint]?.shift() ?? this.always;
    const response = way === undefined ? await deliver() : await way(deliver, request, exchange);
    exchange.status = response.status;
    exchange.answer = await response.clone().json();
    return response;
  };
}

async function bodyOf(request: Request): Promise<unknown> {
  const zipped = request.headers.get("content-encoding") === "gzip" && request.body;
  const text = await new Response(
    zipped ? request.body?.pipeThrough(new DecompressionStream("gzip")) : request.body,
  ).text();
  return text === "" ? undefined : JSON.parse(text);
}

export interface TillOptions<C extends CollectionMap> {
  readonly branch?: string | undefined;
  /** A disk that has something on it: a copy of another till's, or the till's own after a restart. */
  readonly disk?: MemoryAdapter | undefined;
  readonly device?: string | undefined;
  /** In the token. @default sync */
  readonly scopes?: readonly string[] | undefined;
  /** The token's device, where it is not the till's. */
  readonly tokenDevice?: string | undefined;
  readonly collections?: CollectionMap | undefined;
  readonly actor?: string | undefined;
  readonly sync?: SyncOptions | undefined;
  /** How far this till's own clock is wrong. */
  readonly skewMs?: number | undefined;
  readonly options?: Partial<SyncClientOptions<C>> | undefined;
}

export class RuleTill<C extends CollectionMap = Shop> {
  readonly client: SyncClient<C>;
  readonly data: SyncClient<C>["collections"];
  readonly line: Line;
  readonly disk: MemoryAdapter;
  readonly device: string;
  /** What its token says; a test changes it as an issuer would. */
  readonly principal: { -readonly [K in keyof Principal]: Principal[K] };
  readonly events: { readonly name: string; readonly payload: unknown }[] = [];

  constructor(parts: Pick<RuleTill<C>, "client" | "line" | "disk" | "device" | "principal">) {
    this.client = parts.client;
    this.data = parts.client.collections;
    this.line = parts.line;
    this.disk = parts.disk;
    this.device = parts.device;
    this.principal = parts.principal;
    const names = [
      "applied",
      "rejected",
      "quarantined",
      "conflict",
      "identity_forked",
      "storage_lost",
      "epoch_changed",
    ];
    for (const name of [...names, "device_revoked", "error"] as const) {
      this.client.on(name as "error", (payload) => this.events.push({ name, payload }));
    }
  }

  sync() {
    return this.client.sync();
  }
  told(name: string): readonly unknown[] {
    return this.events.filter((event) => event.name === name).map(({ payload }) => payload);
  }
  #table<V>(name: string): readonly V[] {
    return (this.disk.snapshot(STORE_NAME).tables[name] ?? []).map(([, value]) => value as V);
  }
  /** Outbox and journal, as they are on the disk. */
  get operations(): readonly FlatOperation[] {
    return this.#table<StoredOperation>("operations")
      .map(flat)
      .sort((a, b) => a.sequence - b.sequence);
  }
  operationOn(entityId: string, action?: string): FlatOperation {
    const found = this.operations.filter(
      (o) => o.entityId === entityId && (action === undefined || o.action === action),
    );
    if (found[0] === undefined) throw new Error(`the till has no ${action ?? "operation"} on ${entityId}`);
    return found[0];
  }
  rows(collection: string): readonly StoredRow[] {
    return this.#table<StoredRow>(`c:${collection}`);
  }
  /** Another disk with the same on it, as a technician makes one. */
  copyOfDisk(): MemoryAdapter {
    const copy = memory();
    copy.restore(STORE_NAME, this.disk.snapshot(STORE_NAME));
    return copy;
  }
  /** Everything as it is now; the function puts it back. */
  backup(): () => void {
    const saved = this.disk.snapshot(STORE_NAME);
    return () => this.disk.restore(STORE_NAME, saved);
  }
  /** Changes what is on the disk, as another version of the app may have left it. */
  rewrite(table: string, change: (value: never, key: string) => unknown): void {
    const { layout, tables } = this.disk.snapshot(STORE_NAME);
    const rows = (tables[table] ?? []).map(
      ([key, value]) => [key, change(structuredClone(value) as never, key)] as const,
    );
    this.disk.restore(STORE_NAME, { layout, tables: { ...tables, [table]: rows } });
  }
  /** Every value of one field that a live query has shown, from now on. */
  watch(collection: keyof C & string, id: string, field: string): unknown[] {
    const shown: unknown[] = [];
    const source = this.data[collection] as unknown as {
      watch(query: object, listener: (snapshot: { loading: boolean; rows: readonly Json[] }) => void): void;
    };
    source.watch({ ids: [id], limit: 1 }, ({ loading, rows }) => {
      if (!loading) shown.push(rows[0]?.[field]);
    });
    return shown;
  }
}

export interface RuleShopOptions<C extends CollectionMap> {
  readonly collections?: C | undefined;
  readonly policies?: Partial<Policies<C>> | undefined;
  /** Stands between the handler and the store, as another database would. */
  readonly database?: ((store: MemoryStore) => ServerStore) | undefined;
}

export class RuleShop<C extends CollectionMap = Shop> {
  readonly clock = fakeClock(START) as FakeClock & { stir(): void };
  readonly random = seededRandom(7);
  readonly store: MemoryStore;
  readonly errors: string[] = [];
  /** Thrown once, before this step of the server's next transaction. */
  crashBefore: "commit" | "answer" | undefined;
  #collections: CollectionMap;
  #policies: object;
  #handler: (request: Request) => Promise<Response>;
  readonly #database: (store: MemoryStore) => ServerStore;
  readonly #principals = new Map<string, Principal>();
  readonly #tills: RuleTill<C>[] = [];
  readonly #verdicts = new Map<string, Verdict[]>();
  readonly #seeded: { collection: string; row: Json }[] = [];

  constructor({ collections, policies = {}, database = (store) => store }: RuleShopOptions<C> = {}) {
    this.#collections = collections ?? shopCollections;
    this.#policies = policies;
    this.#database = database;
    this.store = memoryStore({
      random: seededRandom(3),
      faults: {
        before: (step) => {
          if (step !== this.crashBefore) return;
          this.crashBefore = undefined;
          throw new Error(`crashed before ${step}`);
        },
      },
    });
    this.#principals.set("office", { tenant: TENANT, actor: "boss", scopes: ["sync:desk"] });
    this.#handler = this.#serving();
  }

  /** The same database behind another version of the server. */
  upgrade(collections: CollectionMap, policies: object = this.#policies): void {
    this.#collections = collections;
    this.#policies = policies;
    this.#handler = this.#serving();
  }

  #serving() {
    return createSyncHandler({
      store: this.#database(this.store),
      collections: this.#collections as never,
      policies: { ...this.#openPolicies(), ...this.#policies } as never,
      clock: this.clock,
      random: this.random,
      logger: { error: (message: string) => void this.errors.push(message), info: () => {}, debug: () => {} } as never,
      authenticate: (request: Request) => this.#principals.get(request.headers.get("authorization")?.slice(7) ?? ""),
    });
  }

  /** Everybody may do everything; a test hands in the verdicts that are to be otherwise. */
  #openPolicies(): object {
    const record = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone", force: "everyone" };
    const fact = { read: "everyone", create: "everyone" };
    return Object.fromEntries(
      Object.entries(this.#collections).map(([name, { kind }]) => [
        name,
        {
          scope: "tenant",
          allow: kind === "fact" ? fact : record,
          decide: () => this.#verdicts.get(name)?.shift() ?? { outcome: "applied" },
        },
      ]),
    );
  }

  /** What the policy says of the next operation on this collection, unless that collection has a policy of its own. */
  nextVerdict(collection: keyof C & string, outcome: Verdict["outcome"], code = "policy"): void {
    const waiting = this.#verdicts.get(collection) ?? [];
    this.#verdicts.set(collection, [...waiting, { outcome, code, message: "The policy says so" }]);
  }

  async seed(collection: keyof C & string, ...rows: readonly (Json & { id: string })[]): Promise<void> {
    const { store, clock, random } = this;
    this.#seeded.push(...rows.map((row) => ({ collection, row })));
    await importRows({ store, collections: this.#collections, tenant: TENANT, collection, rows, clock, random });
  }

  /** A till that syncs only when it is told to, unless `sync` says otherwise. */
  till(options: TillOptions<C> = {}): RuleTill<C> {
    const number = this.#tills.length + 1;
    const {
      branch,
      device = `till-${number}`,
      scopes = ["sync"],
      disk = memory({ id: `disk-${number}-${Math.random()}` }),
    } = options;
    const token = `token-${number}`;
    const principal = { tenant: TENANT, branch, device: options.tokenDevice ?? device, scopes };
    this.#principals.set(token, principal);
    const line = new Line(
      (request) => this.#handler(request),
      () => this.clock.stir(),
    );
    const { clock } = this;
    const { skewMs } = options;
    const client = createClient({
      name: STORE_NAME,
      device: { id: device },
      storage: disk,
      transport: line.watched(
        http({ url: "http://shop.test/sync", getToken: () => token, live: "off", fetch: line.fetch }),
      ),
      collections: (options.collections ?? this.#collections) as never,
      random: seededRandom(1_000 + number),
      clock: skewMs === undefined ? clock : { ...clock, now: () => clock.now() + skewMs },
      actor: () => options.actor,
      sync: { auto: false, ...options.sync },
      ...(options.options as object),
    }) as unknown as SyncClient<C>;
    const till = new RuleTill<C>({ client, line, disk, device, principal });
    this.#tills.push(till);
    return till;
  }

  /** A till that has been here before: registered, and with everything pulled. */
  async openTill(options: TillOptions<C> = {}): Promise<RuleTill<C>> {
    const till = this.till(options);
    await till.sync();
    return till;
  }

  /** Ends the app on this till and starts it again, on the same disk, maybe in another version. */
  async restart(till: RuleTill<C>, options: TillOptions<C> = {}): Promise<RuleTill<C>> {
    await till.client.close();
    const { branch, scopes } = till.principal;
    return this.till({ disk: till.disk, device: till.device, branch, scopes, ...options });
  }

  /** A client that says on the wire whatever a test wants it to. */
  peer(device = "peer", principal: Partial<Principal> = {}): Peer {
    const token = `peer-${this.#principals.size}`;
    this.#principals.set(token, { tenant: TENANT, device, scopes: ["sync"], ...principal });
    return new Peer(this.call.bind(this), token, device);
  }

  async call(token: string, method: string, path: string, body?: unknown, device?: string) {
    const response = await this.#handler(
      new Request(`http://shop.test/sync${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          "tillsync-protocol": "1",
          "tillsync-request-id": this.random.uuid(),
          ...(device !== undefined && { "tillsync-device": device }),
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
    return { status: response.status, body: (await response.json()) as any };
  }

  /** The back office, over HTTP. */
  readonly office = {
    release: (id: string) => this.#desk("POST", `/quarantine/${id}/release`, {}),
    discard: (id: string, reason = "no sale") => this.#desk("POST", `/quarantine/${id}/discard`, { reason }),
    resolve: (id: string, choice: "server" | "client" | "merged", data?: Json) =>
      this.#desk("POST", `/conflicts/${id}/resolve`, data === undefined ? { choice } : { choice, data }),
    conflicts: async (state = "open") => (await this.#desk("GET", `/conflicts?state=${state}`)).conflicts as Json[],
    quarantined: async () => (await this.#desk("GET", "/quarantine")).quarantined as { operation: Json; error: Json }[],
  };
  async #desk(method: string, path: string, body?: object) {
    const { status, body: answer } = await this.call("office", method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  revoke(device: string, revoked = true) {
    return revokeDevice({ store: this.store, tenant: TENANT, device, revoked, clock: this.clock });
  }

  /** Lets everything run until this is so. */
  async until(isSo: () => boolean): Promise<void> {
    for (let turns = 0; !isSo(); turns += 1) {
      if (turns > 500) throw new Error(`it never came: ${isSo}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Time goes by, for tills that sync by themselves: a step at a time, each till coming to rest in between. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advance(Math.min(left, STEP_MS));
      await this.until(() => this.#tills.every(({ client }) => isAtRest(client.status)));
    }
  }

  // ── restores ──

  /** Yesterday's backup; the function puts it back, and says so to the server or to nobody. */
  backup(): (said: "announced" | "silent") => Promise<void> {
    const saved = this.store.snapshot();
    const seeds = this.#seeded.length;
    return async (said) => {
      this.store.restore(saved);
      this.#seeded.length = seeds;
      if (said === "announced") await announceRestore(this.store, TENANT, { clock: this.clock, random: this.random });
    };
  }

  // ── what is stored ──

  get #stored() {
    return this.store.snapshot().tenants[TENANT];
  }
  get epoch(): string | undefined {
    return this.#stored?.clock?.epoch;
  }
  get position(): number {
    return this.#stored?.clock?.position ?? 0;
  }
  get operations(): readonly OperationRow[] {
    return this.#stored?.operations ?? [];
  }
  operation(id: string): OperationRow {
    const found = this.operations.find((row) => row.id === id);
    if (found === undefined) throw new Error(`the server has no operation ${id}`);
    return found;
  }
  get records(): readonly RecordRow[] {
    return this.#stored?.records ?? [];
  }
  row(collection: keyof C & string, id: string): RecordRow | undefined {
    return this.records.find((row) => row.collection === collection && row.id === id);
  }
  /** A live row as tills see it: fields and counters. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the collection has
  shown(collection: keyof C & string, id: string): any {
    const row = this.row(collection, id);
    return row?.state === "live" ? { ...row.data, ...row.counters } : undefined;
  }

  // ── the invariants ──

  /** Lets these tills sync until nothing moves, and holds what is stored against the laws. */
  async converge(...tills: readonly RuleTill<C>[]): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      for (const till of tills) expect((await till.sync()).outcome, `${till.device} syncs`).toBe("done");
    }
    this.checkInvariants(...tills);
  }

  checkInvariants(...tills: readonly RuleTill<C>[]): void {
    for (const till of tills) {
      const unsent = till.operations.filter(({ state }) => state === "pending" || state === "blocked");
      expect(unsent, `${till.device} has nothing left to send`).toEqual([]);
      for (const collection of Object.keys(this.#collections)) {
        expect(this.#shownBy(till, collection), `${till.device} shows the server's ${collection}`).toEqual(
          this.#inScope(till, collection),
        );
      }
      for (const { id, state } of till.operations) {
        if (state === "applied") expect(this.operation(id).status, `${till.device} has ${id} applied`).toBe("applied");
        if (state === "quarantined") expect(this.operation(id).status).toBe("quarantined");
      }
    }
    this.#checkOnce();
  }

  #shownBy(till: RuleTill<C>, collection: string): Json {
    const rows = till.rows(collection).filter(({ data, states }) => data !== undefined && states === undefined);
    return Object.fromEntries(rows.map(({ id, version, data }) => [id, { version, ...data }]).sort(byKey));
  }
  #inScope(till: RuleTill<C>, collection: string): Json {
    const unfinished = new Set(
      till
        .rows(collection)
        .filter(({ states }) => states !== undefined)
        .map(({ id }) => id),
    );
    const { branch } = till.principal;
    const rows = this.records.filter(
      (row) =>
        row.collection === collection &&
        row.state === "live" &&
        (branch === undefined || row.scope === "" || row.scope === branch) &&
        // On a desk: the till shows what its people wait to hear of.
        !unfinished.has(row.id),
    );
    const zeros = Object.fromEntries(this.#countersOf(collection).map((name) => [name, 0]));
    return Object.fromEntries(
      rows.map(({ id, version, data, counters }) => [id, { version, ...data, ...zeros, ...counters }]).sort(byKey),
    );
  }
  #countersOf(collection: string): readonly string[] {
    const definition = this.#collections[collection];
    return definition === undefined ? [] : resolvedOf(definition).counters;
  }

  /** Every applied operation counts once: stock is the sum of what was applied, and each applied sale is one row. */
  #checkOnce(): void {
    const applied = this.operations.filter(({ status }) => status === "applied");
    const sums = new Map<string, number>();
    const add = (collection: string, id: string, counters: Json) => {
      for (const [name, step] of Object.entries(counters)) {
        const key = `${collection}/${id}.${name}`;
        sums.set(key, (sums.get(key) ?? 0) + Number(step));
      }
    };
    for (const { collection, row } of this.#seeded) {
      const { id } = row as { id: string };
      const counted = this.records.find((record) => record.collection === collection && record.id === id);
      add(
        collection,
        id,
        Object.fromEntries(Object.keys(counted?.counters ?? {}).map((name) => [name, row[name] ?? 0])),
      );
    }
    for (const { collection, entityId, operation } of applied) {
      if (operation?.action === "increment") add(collection, entityId, operation.by as Json);
    }
    const stored = this.records.flatMap((row) =>
      Object.entries(row.counters).map(
        ([name, value]) => [`${row.collection}/${row.id}.${name}`, Number(value)] as const,
      ),
    );
    expect(Object.fromEntries(stored.sort(byKey)), "counters are the sum of what was applied").toEqual(
      Object.fromEntries([...sums].sort(byKey)),
    );
    for (const [collection, { kind }] of Object.entries(this.#collections)) {
      if (kind !== "fact") continue;
      const made = applied.filter((row) => row.collection === collection && row.operation?.action === "create");
      const seeded = this.#seeded.filter((seed) => seed.collection === collection).map(({ row }) => row.id as string);
      const rows = this.records.filter((row) => row.collection === collection).map(({ id }) => id);
      expect(rows.sort(), `each applied fact of ${collection} is one row`).toEqual(
        [...new Set([...made.map(({ entityId }) => entityId), ...seeded])].sort(),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#tills.map(({ client }) => client.close()));
    await this.store.close();
  }
}

const STEP_MS = 10_000;

function isAtRest(status: SyncStatus): boolean {
  if (status.phase === "online") return status.activity === "idle";
  if (status.phase === "offline") return status.retryAt !== undefined;
  return status.phase !== "first_sync" && status.phase !== "opening";
}

function byKey([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

type Call = (
  token: string,
  method: string,
  path: string,
  body?: unknown,
  device?: string,
) => Promise<{
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever is on the wire
  readonly body: any;
}>;
type Sketch = Json & { readonly action: string };

/** Speaks the protocol word by word. */
export class Peer {
  readonly device: string;
  token: string;
  incarnation = "00000000-0000-4000-8000-000000000001";
  epoch = "";
  marks: { push?: string; pull?: string } = {};
  sequence = 0;
  readonly #call: Call;
  readonly #random = seededRandom(99);

  constructor(call: Call, token: string, device: string) {
    this.#call = call;
    this.token = token;
    this.device = device;
  }

  async register() {
    const device = { id: this.device, incarnation: this.incarnation };
    const answer = await this.#call(this.token, "POST", "/register", { device, schemaVersion: 1 }, this.device);
    this.epoch = answer.body.epoch ?? this.epoch;
    return answer;
  }

  /** An operation with whatever every operation has. */
  make(sketch: Sketch): Json & { id: string } {
    const head = {
      id: this.#random.uuid(),
      sequence: ++this.sequence,
      schemaVersion: 1,
      occurredAt: "2026-11-20T08:00:00.000Z",
    };
    return { ...head, ...sketch } as Json & { id: string };
  }

  async send(operations: readonly Json[] | string) {
    const head = { device: { id: this.device, incarnation: this.incarnation }, epoch: this.epoch, marks: this.marks };
    const body =
      typeof operations === "string"
        ? JSON.stringify({ ...head, operations: "HERE" }).replace('"HERE"', operations)
        : { ...head, operations };
    const answer = await this.#call(this.token, "POST", "/push", body, this.device);
    if (answer.status === 200) this.marks = { ...this.marks, push: answer.body.mark };
    return answer;
  }
  /** One result for each operation, in their order. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what each status has
  async push(...operations: readonly Json[]): Promise<readonly (OperationResult & { [member: string]: any })[]> {
    const { status, body } = await this.send(operations);
    if (status !== 200) throw new Error(`push: ${status} ${JSON.stringify(body)}`);
    return operations.map(({ id }) => {
      const found = (body.results as FinalResult[]).filter((result) => result.id === id);
      expect(found, "one result for each operation").toHaveLength(1);
      return found[0] as FinalResult;
    });
  }
  async pull(collections: Record<string, string | null>, limit?: number) {
    const device = { id: this.device, incarnation: this.incarnation };
    const request = { device, epoch: this.epoch, marks: this.marks, schemaVersion: 1, collections, limit };
    const answer = await this.#call(this.token, "POST", "/pull", request, this.device);
    if (answer.status === 200) this.marks = { ...this.marks, pull: answer.body.mark };
    return answer as {
      status: number;
      body: { pages: Record<string, PullPage>; results: FinalResult[]; code?: string; epoch?: string };
    };
  }
}
