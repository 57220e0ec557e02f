/** A till at the handler: requests as they come over the wire. */
import type {
  OperationResult,
  PullResponse,
  PushResponse,
  RegisterResponse,
  WireOperation,
} from "../../../src/protocol/types.ts";
import { type MemoryStore, memoryStore } from "../../../src/server/memory/index.ts";
import type { SyncHandlerOptions } from "../../../src/server/options.ts";
import type { Policies, Principal } from "../../../src/server/policy-types.ts";
import { createSyncServer, type SyncServer } from "../../../src/server/server.ts";
import { collections, policies, type Shop } from "./shop.ts";
import { type Sketch, uuid } from "./world.ts";

export interface ShopServer extends SyncServer {
  readonly store: MemoryStore;
  readonly logged: { level: string; message: string; fields: object | undefined }[];
  readonly clock: { now(): number; time: number };
}

/** Tokens are `tenant/device/branch/scope scope/person`. */
export function authenticate(request: Request): Principal | undefined {
  const token = request.headers.get("authorization")?.replace(/^Bearer /, "");
  if (token === undefined || token === "nobody") return undefined;
  if (token === "down") throw new Error("the token service is down");
  const [tenant = "", device, branch, scopes, actor = "u-1"] = token.split("/");
  return {
    tenant,
    device: device || undefined,
    branch: branch || undefined,
    scopes: scopes ? scopes.split(" ") : [],
    actor,
  };
}

export function shopServer(
  more: Partial<Policies<Shop>> = {},
  options: Partial<SyncHandlerOptions<Shop>> = {},
  store = memoryStore(),
): ShopServer {
  const logged: ShopServer["logged"] = [];
  const log = (level: string) => (message: string, fields?: object) => void logged.push({ level, message, fields });
  const clock = { time: Date.UTC(2026, 10, 20, 8), now: () => clock.time };
  const logger = { error: log("error"), info: log("info"), debug: log("debug") };
  const server = createSyncServer({
    store,
    authenticate,
    collections,
    policies: policies(more),
    clock,
    logger,
    ...options,
  });
  return { ...server, store, logged, clock };
}

let sequence = 0;

export function operation(sketch: Sketch): WireOperation {
  sequence += 1;
  return {
    id: uuid(1_000_000 + sequence),
    sequence,
    schemaVersion: 1,
    occurredAt: "2026-11-20T08:00:00.000Z",
    ...sketch,
  } as unknown as WireOperation;
}

const INCARNATION = "00000000-0000-7000-8000-00000000aaaa";

export class HttpTill {
  readonly server: Pick<ShopServer, "handler">;
  token: string;
  device: string;
  incarnation = INCARNATION;
  epoch = "";
  marks: { push?: string; pull?: string } = {};
  cursors: Record<string, string | null> = {};

  constructor(server: Pick<ShopServer, "handler">, device = "till-1", token = `shop/${device}`) {
    this.server = server;
    this.device = device;
    this.token = token;
  }

  headers(more: Record<string, string> = {}): Record<string, string> {
    return {
      authorization: `Bearer ${this.token}`,
      "tillsync-protocol": "1",
      "tillsync-request-id": uuid(42),
      "tillsync-device": this.device,
      "content-type": "application/json",
      ...more,
    };
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const init: RequestInit = { method, headers: this.headers(headers) };
    if (body !== undefined)
      init.body = typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body);
    return this.server.handler(new Request(`http://shop.test/api/sync/${path}`, init));
  }

  get frame() {
    return { device: { id: this.device, incarnation: this.incarnation }, epoch: this.epoch, marks: this.marks };
  }

  async register(): Promise<RegisterResponse> {
    const response = await this.call("POST", "register", {
      device: { id: this.device, incarnation: this.incarnation, name: "Till" },
      schemaVersion: 1,
    });
    const body = (await response.json()) as RegisterResponse;
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    this.epoch = body.epoch;
    return body;
  }

  pushRaw(operations: readonly unknown[], headers?: Record<string, string>): Promise<Response> {
    return this.call("POST", "push", { ...this.frame, operations }, headers);
  }

  async push(...sketches: readonly (Sketch | WireOperation)[]): Promise<readonly OperationResult[]> {
    const operations = sketches.map((sketch) => ("sequence" in sketch ? sketch : operation(sketch as Sketch)));
    const response = await this.pushRaw(operations);
    const body = (await response.json()) as PushResponse;
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    this.marks = { ...this.marks, push: body.mark };
    return body.results;
  }

  async pull(...names: readonly string[]): Promise<PullResponse> {
    const asked = Object.fromEntries(names.map((name) => [name, this.cursors[name] ?? null]));
    const response = await this.call("POST", "pull", { ...this.frame, schemaVersion: 1, collections: asked });
    const body = (await response.json()) as PullResponse;
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    this.marks = { ...this.marks, pull: body.mark };
    for (const [name, page] of Object.entries(body.pages)) this.cursors[name] = page.cursor;
    return body;
  }
}

export async function openTill(
  server: Pick<ShopServer, "handler">,
  device?: string,
  token?: string,
): Promise<HttpTill> {
  const till = new HttpTill(server, device, token);
  await till.register();
  return till;
}
