/** A shop in one process: clients, the real server over a store in memory, a fake network and a fake clock. */
import { createClient } from "../client/client.ts";
import type { Transport } from "../client/ports/transport.ts";
import type { SyncClient, SyncClientOptions } from "../client/types/client.ts";
import { resolvedOf } from "../schema/resolved.ts";
import type { CollectionMap, CreateInput } from "../schema/types.ts";
import { importRows, readRows } from "../server/admin.ts";
import type { LoosePolicy } from "../server/decide/rows/catalog.ts";
import { memoryStore } from "../server/memory/memory-store.ts";
import type { Policies } from "../server/policy-types.ts";
import { createSyncHandler } from "../server/server.ts";
import { memory } from "../storage/memory/memory.ts";
import { http } from "../transport/http/http.ts";
import { type FakeClock, fakeClock, type WorkWatch } from "./fake-clock.ts";
import { type FakeNetwork, fakeNetwork } from "./fake-network.ts";
import { nextVerdicts } from "./next-verdicts.ts";
import { seededRandom } from "./seeded-random.ts";
import { watched } from "./watched-transport.ts";

/** A shop in one process. Dispose of it at the end of the test, best with `await using`. */
export interface TestShop<C extends CollectionMap> {
  /** The clock of the server and of all clients. */
  readonly clock: FakeClock;
  /** The network between the clients and the server. */
  readonly network: FakeNetwork;
  /** The server: its rows, and its next verdicts. */
  readonly server: TestServer<C>;
  /**
   * A transport to this shop's server, for a client that the test makes itself.
   * @param device the device that the token is bound to; no other may use it. If it is left out, any device may
   */
  transport(device?: string): Transport;
  /**
   * Makes a client on this shop. Each call makes another device, with a store in memory, unless `options` has another
   * `storage`. Two clients on one storage are two tabs of one device.
   */
  till(options?: Partial<Omit<SyncClientOptions<C>, "collections" | "transport" | "clock">>): SyncClient<C>;
  /** Closes all clients, and the server's store. */
  [Symbol.asyncDispose](): Promise<void>;
}
/** What a test does to the server directly. */
export interface TestServer<C extends CollectionMap> {
  /**
   * Writes rows, without asking a policy. They overwrite rows with the same id; clients pull them like any other
   * change.
   * @throws TillSyncError `validation_failed`
   */
  seed<N extends keyof C & string>(
    collection: N,
    rows: readonly (CreateInput<C[N]["~shape"]> & { id: string })[],
  ): Promise<void>;
  /** All rows of a collection that are not deleted. */
  rows<N extends keyof C & string>(collection: N): Promise<readonly C[N]["~shape"]["record"][]>;
  /**
   * Rejects the next operation on this collection, in place of its policy. A fact or an increment is quarantined
   * instead. Several calls concern the operations that follow.
   */
  rejectNext(collection: keyof C & string, verdict: { code: string; message: string }): void;
  /** Quarantines the next operation on this collection, in place of its policy. */
  quarantineNext(collection: keyof C & string, verdict: { code: string; message: string }): void;
}

/** The options of {@link createTestShop}. */
export interface TestShopOptions<C extends CollectionMap> {
  /** The collections of the server and of all clients. */
  readonly collections: C;
  /**
   * The wall clock at the beginning: epoch ms, or an RFC 3339 text.
   * @default 2026-01-01T00:00:00Z
   */
  readonly start?: number | string | undefined;
  /**
   * The seed of all ids and random numbers: the same seed gives the same ones in each run.
   * @default 1
   */
  readonly seed?: number | undefined;
  /**
   * Policies to use in place of the test shop's own, by collection.
   * @default policies that allow everything, and give each server-assigned field a text
   */
  readonly policies?: Partial<Policies<C>> | undefined;
}

const TENANT = "test-shop";
const BRANCH = "main";
/** The token that is bound to no device; any other token is the id of its device. No device has this id. */
const UNBOUND = "*";

/**
 * Makes a shop in one process, for tests of an app: a server in memory with the real decisions, a network to break, and
 * a clock that moves only when the test moves it. No port is opened, and nothing waits in real time.
 *
 * @throws TillSyncError `invalid_option`
 * @example
 * ```ts
 * await using shop = createTestShop({ collections: { sales } });
 * const till = shop.till();
 * await till.start();
 *
 * shop.network.offline();
 * const sale = await till.collections.sales.create({ totalCents: 250 });
 * shop.network.online();
 * await shop.clock.advance(60_000);
 *
 * console.log((await till.collections.sales.settled(sale.id)).state); // applied
 * console.log((await shop.server.rows("sales")).length); // 1
 * ```
 */
export function createTestShop<const C extends CollectionMap>(options: TestShopOptions<C>): TestShop<C> {
  const clock = fakeClock(options.start) as FakeClock & WorkWatch;
  const random = seededRandom(options.seed ?? 1);
  const store = memoryStore();
  const { collections } = options;
  const verdicts = nextVerdicts();
  const policies = verdicts.before({
    ...openPolicies(collections),
    ...(options.policies as Record<string, LoosePolicy>),
  });
  const handler = createSyncHandler({
    store,
    collections: collections as never,
    policies: policies as never,
    clock,
    random,
    authenticate: (request: Request) => {
      const token = request.headers.get("authorization")?.replace("Bearer ", "");
      const device = token === UNBOUND ? undefined : token;
      return { tenant: TENANT, branch: BRANCH, device, scopes: ["sync", "office"] };
    },
  });
  const { network, fetch } = fakeNetwork(handler, () => clock.stir());
  const tills: SyncClient<C>[] = [];
  const transport = (device = UNBOUND) =>
    watched(http({ url: "http://shop.test/sync", getToken: () => device, live: "off", fetch }), clock);
  return {
    clock,
    network,
    transport,
    server: {
      seed: async (collection, rows) => {
        await importRows({ store, collections, tenant: TENANT, collection, rows: rows as never, clock, random });
      },
      rows: async (collection) => {
        const found: unknown[] = [];
        for await (const row of readRows({ store, collections, tenant: TENANT, collection })) found.push(row);
        return found as never;
      },
      rejectNext: (collection, verdict) => verdicts.add(collection, { outcome: "rejected", ...verdict }),
      quarantineNext: (collection, verdict) => verdicts.add(collection, { outcome: "quarantined", ...verdict }),
    },
    till(tillOptions = {}) {
      const till = createClient({
        name: "test-shop",
        storage: memory(),
        random: seededRandom((options.seed ?? 1) * 1_000 + tills.length + 1),
        ...tillOptions,
        transport: transport(),
        clock,
        collections: collections as never,
      }) as unknown as SyncClient<C>;
      tills.push(till);
      return till;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(tills.map((till) => till.close()));
      await store.close();
    },
  };
}

/** Policies that allow everything, and fill in the server-assigned fields. */
function openPolicies(collections: CollectionMap): Readonly<Record<string, LoosePolicy>> {
  const everyone = { read: "everyone", create: "everyone", update: "everyone", delete: "everyone", force: "everyone" };
  return Object.fromEntries(
    Object.entries(collections).map(([name, definition]) => {
      const { assigned, kind } = resolvedOf(definition);
      const decide = ({ operation }: { readonly operation: { readonly id: string; readonly action: string } }) => {
        if (operation.action !== "create" || assigned.length === 0) return { outcome: "applied" };
        return {
          outcome: "applied",
          assigned: Object.fromEntries(assigned.map((field) => [field, `${field}-${operation.id.slice(-6)}`])),
        };
      };
      const allow = kind === "fact" ? { read: "everyone", create: "everyone" } : everyone;
      return [name, { scope: "tenant", allow, decide: decide as LoosePolicy["decide"] }];
    }),
  );
}
