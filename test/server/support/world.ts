/** Decisions over a memory store, without HTTP and tokens: what a till sends, and what comes of it. */

import { parseOperation } from "../../../src/protocol/operation.ts";
import { payloadOf } from "../../../src/protocol/payload.ts";
import type { Change, OperationResult, WireOperation } from "../../../src/protocol/types.ts";
import type { DeskInput } from "../../../src/server/decide/desk.ts";
import { discard, release } from "../../../src/server/decide/desk-actions.ts";
import { type EpochClaim, mintEpoch } from "../../../src/server/decide/epoch.ts";
import type { PreparedOperation } from "../../../src/server/decide/operation/prepared-operation.ts";
import { type CursorClaim, decidePull, type PullOutcome } from "../../../src/server/decide/pull.ts";
import { decidePush, foresee, type PushInput, type PushOutcome, prefetch } from "../../../src/server/decide/push.ts";
import { decideRegistration, type RegistrationOutcome } from "../../../src/server/decide/registration.ts";
import { resolveConflict } from "../../../src/server/decide/resolve-conflict.ts";
import type { Mark } from "../../../src/server/decide/rows/marks.ts";
import { asScript, type Decision } from "../../../src/server/decide/rows/run.ts";
import type { LogLine } from "../../../src/server/decide/rows/working-set.ts";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { resolveCatalog } from "../../../src/server/options.ts";
import type { Policies, Principal } from "../../../src/server/policy-types.ts";
import { ask, type ServerStore, type StoreReads } from "../../../src/server/ports/store.ts";
import { systemDigest } from "../../../src/shared/digest.ts";
import { canonicalJson } from "../../../src/shared/json.ts";
import { collections, policies, type Shop } from "./shop.ts";

const NOW = Date.UTC(2026, 10, 20, 8);

/** The shape of an operation, loosely: tests leave out what they are not about. */
export type Sketch = { readonly [member: string]: unknown } & { readonly action: string };

export function uuid(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
}

export class ServerWorld {
  readonly store = memoryStore();
  readonly catalog;
  now = NOW;
  epoch = "e1";
  ordinal = 1;
  /** What the operator reads, of every decision since the world was opened. */
  readonly logged: LogLine[] = [];
  readonly #collections: Shop;
  readonly #tills = new Map<string, Till>();

  private constructor(more: Partial<Policies<Shop>>, collectionsUsed: Shop) {
    this.#collections = collectionsUsed;
    this.catalog = resolveCatalog(this.#collections, policies(more));
  }

  static async open(more: Partial<Policies<Shop>> = {}, used: Shop = collections): Promise<ServerWorld> {
    const world = new ServerWorld(more, used);
    await world.mint("first");
    return world;
  }

  async mint(
    reason: "first" | "restored",
    seen = 0,
    lost?: { readonly epoch: string; readonly ordinal: number },
  ): Promise<void> {
    const clock = await this.clock();
    // A backup has forgotten the epochs since: their names must not come again.
    const ordinal =
      (reason === "first" ? (clock?.epochOrdinal ?? 0) : Math.max(clock?.epochOrdinal ?? 0, this.ordinal)) + 1;
    this.epoch = `e${ordinal}`;
    this.ordinal = ordinal;
    const minting = {
      observed: clock?.epoch,
      epoch: this.epoch,
      ordinal,
      commitId: `epoch-${ordinal}`,
      seen,
      now: this.now,
      reason,
      lost,
    };
    await this.decided({ decide: (ws) => mintEpoch(ws, minting) });
  }

  async decided<T>(decision: Decision<T>): Promise<T> {
    const { value, logged } = await this.store.transact("shop", asScript(decision));
    this.logged.push(...logged);
    return value;
  }

  /** The same till each time it is named. */
  till(device = "till-1", options: Partial<Principal> & { incarnation?: string } = {}): Till {
    const till = this.#tills.get(device) ?? new Till(this, device, options);
    this.#tills.set(device, till);
    return till;
  }

  async read<K extends keyof StoreReads>(
    request: StoreReads[K]["request"] & { readonly kind: K },
  ): Promise<StoreReads[K]["answer"]> {
    return this.store.read("shop", function* script() {
      return yield* ask<K>(request);
    });
  }
  clock() {
    return this.read({ kind: "clock" });
  }
  async row(collection: string, id: string) {
    return (await this.read({ kind: "records", keys: [{ collection, id }] }))[0];
  }
  async version(collection: string, id: string): Promise<number> {
    return versionIn(this.store, "shop", collection, id);
  }
  async operation(id: string) {
    return (await this.read({ kind: "operations", ids: [id] }))[0];
  }
  async conflicts(settled = false) {
    return this.read({ kind: "conflictList", state: settled ? "settled" : "open", after: 0, limit: 100 });
  }
  async quarantined() {
    return this.read({ kind: "quarantined", after: 0, limit: 100 });
  }

  /** Of the people at the desk; without one it is the head office's. */
  officeBranch: string | undefined;

  officeScopes: readonly string[] = ["sync:desk"];

  #desk(id: string): DeskInput {
    return {
      catalog: this.catalog,
      principal: { tenant: "shop", actor: "boss", scopes: this.officeScopes, branch: this.officeBranch },
      id,
      commitId: `commit-${id}-${this.now++}`,
      now: this.now,
    };
  }
  async release(id: string) {
    const input = this.#desk(id);
    return this.decided({ decide: (ws) => release(ws, input) });
  }
  async discard(id: string, reason = "no sale") {
    const input = this.#desk(id);
    return this.decided({ decide: (ws) => discard(ws, input, reason) });
  }
  async resolve(id: string, choice: "server" | "client" | "merged", data?: Record<string, string | number>) {
    const input = this.#desk(id);
    const request = data === undefined ? { choice } : { choice, data };
    return this.decided({ decide: (ws) => resolveConflict(ws, input, request) });
  }
}

let ids = 0;

/** As the base of an edit: the row's version when the edit is first sent. No row is newer. */
const LATEST = 2 ** 52;

export async function versionIn(
  store: Pick<ServerStore, "read">,
  tenant: string,
  collection: string,
  id: string,
): Promise<number> {
  const rows = await store.read(tenant, function* script() {
    return yield* ask<"records">({ kind: "records", keys: [{ collection, id }] });
  });
  return rows[0]?.version ?? 0;
}

export class Till {
  readonly world: ServerWorld;
  readonly principal: Principal;
  readonly device: string;
  incarnation: string;
  sequence = 0;
  marks: { push: Mark | undefined; pull: Mark | undefined } = { push: undefined, pull: undefined };
  cursors = new Map<string, CursorClaim>();
  claim: EpochClaim | undefined;
  /** Of the answers that it asks for. */
  limitBytes: number | undefined;
  /** What `LATEST` was for each operation: sent again, it is the same. */
  readonly #bases = new Map<string, number>();

  constructor(
    world: ServerWorld,
    device: string,
    { incarnation, ...principal }: Partial<Principal> & { incarnation?: string },
  ) {
    this.world = world;
    this.device = device;
    this.incarnation = incarnation ?? `inc-${device}`;
    this.principal = { tenant: "shop", scopes: [], device, ...principal };
  }

  /** Fills in what every operation has. */
  mint(sketch: Sketch): WireOperation {
    return {
      id: uuid(++ids),
      sequence: ++this.sequence,
      schemaVersion: 1,
      occurredAt: "2026-11-20T08:00:00.000Z",
      ...sketch,
    } as unknown as WireOperation;
  }

  #session() {
    const { world, principal, device, incarnation } = this;
    return { catalog: world.catalog, principal, device, incarnation, receivedAt: world.now };
  }
  #epoch(): EpochClaim {
    return this.claim ?? { kind: "authentic", epoch: this.world.epoch, ordinal: this.world.ordinal };
  }

  async register(): Promise<RegistrationOutcome> {
    const { incarnation, device, marks, world } = this;
    const input = { session: this.#session(), named: { id: device, incarnation }, epoch: this.#epoch(), marks };
    return world.decided({ decide: (ws) => decideRegistration(ws, input) });
  }

  /** How much may be kept of rows; without a bound unless a test is about it. */
  copyBytes = Number.POSITIVE_INFINITY;

  input(sketches: readonly (Sketch | WireOperation)[]): PushInput {
    return {
      session: this.#session(),
      epoch: this.#epoch(),
      marks: this.marks,
      limitBytes: this.limitBytes,
      sentBytes: JSON.stringify(sketches).length,
      copyBytes: this.copyBytes,
      operations: sketches.map((sketch) =>
        prepared("id" in sketch && "sequence" in sketch ? (sketch as WireOperation) : this.mint(sketch as Sketch)),
      ),
    };
  }

  async #based(sketches: readonly (Sketch | WireOperation)[]): Promise<readonly (Sketch | WireOperation)[]> {
    const based: (Sketch | WireOperation)[] = [];
    for (const sketch of sketches) {
      const { baseVersion, collection, entityId, id } = sketch as Readonly<Record<string, unknown>>;
      if (baseVersion !== LATEST) {
        based.push(sketch);
        continue;
      }
      const version = this.#bases.get(`${id}`) ?? (await this.world.version(`${collection}`, `${entityId}`));
      if (id !== undefined) this.#bases.set(`${id}`, version);
      based.push({ ...sketch, baseVersion: version });
    }
    return based;
  }

  async outcome(sketches: readonly (Sketch | WireOperation)[]): Promise<PushOutcome> {
    const input = this.input(await this.#based(sketches));
    const outcome = await this.world.decided({
      prefetch: (ws) => prefetch(ws, input),
      foresee: (ws) => foresee(ws, input),
      decide: (ws) => decidePush(ws, input),
    });
    this.world.now += 1;
    if (outcome.kind === "answered") this.marks = { ...this.marks, push: outcome.mark };
    return outcome;
  }

  /** How often a push of them asks the store for rows, the clock included. */
  async rounds(...sketches: readonly (Sketch | WireOperation)[]): Promise<number> {
    const input = this.input(await this.#based(sketches));
    const script = asScript({ prefetch: (ws) => prefetch(ws, input), decide: (ws) => decidePush(ws, input) });
    return this.world.store.transact("shop", function* counting() {
      const run = script();
      let asked = 0;
      let step = run.next();
      while (step.done !== true) {
        asked += 1;
        step = run.next(yield step.value);
      }
      return { ...step.value, value: asked };
    });
  }

  /** One result for each operation sent. */
  async push(...sketches: readonly (Sketch | WireOperation)[]): Promise<readonly OperationResult[]> {
    const outcome = await this.outcome(sketches);
    if (outcome.kind !== "answered") throw new Error(`push answered ${outcome.kind}`);
    return outcome.results.slice(0, sketches.length);
  }

  async send(sketch: Sketch | WireOperation): Promise<OperationResult> {
    const [result] = await this.push(sketch);
    if (result === undefined) throw new Error("no result");
    return result;
  }

  async pull(names: readonly string[] = ["products"], limit = 1000): Promise<PullOutcome> {
    const cursors = new Map(names.map((name) => [name, this.cursors.get(name) ?? null]));
    const { marks, limitBytes } = this;
    const introduction = { session: this.#session(), epoch: this.#epoch(), marks, limitBytes };
    const input = { ...introduction, cursors, limit, schemaVersions: new Map() };
    const outcome = await this.world.store.read("shop", () => decidePull(input));
    if (outcome.kind === "answered") {
      this.marks = { ...this.marks, pull: outcome.mark };
      for (const [name, { cursor }] of outcome.pages) this.cursors.set(name, cursor);
    }
    return outcome;
  }

  async pulled(names: readonly string[] = ["products"], limit = 1000) {
    const outcome = await this.pull(names, limit);
    if (outcome.kind !== "answered") throw new Error(`pull answered ${outcome.kind}`);
    const pages = [...outcome.pages].map(([name, page]) => {
      return [name, { ...page, changes: page.changes.map((text): Change => JSON.parse(text)) }] as const;
    });
    return { ...outcome, pages: new Map(pages) };
  }
}

export function prepared(operation: WireOperation): PreparedOperation {
  const parsed = parseOperation(operation);
  const text = parsed.ok ? canonicalJson(payloadOf(parsed.value)) : JSON.stringify(operation);
  return {
    id: operation.id,
    raw: operation as never,
    parsed,
    hash: systemDigest.sha256(text) as string,
    bytes: JSON.stringify(operation).length,
    acknowledgedIsAuthentic: operation.acknowledged !== undefined,
  };
}

export const product = (id: string, data: Record<string, unknown> = { name: "Cola", priceCents: 250 }): Sketch => ({
  action: "create",
  collection: "products",
  entityId: id,
  data,
});
export const edit = (
  id: string,
  baseVersion: number,
  patch: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Sketch => ({
  action: "update",
  collection: "products",
  entityId: id,
  baseVersion,
  patch,
  ...more,
});
export const count = (id: string, by: number, more: Record<string, unknown> = {}): Sketch => ({
  action: "increment",
  collection: "products",
  entityId: id,
  by: { stock: by },
  ...more,
});
export const sale = (
  id: string,
  data: Record<string, unknown> = { totalCents: 500 },
  more: Record<string, unknown> = {},
): Sketch => ({
  action: "create",
  collection: "sales",
  entityId: id,
  data,
  ...more,
});
export const payment = (id: string, saleId: string, more: Record<string, unknown> = {}): Sketch => ({
  action: "create",
  collection: "payments",
  entityId: id,
  data: { saleId, amountCents: 500 },
  ...more,
});

/** Two tills that have changed the price of one product: the second one's edit is in conflict. */
export async function quarrel(more: Record<string, unknown> = {}) {
  const world = await ServerWorld.open();
  const [a, b] = [world.till("a"), world.till("b")];
  await a.push(product("p-1"), edit("p-1", 0, { priceCents: 300 }));
  const lost = await b.send(edit("p-1", 0, { priceCents: 1, ...more }));
  if (lost.status !== "conflict") throw new Error(`Expected a conflict, got ${lost.status}`);
  return { world, a, b, lost };
}
