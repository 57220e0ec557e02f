/**
 * A shop for the rules of the protocol: real clients, the real transport and the real handler in one process. Each till
 * has a disk and a line of its own that a test controls; the server can be restored from a backup, and tokens can
 * change.
 */
import { createSyncHandler, type Policies, type Principal } from "tillsync/server";
import { type MemoryStore, memoryStore } from "tillsync/server/memory";
import { memory } from "tillsync/storage/memory";
import { type FakeClock, fakeClock, seededRandom } from "tillsync/testing";
import { expect } from "vitest";
import { createClient } from "../../src/client/client.ts";
import type { SyncClient } from "../../src/client/types/client.ts";
import type { SyncStatus } from "../../src/client/types/status.ts";
import type { CollectionMap } from "../../src/schema/types.ts";
import { announceRestore, importRows, revokeDevice } from "../../src/server/admin.ts";
import type { OperationRow, RecordRow } from "../../src/server/ports/rows.ts";
import type { ServerStore } from "../../src/server/ports/store.ts";
import { http } from "../../src/transport/http/http.ts";
import { checkInvariants } from "./rule-invariants.ts";
import { RuleLine } from "./rule-line.ts";
import { RulePeer } from "./rule-peer.ts";
import { RuleTill, STORE_NAME, type TillOptions } from "./rule-till.ts";
import { collections as shopCollections } from "./shop.ts";

const TENANT = "shop";
const START = "2026-11-20T08:00:00Z";
const DAY_MS = 24 * 60 * 60 * 1_000;
export const days = (n: number) => n * DAY_MS;

type Shop = typeof shopCollections;
type Verdict = { readonly outcome: "rejected" | "quarantined"; readonly code: string; readonly message: string };
type Json = Record<string, unknown>;

export interface RuleShopOptions<C extends CollectionMap> {
  readonly collections?: C | undefined;
  readonly policies?: Partial<Policies<C>> | undefined;
  /** Puts something between the handler and the store, to behave like another database. */
  readonly database?: ((store: MemoryStore) => ServerStore) | undefined;
}

export class RuleShop<C extends CollectionMap = Shop> {
  readonly clock = fakeClock(START) as FakeClock & { stir(): void };
  readonly random = seededRandom(7);
  readonly store: MemoryStore;
  readonly errors: string[] = [];
  /** Where the server's next transaction fails, once. */
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

  /** Replaces the server by another version of it, on the same database. */
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

  /** Policies that allow everything, and return the verdicts that a test has queued. */
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

  /** A till that syncs only when the test calls `sync`, unless `options.sync` says otherwise. */
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
    const line = new RuleLine(
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

  /** A till that is registered and has pulled everything. */
  async openTill(options: TillOptions<C> = {}): Promise<RuleTill<C>> {
    const till = this.till(options);
    await till.sync();
    return till;
  }

  /** Ends the app on this till and starts it again on the same disk, perhaps in another version. */
  async restart(till: RuleTill<C>, options: TillOptions<C> = {}): Promise<RuleTill<C>> {
    await till.client.close();
    const { branch, scopes } = till.principal;
    return this.till({ disk: till.disk, device: till.device, branch, scopes, ...options });
  }

  /** A client that sends whatever a test wants it to. */
  peer(device = "peer", principal: Partial<Principal> = {}): RulePeer {
    const token = `peer-${this.#principals.size}`;
    this.#principals.set(token, { tenant: TENANT, device, scopes: ["sync"], ...principal });
    return new RulePeer(this.call.bind(this), token, device);
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

  /** Lets everything run until the condition holds. */
  async until(isSo: () => boolean): Promise<void> {
    for (let turns = 0; !isSo(); turns += 1) {
      if (turns > 500) throw new Error(`it never came: ${isSo}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Lets time pass for tills that sync automatically: step by step, with each till at rest in between. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advance(Math.min(left, STEP_MS));
      await this.until(() => this.#tills.every(({ client }) => isAtRest(client.status)));
    }
  }

  // ── restores ──

  /** Takes a backup of the server. The function restores it, and announces that to the server or not. */
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

  /** Lets these tills sync until nothing changes, and checks what is stored. */
  async converge(...tills: readonly RuleTill<C>[]): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      for (const till of tills) expect((await till.sync()).outcome, `${till.device} syncs`).toBe("done");
    }
    this.checkInvariants(...tills);
  }

  checkInvariants(...tills: readonly RuleTill<C>[]): void {
    const { operations, records } = this;
    const stored = { collections: this.#collections, operations, records, seeded: this.#seeded };
    checkInvariants(stored, tills as unknown as readonly RuleTill<CollectionMap>[]);
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
