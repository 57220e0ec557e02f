/**
 * Sentences of docs/protocol.md, each with what shows that the server keeps it: real requests at the real handler. A
 * sentence that is changed must be found here, and a server that is changed must still keep it.
 */
import { expect } from "vitest";
import { payloadOf } from "../../src/protocol/payload.ts";
import type {
  ConflictsResponse,
  OperationResult,
  PushResponse,
  QuarantineResponse,
  WireOperation,
} from "../../src/protocol/types.ts";
import { announceRestore, revokeDevice } from "../../src/server/index.ts";
import type { SyncHandlerOptions } from "../../src/server/options.ts";
import type { Policies } from "../../src/server/policy-types.ts";
import type { ServerStore } from "../../src/server/ports/store.ts";
import { receiptOf } from "../../src/server/tokens/receipt.ts";
import { Seal } from "../../src/server/tokens/seal.ts";
import { systemDigest } from "../../src/shared/digest.ts";
import { canonicalJson } from "../../src/shared/json.ts";
import { HttpTill, operation, type ShopServer, shopServer } from "../server/support/http.ts";
import type { Shop } from "../server/support/shop.ts";
import { count, edit, payment, product, type Sketch, sale, uuid } from "../server/support/world.ts";

export interface Sentence {
  readonly says: string;
  readonly shows: (bench: Bench) => Promise<void>;
}

/** A server over the store of this run, in a tenant of its own. */
export class Bench {
  readonly #store: ServerStore;
  readonly tenant: string;
  server!: ShopServer;
  #incarnations = 0;

  constructor(store: ServerStore, tenant: string) {
    this.#store = store;
    this.tenant = tenant;
    this.serve();
  }

  serve(more: Partial<Policies<Shop>> = {}, options: Partial<SyncHandlerOptions<Shop>> = {}): void {
    this.server = shopServer(more, { store: this.#store, ...options });
  }

  /** `rights` follow the device: `till-1/branch/scope scope`. */
  async till(rights: string): Promise<HttpTill> {
    const [device = ""] = rights.split("/");
    const till = new HttpTill(this.server, device, `${this.tenant}/${rights}`);
    this.#incarnations += 1;
    till.incarnation = `00000000-0000-7000-8000-00000000${String(this.#incarnations).padStart(4, "0")}`;
    await till.register();
    return till;
  }

  async desk<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const headers = {
      authorization: `Bearer ${this.tenant}///sync:desk`,
      "tillsync-protocol": "1",
      "tillsync-request-id": uuid(7),
    };
    const request = new Request(`http://shop.test/sync/${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = await this.server.handler(request);
    return { status: response.status, body: (await response.json()) as T };
  }

  announceRestore() {
    return announceRestore(this.#store, this.tenant);
  }
  /** As this server's database would have made it, in whatever history. */
  receipt(of: WireOperation, told: { readonly epoch: string; readonly version: number }): Promise<string> {
    const hash = systemDigest.sha256(canonicalJson(payloadOf(of))) as string;
    return receiptOf(new Seal(this.#store, systemDigest), { tenant: this.tenant, id: of.id, hash, ...told });
  }
  revoke(device: string) {
    return revokeDevice({ store: this.#store, tenant: this.tenant, device });
  }
}

/** The results of what was sent, without those that come along. */
async function sent(till: HttpTill, ...sketches: readonly Sketch[]): Promise<readonly OperationResult[]> {
  return (await till.push(...sketches)).slice(0, sketches.length);
}

async function one(till: HttpTill, sketch: Sketch | WireOperation): Promise<OperationResult> {
  const [result] = await till.push(sketch);
  if (result === undefined) throw new Error("no result");
  return result;
}
const version = (result: OperationResult | undefined) => (result as { version: number }).version;
const code = (result: OperationResult | undefined) =>
  result !== undefined && "error" in result ? [result.status, result.error.code] : [result?.status];
const byId = (results: readonly OperationResult[], id: string) => results.find((result) => result.id === id);

const shift = (id: string, branch: string): Sketch => ({
  action: "create",
  collection: "shifts",
  entityId: id,
  data: { branch, cashier: "Ann" },
});
const strict: Partial<Policies<Shop>> = {
  sales: {
    scope: "tenant",
    allow: { read: "everyone", create: "everyone" },
    decide: ({ operation: { data } }) =>
      data.totalCents < 0
        ? { outcome: "quarantined", code: "arithmetic", message: "Below zero" }
        : { outcome: "applied" },
  },
};
const bad = (more: Record<string, unknown> = {}) => sale("s-1", { totalCents: -1 }, more);
const good = (more: Record<string, unknown> = {}) => sale("s-1", { totalCents: 500 }, more);

/** A till whose sale, payment and step of stock lie in quarantine together. */
async function quarantinedSale(bench: Bench) {
  bench.serve(strict);
  const till = await bench.till("till-1");
  const tx = { transaction: "t-1" };
  const sent = await till.push(bad(tx), payment("y-1", "s-1", tx), count("p-1", -1, tx));
  expect(sent.map(({ status }) => status)).toEqual(Array(3).fill("quarantined"));
  const [sold, paid, counted] = sent.map(({ id }) => id) as [string, string, string];
  const statusOf = async (id: string) => {
    till.marks = {};
    return code(byId((await till.pull("sales")).results, id));
  };
  return { till, sold, paid, counted, statusOf };
}

/** Two tills that set one product's price: the second one's edit lies on the desk. */
async function conflictOnDesk(bench: Bench) {
  const [a, b] = [await bench.till("a"), await bench.till("b")];
  const base = version(await one(a, product("p-1")));
  await one(a, edit("p-1", base, { priceCents: 300 }));
  const lost = await one(b, edit("p-1", base, { priceCents: 1 }));
  expect(lost.status).toBe("conflict");
  const listed = async () => (await bench.desk<ConflictsResponse>("GET", "conflicts")).body.conflicts[0];
  const resolve = (choice: string, more: object = {}) =>
    bench.desk<{ code?: string }>("POST", `conflicts/${lost.id}/resolve`, { choice, ...more });
  return { a, b, base, lost, listed, resolve };
}

export const sentences: readonly Sentence[] = [
  {
    says: "A server checks a request in this order: path (404), method (405), protocol header (426, also if there is none), request id (400), token (401), body.",
    async shows({ server, tenant }) {
      const headers = new Headers();
      const ask = async (method: string, path: string) =>
        (
          await server.handler(
            new Request(`http://shop.test/sync/${path}`, { method, headers, ...(method === "POST" && { body: "{" }) }),
          )
        ).status;
      expect(await ask("GET", "nowhere")).toBe(404);
      expect(await ask("GET", "push")).toBe(405);
      expect(await ask("POST", "push")).toBe(426);
      headers.set("tillsync-protocol", "1");
      expect(await ask("POST", "push")).toBe(400);
      headers.set("tillsync-request-id", "r-1");
      headers.set("authorization", "Bearer nobody");
      expect(await ask("POST", "push")).toBe(401);
      headers.set("authorization", `Bearer ${tenant}/till-1`);
      expect(await ask("POST", "push")).toBe(400);
    },
  },
  {
    says: "It reads the body as JSON whatever the content type says, and takes the names of encodings in capitals too.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const text = JSON.stringify({ ...till.frame, operations: [] });
      const packed = new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")));
      const headers = { "content-type": "text/plain", "content-encoding": "GZIP" };
      const answer = await till.call("POST", "push", new Uint8Array(await packed.arrayBuffer()), headers);
      expect(answer.status).toBe(200);
    },
  },
  {
    says: "are malformed in operations, and wherever a name or a text is read.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const text = JSON.stringify(operation(product("p-1", { name: "x", priceCents: 1 })));
      const poisoned = text.replace('"name"', '"__proto__"');
      const frame = JSON.stringify(till.frame).slice(1, -1);
      const send = (more: string, op: string) => till.call("POST", "push", `{${more}${frame},"operations":[${op}]}`);
      const ignored = await send('"__proto__":{"a":1},', poisoned);
      expect(ignored.status).toBe(200);
      expect(code(((await ignored.json()) as PushResponse).results[0])).toEqual(["rejected", "malformed"]);
      const pull = await till.call("POST", "pull", `{${frame},"schemaVersion":1,"collections":{"__proto__":null}}`);
      expect(pull.status).toBe(400);
    },
  },
  {
    says: "How deep an operation nests, and what its numbers and texts are, is its own trouble: it is `malformed`, and the other operations of the push are judged as if it were not there.",
    async shows(bench) {
      const till = await bench.till("till-1");
      for (const value of ["[".repeat(3_000) + "]".repeat(3_000), "1e400", String.raw`"\ud800"`]) {
        const odd = operation(sale("s-odd"));
        const plain = operation(sale(`s-${odd.sequence}`));
        const text = `${JSON.stringify(odd).slice(0, -1)},"strange":${value}}`;
        const frame = JSON.stringify(till.frame).slice(1, -1);
        const answer = await till.call("POST", "push", `{${frame},"operations":[${text},${JSON.stringify(plain)}]}`);
        const { results } = (await answer.json()) as PushResponse;
        expect(code(byId(results, odd.id))).toEqual(["quarantined", "malformed"]);
        expect(code(byId(results, plain.id))).toEqual(["applied"]);
      }
    },
  },
  {
    says: "If it can't be kept as JSON without change (a number beyond 2^53 − 1 or like `1e400`, a forbidden key or character, or more than 40 levels), `operation` is `{id, raw}`, and `raw` is its text as it was sent.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const deep = "[".repeat(41) + "]".repeat(41);
      const values = ["9007199254740993", "1e400", '{"__proto__":1}', String.raw`"\u0000"`, deep];
      const texts = values.map((value) => {
        const odd = JSON.stringify(operation(sale("s-odd"))).slice(0, -1);
        return `${odd}, "strange": ${value} }`;
      });
      const frame = JSON.stringify(till.frame).slice(1, -1);
      expect((await till.call("POST", "push", `{${frame},"operations":[${texts.join(",")}]}`)).status).toBe(200);
      const { body } = await bench.desk<QuarantineResponse>("GET", "quarantine");
      expect(body.quarantined.map(({ operation: kept }) => Object.keys(kept).sort())).toEqual(
        texts.map(() => ["id", "raw"]),
      );
      expect(body.quarantined.map(({ operation: kept }) => kept.raw)).toEqual(texts);
    },
  },
  {
    says: "Without `firstSequence`, the server counts from the lowest number of the first push.",
    async shows(bench) {
      const till = await bench.till("till-1");
      for (const [sequence, id] of [
        [5, "a"],
        [3, "b"],
        [8, "c"],
      ] as const)
        await till.push({ ...operation(sale(id)), sequence } as WireOperation);
      till.incarnation = uuid(99);
      expect((await till.register()).unsynced).toMatchObject([{ lastSequence: 8, missing: 2 }]);
    },
  },
  {
    says: "`firstSequence`, in the request: the first sequence number that this incarnation gives out itself.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const register = async (n: number, firstSequence: number) => {
        till.incarnation = uuid(n);
        const device = { id: till.device, incarnation: till.incarnation };
        const answer = await till.call("POST", "register", { device, schemaVersion: 1, firstSequence });
        return (await answer.json()) as { unsynced: unknown[] };
      };
      await register(101, 1);
      await till.push({ ...operation(sale("a")), sequence: 5 } as WireOperation);
      // A fork: what was made before it may come too, and counts neither way.
      await register(102, 11);
      await till.push({ ...operation(sale("b")), sequence: 7 } as WireOperation);
      await till.push({ ...operation(sale("c")), sequence: 13 } as WireOperation);
      expect((await register(103, 1)).unsynced).toEqual([
        { incarnation: uuid(101), lastSequence: 5, missing: 4 },
        { incarnation: uuid(102), lastSequence: 13, missing: 2 },
      ]);
    },
  },
  {
    says: "What it wrote before the fork is another author's from then on: an edit that still carries an older `baseVersion` can be in conflict with it.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const base = version(await one(till, product("p-1")));
      await one(till, edit("p-1", base, { priceCents: 1 }));
      expect(code(await one(till, edit("p-1", base, { priceCents: 2 })))).toEqual(["applied"]);
      till.incarnation = uuid(98);
      expect(code(await one(till, edit("p-1", base, { priceCents: 3 })))).toEqual(["conflict"]);
    },
  },
  {
    says: "A server takes the push of an incarnation that never registered. Two operations with one sequence number in one push are a fork too.",
    async shows(bench) {
      const till = await bench.till("till-1");
      till.incarnation = uuid(97);
      expect(code(await one(till, sale("s-1")))).toEqual(["applied"]);
      const twin = { ...operation(sale("s-3")), sequence: 900 };
      const answer = await till.pushRaw([{ ...operation(sale("s-2")), sequence: 900 }, twin]);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([409, "identity_fork"]);
    },
  },
  {
    says: "That includes an `update`, a `delete` and an `increment` of a fact: a fact is only created.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const baseVersion = version(await one(till, sale("s-1")));
      const at = { collection: "sales", entityId: "s-1" };
      const results = await sent(
        till,
        { action: "update", ...at, baseVersion, patch: { totalCents: 1 } },
        { action: "delete", ...at, baseVersion },
        { action: "increment", ...at, by: { totalCents: 1 } },
      );
      expect(results.map(code)).toEqual(Array(3).fill(["quarantined", "malformed"]));
    },
  },
  {
    says: "A `create` in a collection that the server doesn't have may be a sale, and is `quarantined` with `unknown_collection`; every other action but `increment` is `rejected`.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const at = { collection: "strange", entityId: "x" };
      const results = await till.push(
        { action: "create", ...at, data: {} },
        { action: "increment", ...at, by: { n: 1 } },
        { action: "update", ...at, baseVersion: 1, patch: {} },
        { action: "delete", ...at, baseVersion: 1 },
        { action: "void", ...at, supersedes: [uuid(1)] },
      );
      expect(results.map(({ status }) => status)).toEqual([
        ...["quarantined", "quarantined"],
        ...["rejected", "rejected", "rejected"],
      ]);
    },
  },
  {
    says: "`data` and `patch` can't have `id`, counters, or members that the server assigns.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const baseVersion = version(await one(till, product("p-1")));
      const malformed = [
        product("p-2", { id: "p-2", name: "x" }),
        product("p-2", { name: "x", stock: 0 }),
        edit("p-1", baseVersion, { stock: 1 }),
        edit("p-1", baseVersion, { id: "p-2" }),
      ];
      expect((await sent(till, ...malformed)).map(code)).toEqual(malformed.map(() => ["rejected", "malformed"]));
      for (const data of [{ orderNumber: "x" }, { id: "s-1" }])
        expect(code(await one(till, sale("s-1", { totalCents: 1, ...data })))).toEqual(["quarantined", "malformed"]);
    },
  },
  {
    says: "The second one is in quarantine under an id of its own, and `at` is when it arrived there.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const first = operation(sale("s-1"));
      const second = { ...operation(sale("s-2")), id: first.id } as WireOperation;
      await till.push(first);
      bench.server.clock.time += 1_000;
      const at = bench.server.clock.time;
      const reused = await one(till, second);
      expect(reused).toEqual({
        id: first.id,
        status: "rejected",
        error: { code: "operation_id_reused", message: expect.any(String) },
        at,
      });
      bench.server.clock.time += 1_000;
      expect(await one(till, second)).toEqual(reused);
      const { body } = await bench.desk<QuarantineResponse>("GET", "quarantine");
      expect(body.quarantined).toHaveLength(1);
      expect(body.quarantined[0]?.operation.id).not.toBe(first.id);
    },
  },
  {
    says: "`server` is the current row, if there is one and the device may see it.",
    async shows(bench) {
      const allow = { read: "look", create: "everyone", update: "everyone", delete: "nobody" } as const;
      bench.serve({ products: { scope: "tenant", allow } });
      const [till, blind] = [await bench.till("a//look"), await bench.till("b")];
      const at = version(await one(till, product("p-1")));
      const shown = { version: at, data: { name: "Cola", priceCents: 250, stock: 0 } };
      const refused: Sketch[] = [
        edit("p-1", at, { priceCents: -1 }),
        { action: "delete", collection: "products", entityId: "p-1", baseVersion: at },
        edit("p-1", at, { stock: 1 }),
        { ...edit("p-1", at, {}), strange: true },
      ];
      for (const [n, sketch] of refused.entries()) {
        const seen = await one(till, sketch);
        const expected = ["validation_failed", "not_permitted", "malformed", "malformed"][n];
        expect(seen).toMatchObject({ status: "rejected", error: { code: expected }, server: shown });
        expect(await one(blind, sketch)).not.toHaveProperty("server");
      }
      expect(await one(till, product("p-9", { name: 5 }))).not.toHaveProperty("server");
    },
  },
  {
    says: "For a `void`, and for a `delete` of a row that never was, it is 0.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const gone = await one(till, { action: "delete", collection: "products", entityId: "p-9", baseVersion: 0 });
      expect(gone).toMatchObject({ status: "applied", version: 0, deleted: true });
      const voided = { action: "void", collection: "products", entityId: "p-9", supersedes: [uuid(2)] };
      expect(await one(till, voided)).toMatchObject({ status: "applied", version: 0 });
    },
  },
  {
    says: "An id that was never seen is marked for the superseding operation's own device: if another device sends it after all, it is judged as if nobody had named it.",
    async shows(bench) {
      const [a, b] = [await bench.till("a"), await bench.till("b")];
      const [own, late] = [operation(product("p-7")), operation(product("p-8"))];
      const at = { action: "void", collection: "products" };
      await one(a, { ...at, entityId: "p-7", supersedes: [own.id] });
      await one(b, { ...at, entityId: "p-8", supersedes: [late.id] });
      expect((await a.push(own, late)).slice(0, 2)).toMatchObject([
        { status: "rejected", error: { code: "superseded" } },
        { status: "applied" },
      ]);
    },
  },
  {
    says: "If that one was superseded, its successor counts instead, and so on along the chain; a resolution of the back office counts as applied.",
    async shows(bench) {
      const { b, base, lost, resolve } = await conflictOnDesk(bench);
      const next = operation(edit("p-1", base, { name: "Cola 2" }, { after: [lost.id] }));
      expect(await one(b, next)).toMatchObject({ status: "blocked", by: [lost.id] });
      expect((await resolve("server")).status).toBe(200);
      expect(code(await one(b, next))).toEqual(["applied"]);
      const missed = operation(edit("p-1", base, { priceCents: -1 }));
      const rejected = await one(b, missed);
      const third = operation(edit("p-1", base, { name: "Cola 3" }, { after: [rejected.id] }));
      expect((await one(b, third)).status).toBe("blocked");
      await one(b, { action: "void", collection: "products", entityId: "p-1", supersedes: [rejected.id] });
      expect(code(await one(b, third))).toEqual(["applied"]);
    },
  },
  {
    says: "If a member of a commercial transaction in quarantine is superseded, its successor is applied only together with all members that still lie there: they are judged again, and their results are revised.",
    async shows(bench) {
      const { till, sold, paid, counted, statusOf } = await quarantinedSale(bench);
      const corrected = await one(till, good({ supersedes: [sold] }));
      expect(code(corrected)).toEqual(["applied"]);
      expect(await statusOf(paid)).toEqual(["applied"]);
      expect(await statusOf(counted)).toEqual(["applied"]);
      expect(await statusOf(sold)).toEqual(["rejected", "superseded"]);
      const { body } = await bench.desk<QuarantineResponse>("GET", "quarantine");
      expect(body.quarantined).toEqual([]);
      // The next request holds a mark that this history has: nothing was restored.
      expect(code(await one(till, sale("s-2")))).toEqual(["applied"]);
    },
  },
  {
    says: "If one of them can't be applied, the successor is `quarantined` with `transaction_quarantined`, and is released, discarded or replaced together with them.",
    async shows(bench) {
      const { till, sold, paid, counted, statusOf } = await quarantinedSale(bench);
      const again = await one(till, payment("y-1", "s-1", { supersedes: [paid] }));
      expect(code(again)).toEqual(["quarantined", "transaction_quarantined"]);
      const released = await bench.desk<{ results: OperationResult[] }>("POST", `quarantine/${counted}/release`);
      expect(released.body.results.map(({ id }) => id).sort()).toEqual([sold, counted, again.id].sort());
      for (const id of [sold, counted, again.id]) expect(await statusOf(id)).toEqual(["applied"]);
    },
  },
  {
    says: "A `void` of a fact in quarantine gives up its transaction: the other members get the code `discarded`. A `void` of an increment closes that increment alone, and the rest is still released together.",
    async shows(bench) {
      const { till, sold, paid, counted, statusOf } = await quarantinedSale(bench);
      await one(till, { action: "void", collection: "products", entityId: "p-1", supersedes: [counted] });
      expect(await statusOf(counted)).toEqual(["rejected", "superseded"]);
      expect(await statusOf(paid)).toEqual(["quarantined", "transaction_quarantined"]);
      await one(till, { action: "void", collection: "sales", entityId: "s-1", supersedes: [sold] });
      expect(await statusOf(paid)).toEqual(["quarantined", "discarded"]);
      expect(code(await one(till, sale("s-2")))).toEqual(["applied"]);
    },
  },
  {
    says: "A transaction with facts or increments and with edits is taken apart: its edits are judged as if they had no `transaction`.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const tx = { transaction: "t-1" };
      const results = await till.push(good(tx), edit("p-9", 0, { name: "x" }, tx), payment("y-1", "s-1", tx));
      expect(results.map(({ status }) => status).sort()).toEqual(["applied", "applied", "rejected"]);
    },
  },
  {
    says: "A `create` of a deleted row begins a new one.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const baseVersion = version(await one(till, product("p-1")));
      await one(till, { action: "delete", collection: "products", entityId: "p-1", baseVersion });
      expect(await one(till, product("p-1"))).toMatchObject({ status: "applied", data: { name: "Cola" } });
    },
  },
  {
    says: "`force` that the token may not use is `rejected` with `not_permitted`.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const base = version(await one(till, product("p-1")));
      expect(code(await one(till, edit("p-1", base, { name: "x" }, { force: true })))).toEqual([
        "rejected",
        "not_permitted",
      ]);
    },
  },
  {
    says: "**A fact is never rejected**, except with `operation_id_reused`, and where another operation has taken its place: with `superseded`, `already_superseded` or `already_applied`.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const [late, second, first] = [operation(good()), operation(good()), operation(good())];
      await one(till, { ...first, supersedes: [late.id] } as WireOperation);
      expect(code(await one(till, late))).toEqual(["rejected", "superseded"]);
      const again = { ...second, supersedes: [late.id] } as WireOperation;
      expect(code(await one(till, again))).toEqual(["rejected", "already_superseded"]);
      expect(code(await one(till, good({ supersedes: [first.id] })))).toEqual(["rejected", "already_applied"]);
    },
  },
  {
    says: "in a collection whose rows belong to branches, an `update` or `delete` of a row that never was gets this code too, and never `not_found`.",
    async shows(bench) {
      const [north, head] = [await bench.till("n/north"), await bench.till("h")];
      await one(head, shift("h-1", "south"));
      const change = (action: string, entityId: string): Sketch => ({
        action,
        collection: "shifts",
        entityId,
        baseVersion: 1,
        ...(action === "update" && { patch: { cashier: "Eve" } }),
      });
      for (const action of ["update", "delete"]) {
        const [there, absent] = [await one(north, change(action, "h-1")), await one(north, change(action, "h-9"))];
        expect({ ...absent, id: "" }).toEqual({ ...there, id: "" });
        expect(code(absent)).toEqual(["rejected", "out_of_scope"]);
      }
      expect(code(await one(head, edit("p-9", 1, { name: "x" })))).toEqual(["rejected", "not_found"]);
    },
  },
  {
    says: "A request without marks, or with `{}`, gets the results from the beginning",
    async shows(bench) {
      const till = await bench.till("till-1");
      const sent = await one(till, sale("s-1"));
      const { device, epoch } = till.frame;
      const collections = { sales: null };
      for (const marks of [{}, { marks: {} }]) {
        for (const [path, more] of [
          ["push", { operations: [] }],
          ["pull", { schemaVersion: 1, collections }],
        ] as const) {
          const answer = await till.call("POST", path, { device, epoch, ...marks, ...more });
          expect(answer.status).toBe(200);
          expect(((await answer.json()) as PushResponse).results.map(({ id }) => id)).toEqual([sent.id]);
        }
      }
    },
  },
  {
    says: "Such a response has `moreResults: true`",
    async shows(bench) {
      const till = await bench.till("till-1");
      await till.push(...Array.from({ length: 12 }, (_, n) => sale(`s-${n}`)));
      const pushed = async (limitBytes?: number) => {
        const operations = [operation(sale("s-99"))];
        const answer = await till.call("POST", "push", { ...till.frame, marks: {}, operations, limitBytes });
        return (await answer.json()) as PushResponse;
      };
      const cut = await pushed(300);
      expect(cut.moreResults).toBe(true);
      expect(cut.results.length).toBeLessThan(12);
      const whole = await pushed();
      expect(whole).not.toHaveProperty("moreResults");
      // The twelve, that of the push before, and its own.
      expect(whole.results).toHaveLength(14);
    },
  },
  {
    says: "The operation that has taken the place of the first one counts as if a list of 250 ids named it, unless it is applied or the back office has replaced it.",
    async shows(bench) {
      bench.serve(strict);
      const till = await bench.till("till-1");
      const unseen = Array.from({ length: 249 }, (_, n) => uuid(5_000 + n));
      const first = await one(till, bad());
      const standIn = await one(till, bad({ supersedes: [first.id] }));
      const late = await one(till, good({ supersedes: [first.id, ...unseen.slice(1)] }));
      expect(code(late)).toEqual(["rejected", "already_superseded"]);
      const newest = await one(till, good({ supersedes: [first.id, ...unseen] }));
      expect(newest.status).toBe("applied");
      till.marks = {};
      const { results } = await till.pull("sales");
      expect(byId(results, standIn.id)).toMatchObject({ error: { code: "superseded" }, by: newest.id });
      const again = await one(till, good({ supersedes: [first.id, ...unseen] }));
      expect(again).toMatchObject({ error: { code: "already_superseded" }, by: newest.id });
    },
  },
  {
    says: "`assigned`: members that only the server fills in, of 2 KiB at most.",
    async shows(bench) {
      const assigning = (orderNumber: string): Partial<Policies<Shop>> => ({
        sales: {
          scope: "tenant",
          allow: { read: "everyone", create: "everyone" },
          decide: () => ({ outcome: "applied", assigned: { orderNumber } }),
        },
      });
      bench.serve(assigning("9".repeat(2_000)));
      const till = await bench.till("till-1");
      expect((await one(till, sale("s-1"))).status).toBe("applied");
      bench.serve(assigning("9".repeat(2_048)));
      const other = await bench.till("till-2");
      expect(code(await one(other, sale("s-2")))).toEqual(["quarantined", "policy_failed"]);
    },
  },
  {
    says: "A poke names only collections that the token may read, and only for changes in the token's branch or in the whole tenant; if nothing is left, no poke is sent.",
    async shows(bench) {
      bench.serve({ sales: { scope: "tenant", allow: { read: "office", create: "everyone" } } });
      const till = await bench.till("till-1");
      const sockets = await Promise.all(["b/north", "c/south"].map((rights) => listen(bench, rights)));
      // The last one to be poked: then the others have been.
      const office = await listen(bench, "z//office");
      for (const [n, sketch] of [sale("s-1"), shift("h-1", "north"), product("p-1")].entries()) {
        await till.push(sketch);
        await office.poked(n + 1);
      }
      expect(sockets.map(({ sent }) => sent.map((text) => JSON.parse(text).collections))).toEqual([
        [["shifts"], ["products"]],
        [["products"]],
      ]);
    },
  },
  {
    says: "If the token stands for nobody any more, or the device was revoked, it closes the socket with code 1008 and sends nothing.",
    async shows(bench) {
      const till = await bench.till("till-1");
      await bench.till("b");
      const [revoked, office] = [await listen(bench, "b"), await listen(bench, "z")];
      await bench.revoke("b");
      await till.push(product("p-1"));
      await office.poked(1);
      expect([revoked.sent, revoked.closed]).toEqual([[], [1008]]);
    },
  },
  {
    says: "Without an upgrade to a WebSocket, and at a server that has none, the answer is 404 `not_found`.",
    async shows(bench) {
      const till = await bench.till("till-1");
      const answer = await till.call("GET", "live");
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, "not_found"]);
    },
  },
  {
    says: "**If anybody has written a member of the row since `version`, or has deleted or created it, nothing is resolved: the response is 409 `conflict_moved`.** Counters don't count.",
    async shows(bench) {
      const { a, base, listed, resolve } = await conflictOnDesk(bench);
      const seen = (await listed())?.server.version ?? 0;
      await one(a, count("p-1", -3));
      await one(a, edit("p-1", base, { name: "Cola light" }));
      for (const choice of ["client", "server"])
        expect(await resolve(choice, { version: seen })).toMatchObject({
          status: 409,
          body: { code: "conflict_moved" },
        });
      const current = (await listed())?.current;
      expect(current).toMatchObject({ data: { name: "Cola light", priceCents: 300 } });
      await one(a, count("p-1", -1));
      expect((await resolve("client", { version: current?.version })).status).toBe(200);
    },
  },
  {
    says: "Without `version`, `client` and `merged` are compared with the version of `server`, and `server` is not compared.",
    async shows(bench) {
      const { a, base, resolve } = await conflictOnDesk(bench);
      await one(a, edit("p-1", base, { name: "Cola light" }));
      expect((await resolve("client")).status).toBe(409);
      expect((await resolve("merged", { data: { priceCents: 2 } })).status).toBe(409);
      expect((await resolve("server")).status).toBe(200);
    },
  },
  {
    says: "A settled conflict has `settled`: the `choice`, `by` whom, `at` when, and the `note`.",
    async shows(bench) {
      const { resolve } = await conflictOnDesk(bench);
      await resolve("client", { note: "asked" });
      const { body } = await bench.desk<ConflictsResponse>("GET", "conflicts?state=settled");
      expect(body.conflicts[0]?.settled).toEqual({
        choice: "client",
        by: "u-1",
        at: expect.any(String),
        note: "asked",
      });
    },
  },
  {
    says: "It doesn't overrule the protocol, the schema or another fact with the same id: if a member can't be applied, nothing changes, and the response is 400 `malformed` with the reasons.",
    async shows(bench) {
      const till = await bench.till("till-1");
      await one(till, good());
      const kept = await sent(
        till,
        sale("s-1", { totalCents: 7 }),
        sale("s-2", { totalCents: "x" }),
        sale("s-3", { totalCents: 1 }, { strange: 1 }),
      );
      expect(kept.map(code)).toEqual(
        ["id_collision", "validation_failed", "malformed"].map((each) => ["quarantined", each]),
      );
      for (const { id } of kept) {
        const refused = await bench.desk<{ code: string }>("POST", `quarantine/${id}/release`);
        expect([refused.status, refused.body.code]).toEqual([400, "malformed"]);
      }
      const { body } = await bench.desk<QuarantineResponse>("GET", "quarantine");
      expect(body.quarantined).toHaveLength(3);
      expect((await bench.desk("POST", `quarantine/${kept[0]?.id}/discard`, { reason: "x" })).status).toBe(200);
    },
  },
  {
    says: "The server believes `acknowledged` only if its epoch is one that it issued itself to this tenant, and not the current one, and if its `receipt` is the one that it made for this tenant, this operation id, the identity of the payload that it has now, and this `epoch`, `version`, `assigned` and `schemaVersion` of `assigned`.",
    async shows(bench) {
      const [a, b] = [await bench.till("a"), await bench.till("b")];
      const { epoch } = a;
      const base = version(await one(a, product("p-1")));
      await one(a, edit("p-1", base, { priceCents: 300 }));
      // An edit that lost by the rules, and an acknowledgement of it such as a lost history may have given.
      const claim = async (told: Partial<{ epoch: string; version: number; receipt: string }> = {}) => {
        const edited = operation(edit("p-1", base, { priceCents: 1 }));
        const acknowledged = { epoch, version: base + 1 };
        const receipt = await bench.receipt(edited, acknowledged);
        return { ...edited, acknowledged: { ...acknowledged, receipt, ...told } };
      };
      expect(code(await one(b, await claim()))).toEqual(["conflict"]);
      await bench.announceRestore();
      for (const till of [a, b]) {
        till.marks = {};
        await till.register();
      }
      for (const told of [{ epoch: "made-up" }, { version: base + 2 }, { receipt: undefined }, { receipt: "0000" }])
        expect(code(await one(b, await claim(told as { receipt: string })))).toEqual(["conflict"]);
      expect(await one(b, await claim())).toMatchObject({
        status: "applied",
        data: { priceCents: 300 },
        flags: [{ code: "overtaken" }],
      });
    },
  },
  {
    says: "A server that follows [epochs](#epochs-a-server-that-was-restored) puts one into every `applied` result of a response to a push or a pull, replays and revised results included. It holds for the epoch of that response.",
    async shows(bench) {
      const till = await bench.till("till-2");
      const sold = operation(sale("s-9"));
      const receiptIn = (results: readonly OperationResult[]) => {
        const found = byId(results, sold.id);
        return found?.status === "applied" ? found.receipt : undefined;
      };
      const first = receiptIn(await till.push(sold));
      expect(first).toMatch(/^[0-9a-f]{32}$/);
      expect(receiptIn(await till.push(sold))).toBe(first);
      till.marks = {};
      expect(receiptIn((await till.pull("sales")).results)).toBe(first);
      const aside = await quarantinedSale(bench);
      await bench.desk("POST", `quarantine/${aside.sold}/release`);
      const revised = byId((await aside.till.pull("sales")).results, aside.sold);
      expect(revised).toMatchObject({ status: "applied", revision: 1, receipt: expect.any(String) });
      await bench.announceRestore();
      till.marks = {};
      await till.register();
      const later = receiptIn(await till.push(sold));
      expect([later === first, later?.length]).toEqual([false, 32]);
    },
  },
  {
    says: "if the token is bound to another branch, or to none, the operation is `quarantined` with `branch_mismatch`",
    async shows(bench) {
      for (const [n, rights] of ["a/south", "b"].entries()) {
        const till = await bench.till(rights);
        const made = sale(`s-${n}`, { totalCents: 1 }, { branch: "north" });
        expect(code(await one(till, made))).toEqual(["quarantined", "branch_mismatch"]);
      }
    },
  },
  {
    says: "an operation whose list is refused in step 9 of the [order of judgement](#the-order-of-judgement)",
    async shows(bench) {
      const till = await bench.till("a");
      const stands = await one(till, product("p-1"));
      const base = version(stands);
      const open = await one(till, edit("p-1", base, { priceCents: -1 }));
      const replacing = (...supersedes: string[]) => edit("p-1", base, { priceCents: 1 }, { supersedes });
      expect(code(await one(till, replacing(stands.id, open.id)))).toEqual(["rejected", "already_applied"]);
      expect(code(await one(till, replacing(open.id)))).toEqual(["applied"]);
    },
  },
  {
    says: "If there are more, they begin at the _newer_ mark instead",
    async shows(bench) {
      const till = await bench.till("a");
      await till.pull("sales");
      const older = till.marks.pull;
      await till.push(...Array.from({ length: 12 }, (_, n) => sale(`s-${n}`)));
      const pulled = async (limitBytes: number) => {
        const asked = { ...till.frame, marks: { ...till.marks, pull: older }, schemaVersion: 1, collections: {} };
        const answer = await till.call("POST", "pull", { ...asked, limitBytes });
        return ((await answer.json()) as PushResponse).results.length;
      };
      expect([await pulled(300), await pulled(100_000)]).toEqual([0, 12]);
    },
  },
  {
    says: "A mark that it did not make counts as absent.",
    async shows(bench) {
      const till = await bench.till("a");
      await one(till, sale("s-1"));
      till.marks = { push: "made-up", pull: "made-up" };
      expect((await till.pull("sales")).results).toHaveLength(1);
    },
  },
  {
    says: "An edit that would put a row into another branch is `out_of_scope` too.",
    async shows(bench) {
      const north = await bench.till("a/north");
      const at = {
        collection: "shifts",
        entityId: "h-1",
        baseVersion: version(await one(north, shift("h-1", "north"))),
      };
      const moved = [{ action: "update", ...at, patch: { branch: "south" } }, shift("h-2", "south")];
      expect((await sent(north, ...moved)).map(code)).toEqual(Array(2).fill(["rejected", "out_of_scope"]));
    },
  },
  {
    says: "an edit in conflict with it is `rejected` with `not_permitted`",
    async shows(bench) {
      const everyone = { create: "everyone", update: "everyone", delete: "everyone" } as const;
      bench.serve({ products: { scope: "tenant", allow: { read: "look", ...everyone } } });
      const [till, blind] = [await bench.till("a//look"), await bench.till("b")];
      const base = version(await one(till, product("p-1")));
      await one(till, edit("p-1", base, { priceCents: 300 }));
      expect(code(await one(blind, edit("p-1", base, { priceCents: 1 })))).toEqual(["rejected", "not_permitted"]);
    },
  },
  {
    says: "An epoch that the server never issued proves nothing either, and is answered as in 3.",
    async shows(bench) {
      const till = await bench.till("a");
      const { epoch } = till;
      till.epoch = "made-up";
      const answer = await till.pushRaw([operation(sale("s-1"))]);
      expect([answer.status, await answer.json()]).toMatchObject([409, { code: "resync_required", epoch }]);
    },
  },
  {
    says: "An operation is judged in this order, and the first objection decides:",
    async shows(bench) {
      bench.serve({
        products: { scope: "tenant", allow: { read: "everyone", create: "everyone", update: "edit", delete: "edit" } },
      });
      const till = await bench.till("a/north/edit");
      const at = { collection: "products", entityId: "p-9", baseVersion: 1 };
      const applied = await one(till, product("p-1"));
      /** Each has the fault of its line, and of all lines below it. */
      const faults: readonly (readonly [string, Record<string, unknown>])[] = [
        ["malformed", { strange: 1 }],
        ["unknown_collection", { collection: "strange" }],
        ["branch_mismatch", { branch: "south" }],
        ["schema_newer", { schemaVersion: 9 }],
        ["blocked", { after: [uuid(3)] }],
        ["malformed", { supersedes: [applied.id] }],
      ];
      for (const n of faults.keys()) {
        const all = Object.assign({}, ...faults.slice(n).map(([, fault]) => fault));
        const result = await one(till, { action: "update", ...at, patch: { stock: 1 }, ...all });
        const said = "error" in result ? result.error.code : result.status;
        expect([n, said]).toEqual([n, faults[n]?.[0]]);
      }
      // Without the right, that is the objection also to what would be set aside.
      const clerk = await bench.till("d/north");
      for (const more of [{}, { branch: "south" }]) {
        const refused = await one(clerk, { action: "update", ...at, patch: { stock: 1 }, ...more });
        expect(code(refused)).toEqual(["rejected", "not_permitted"]);
      }
      const editor = await bench.till("b/north/edit");
      expect(code(await one(editor, { action: "update", ...at, patch: { stock: 1 } }))).toEqual([
        "rejected",
        "malformed",
      ]);
      expect(code(await one(editor, { action: "update", ...at, patch: { priceCents: -1 } }))).toEqual([
        "rejected",
        "not_found",
      ]);
      const base = version(applied);
      await one(editor, edit("p-1", base, { priceCents: 5 }));
      // In conflict, and refused by the schema: the conflict is told.
      const third = await bench.till("c/north/edit");
      expect(code(await one(third, edit("p-1", base, { priceCents: -1 })))).toEqual(["conflict"]);
      expect(code(await one(third, product("p-1", { name: 7 })))).toEqual(["rejected", "validation_failed"]);
    },
  },
];

async function listen(bench: Bench, rights: string) {
  const sent: string[] = [];
  const closed: (number | undefined)[] = [];
  let wake = () => {};
  const request = new Request("http://shop.test/sync/live", {
    headers: { authorization: `Bearer ${bench.tenant}/${rights}` },
  });
  const socket = {
    send(text: string) {
      sent.push(text);
      wake();
    },
    close: (why?: number) => void closed.push(why),
  };
  expect(await bench.server.live.connect(request, socket)).not.toBeInstanceOf(Response);
  const poked = async (count: number) => {
    while (sent.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  return { sent, closed, poked };
}
