/** A reference server on a free port and a database of its own, and tills that speak to it. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSyncClient, http, type SyncClient } from "tillsync";
import { importRows, readRows } from "tillsync/server";
import { memory } from "tillsync/storage/memory";
import { onTestFinished } from "vitest";
import type { TokensAnswer } from "../../../examples/reference-server/auth/sessions.ts";
import { collections } from "../../../examples/reference-server/collections.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../../examples/reference-server/server.ts";
import { shopCollections } from "../../../examples/reference-server/server-collections.ts";

type Till = SyncClient<typeof collections>;

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tillsync-reference-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Where the database is of a server that is started without one. Other tests run the same ones on another engine. */
export const fallback = { newDatabase: async () => join(await temporaryFolder(), "shop.sqlite") };

/** Next to nothing: what a password's hash must cost has tests of its own. */
export const CHEAP = { N: 2 ** 10, r: 8, p: 1 } as const;

/** Anybody may register a shop, for each test needs its own. */
export async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const database = options.database ?? (await fallback.newDatabase());
  const server = await startServer({ port: 0, registration: "open", passwordCost: CHEAP, ...options, database });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= server.close();
    return closed;
  };
  onTestFinished(close);
  return { ...server, close };
}

/** All that a request needs of a server: it may run in another process. */
type Address = Pick<RunningServer, "url">;

export function call(
  { url }: Address,
  path: string,
  options: { readonly body?: unknown; readonly token?: string; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  const { body, token, headers } = options;
  return fetch(url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      "content-type": "application/json",
      "tillsync-protocol": "1",
      "tillsync-request-id": randomUUID(),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever JSON came
export async function json(response: Response | Promise<Response>): Promise<any> {
  return (await response).json();
}

export const PASSWORD = "correct horse battery";

export interface Owner extends TokensAnswer {
  readonly email: string;
}

export async function register(server: Address, name = "Shop"): Promise<Owner> {
  const email = `owner-${randomUUID()}@shop.example`;
  const answer: TokensAnswer = await json(
    call(server, "/auth/register", { body: { tenant: { name }, email, password: PASSWORD } }),
  );
  return { ...answer, email };
}

export async function addUser(
  server: RunningServer,
  owner: Owner,
  user: { readonly roles: readonly string[]; readonly branch?: string },
): Promise<string> {
  const email = `user-${randomUUID()}@shop.example`;
  const response = await call(server, "/auth/users", {
    body: { email, password: PASSWORD, name: "Somebody", branch: "main", ...user },
    token: owner.accessToken,
  });
  if (response.status !== 201) throw new Error(await response.text());
  return email;
}

export interface SignedInTill {
  readonly till: Till;
  readonly device: string;
  readonly tokens: TokensAnswer;
}

/** A till of the given user, at the given branch. */
export async function tillOf(
  server: RunningServer,
  email: string,
  options: { readonly branch?: string; readonly live?: "auto" | "off" } = {},
): Promise<SignedInTill> {
  const device = `till-${randomUUID().slice(0, 8)}`;
  const { live = "off", ...login } = options;
  const answer = await call(server, "/auth/login", {
    body: { email, password: PASSWORD, device: { id: device }, ...login },
  });
  if (answer.status !== 200) throw new Error(await answer.text());
  const tokens: TokensAnswer = await answer.json();
  const till = createSyncClient({
    name: "shop",
    storage: memory(),
    transport: http({ url: `${server.url}/sync`, getToken: () => tokens.accessToken, live }),
    device: { id: device },
    collections,
  });
  onTestFinished(() => till.close());
  await till.start();
  await till.firstSync();
  return { till, device, tokens };
}

export async function stock(server: RunningServer, tenant: string, rows: readonly object[] = [tea]): Promise<void> {
  await importRows({
    store: server.store,
    collections: shopCollections,
    tenant,
    collection: "products",
    rows: rows as never,
  });
}

export async function rowsOf<N extends keyof typeof shopCollections & string>(
  server: RunningServer,
  tenant: string,
  collection: N,
): Promise<readonly (typeof shopCollections)[N]["~shape"]["record"][]> {
  const found: unknown[] = [];
  for await (const row of readRows({ store: server.store, collections: shopCollections, tenant, collection }))
    found.push(row);
  return found as never;
}

export const tea = { id: "tea", sku: "TEA", name: "Tea", priceCents: 500, stock: 10 };

export function saleOf(quantity: number, more: object = {}) {
  return {
    branchId: "main",
    items: [{ lineId: "1", productId: "tea", name: "Tea", quantity, unitPriceCents: 500 }],
    totalCents: quantity * 500,
    soldAt: Date.now(),
    ...more,
  };
}

/** A push as a till would make it, for what no till's library lets through. */
export class RawTill {
  readonly device: string;
  readonly incarnation = randomUUID();
  readonly #server: Address;
  readonly #token: string;
  #epoch: string | undefined;
  #sequence = 0;

  constructor(server: Address, tokens: TokensAnswer) {
    this.#server = server;
    this.#token = tokens.accessToken;
    this.device = tokens.device?.id ?? "nobody";
  }

  post(path: string, body: object): Promise<Response> {
    return call(this.#server, path, { token: this.#token, body: { device: this.#ref(), ...body } });
  }

  async push(...operations: readonly object[]) {
    this.#epoch ??= (await json(this.post("/sync/register", { schemaVersion: 1 }))).epoch;
    const complete = operations.map((operation) => {
      this.#sequence += 1;
      return {
        id: randomUUID(),
        sequence: this.#sequence,
        entityId: randomUUID(),
        schemaVersion: 1,
        occurredAt: new Date().toISOString(),
        ...operation,
      };
    });
    const answer = await json(this.post("/sync/push", { epoch: this.#epoch, marks: {}, operations: complete }));
    // In the order sent. Without marks, an answer has the device's earlier results too.
    return complete.map(({ id }) => answer.results.find((result: { id: string }) => result.id === id));
  }

  #ref() {
    return { id: this.device, incarnation: this.incarnation };
  }
}

export async function loginTill(
  server: Address,
  email: string,
  more: {
    readonly branch?: string;
    readonly device?: { readonly id: string; readonly secret?: string | undefined };
  } = {},
): Promise<TokensAnswer> {
  const device = { id: `till-${randomUUID().slice(0, 8)}` };
  return json(call(server, "/auth/login", { body: { email, password: PASSWORD, device, ...more } }));
}
