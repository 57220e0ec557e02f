/** A shop in one process: the real server decisions over memory, a network to break, a clock to move, a till per device. */
import { createClient } from "../client/client.ts";
import type { Transport } from "../client/ports/transport.ts";
import type { SyncClient, SyncClientOptions } from "../client/types/client.ts";
import { resolvedOf } from "../schema/resolved.ts";
import type { CollectionMap, CreateInput } from "../schema/types.ts";
import { importRows } from "../server/admin/import-rows.ts";
import { readRows } from "../server/admin/read-rows.ts";
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

/** A server in memory with the real decisions, a network to break, a clock to move. */
export interface TestShop<C extends CollectionMap> {
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly server: TestServer<C>;
  /** With a token that is made out to this device, and refused from any other. @default a token of no device */
  transport(device?: string): Transport;
  /** A till with memory storage on this shop. Each call is another device. */
  till(options?: Partial<Omit<SyncClientOptions<C>, "collections" | "transport" | "clock">>): SyncClient<C>;
  [Symbol.asyncDispose](): Promise<void>;
}
export interface TestServer<C extends CollectionMap> {
  seed<N extends keyof C & string>(
    collection: N,
    rows: readonly (CreateInput<C[N]["~shape"]> & { id: string })[],
  ): Promise<void>;
  rows<N extends keyof C & string>(collection: N): Promise<readonly C[N]["~shape"]["record"][]>;
  /** The verdict for the next operation on this collection. */
  rejectNext(collection: keyof C & string, verdict: { code: string; message: string }): void;
  quarantineNext(collection: keyof C & string, verdict: { code: string; message: string }): void;
}

export interface TestShopOptions<C extends CollectionMap> {
  readonly collections: C;
  readonly start?: number | string | undefined;
  readonly seed?: number | undefined;
  /** In place of the test shop's own, which allow everything and fill in what is assigned. */
  readonly policies?: Partial<Policies<C>> | undefined;
}

const TENANT = "test-shop";
const BRANCH = "main";
/** The token of no device; any other one is the id of its device. No device has this for an id. */
const UNBOUND = "*";

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

/** Everybody may do everything, and what only a server fills in is filled in. */
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
