import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/protocol/constants.ts";
import { parseConflictsResponse, parseQuarantineResponse, parseRevisedResponse } from "../../../src/protocol/desks.ts";
import { parsePullResponse } from "../../../src/protocol/pull.ts";
import { parsePushResponse } from "../../../src/protocol/push.ts";
import { parseRegisterResponse } from "../../../src/protocol/register.ts";
import { parseHealthResponse, parseProblem, parseTimeResponse } from "../../../src/protocol/server-messages.ts";
import type { AppliedResult, QuarantineResponse, WireOperation } from "../../../src/protocol/types.ts";
import { revokeDevice } from "../../../src/server/index.ts";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { TillSyncError } from "../../../src/shared/errors.ts";
import { HttpTill, openTill, operation, shopServer } from "../support/http.ts";
import { count, edit, product, sale, uuid } from "../support/world.ts";

async function problem(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expectProtocolHeaders(response);
  const body: unknown = await response.json();
  const parsed = parseProblem(body);
  expect(parsed).toMatchObject({ ok: true });
  if (!parsed.ok) throw new Error("no problem");
  expect(parsed.value.status).toBe(response.status);
  return parsed.value;
}

function expectProtocolHeaders(response: Response) {
  expect(response.headers.get("tillsync-protocol")).toBe("1");
  expect(response.headers.get("tillsync-request-id")).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  expect(response.headers.get("tillsync-server-time")).toMatch(/^2026-11-20T08:00:00\.000Z$/);
  expect(response.headers.get("cache-control")).toBe("no-store");
}

describe("the endpoints speak the protocol's schemas", () => {
  test("health and time, without a token", async () => {
    const server = shopServer();
    const health = await server.handler(new Request("http://x/sync/health"));
    expect(parseHealthResponse(await health.json())).toMatchObject({
      ok: true,
      value: { protocol: [1], limits: { pushOperations: 500 } },
    });
    expectProtocolHeaders(health);
    expect(parseTimeResponse(await (await server.handler(new Request("http://x/time"))).json())).toMatchObject({
      ok: true,
    });
  });
  test("register, push, pull", async () => {
    const till = new HttpTill(shopServer());
    const registered = await till.register();
    expect(parseRegisterResponse(registered)).toMatchObject({
      ok: true,
      value: { tenant: "shop", device: { id: "till-1", number: 1 }, lastSequence: 0, unsynced: [] },
    });
    expect(registered).toEqual({ ...(await till.register()) });
    const sent = operation(product("p-1"));
    const response = await till.pushRaw([sent]);
    expectProtocolHeaders(response);
    expect(response.headers.get("tillsync-request-id")).toBe(uuid(42));
    expect(parsePushResponse(await response.json())).toMatchObject({
      ok: true,
      value: { requestId: uuid(42), epoch: till.epoch, results: [{ id: sent.id, status: "applied" }] },
    });
    const pulled = await till.pull("products", "sales");
    expect(parsePullResponse(pulled)).toMatchObject({ ok: true });
    expect(pulled.pages.products).toMatchObject({
      changes: [{ id: "p-1", data: { name: "Cola", stock: 0 } }],
      more: false,
    });
    expect((await till.register()).lastSequence).toBe(sent.sequence);
  });
  test("the desks: list, resolve, release, discard", async () => {
    const server = shopServer();
    const [a, b] = [await openTill(server, "a"), await openTill(server, "b")];
    b.incarnation = uuid(7);
    await a.push(product("p-1"), edit("p-1", 0, { priceCents: 1 }));
    const [lost, bad, worse] = await b.push(
      edit("p-1", 0, { priceCents: 2 }),
      sale("s-1", { totalCents: "x" }),
      sale("s-2", { totalCents: "x" }),
    );
    const boss = new HttpTill(server, "office", "shop/office//sync:desk");

    const conflicts: unknown = await (await boss.call("GET", "conflicts")).json();
    expect(parseConflictsResponse(conflicts)).toMatchObject({
      ok: true,
      value: { conflicts: [{ id: lost!.id, client: { priceCents: 2 } }] },
    });
    const resolved = await boss.call("POST", `conflicts/${lost!.id}/resolve`, { choice: "client", note: "ok" });
    expect(parseRevisedResponse(await resolved.json())).toMatchObject({
      ok: true,
      value: { results: [{ id: lost!.id, status: "rejected" }] },
    });
    expect(await problem(await boss.call("POST", `conflicts/${lost!.id}/resolve`, { choice: "client" }))).toMatchObject(
      { code: "conflict_settled", status: 409 },
    );
    expect(await (await boss.call("GET", "conflicts?state=settled")).json()).toMatchObject({
      conflicts: [{ settled: { choice: "client", by: "u-1", note: "ok" } }],
    });

    const first = (await (await boss.call("GET", "quarantine?limit=1")).json()) as {
      quarantined: object[];
      next: string;
    };
    expect(parseQuarantineResponse(first)).toMatchObject({
      ok: true,
      value: { quarantined: [{ operation: { id: bad!.id }, error: { code: "validation_failed" } }] },
    });
    expect(await (await boss.call("GET", `quarantine?limit=1&after=${first.next}`)).json()).toMatchObject({
      quarantined: [{ operation: { id: worse!.id } }],
    });
    expect(await problem(await boss.call("POST", `quarantine/${bad!.id}/release`))).toMatchObject({
      code: "malformed",
      detail: expect.stringContaining("totalCents"),
    });
    expect(await (await boss.call("POST", `quarantine/${bad!.id}/discard`, { reason: "a test" })).json()).toMatchObject(
      { results: [{ error: { code: "discarded", message: "a test" } }] },
    );
    expect(await problem(await boss.call("POST", `quarantine/${bad!.id}/discard`, { reason: "again" }))).toMatchObject({
      code: "not_quarantined",
    });
    expect(await problem(await boss.call("POST", `quarantine/${uuid(5)}/release`))).toMatchObject({
      code: "not_found",
    });

    // Without the scope a device sees its own, and settles nothing here.
    expect(await (await b.call("GET", "quarantine")).json()).toMatchObject({
      quarantined: [{ operation: { id: worse!.id } }],
    });
    expect(await (await a.call("GET", "quarantine")).json()).toMatchObject({ quarantined: [] });
    expect(await problem(await b.call("POST", `quarantine/${worse!.id}/release`))).toMatchObject({ code: "forbidden" });
  });
  test("a page of the desk has about as many bytes as a pull's, and the next one goes on behind it (L12)", async () => {
    const server = shopServer();
    const till = await openTill(server);
    const boss = new HttpTill(server, "office", "shop/office//sync:desk");
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      const [aside] = await till.push(sale(`s-${n}`, { totalCents: "x".repeat(250_000) }));
      ids.push(aside!.id);
    }
    const listed: string[] = [];
    for (let next: string | undefined = "0"; next !== undefined; ) {
      const text = await (await boss.call("GET", `quarantine?after=${next}`)).text();
      expect(text.length).toBeLessThan(LIMITS.pullBytes + 300_000);
      const page = JSON.parse(text) as QuarantineResponse;
      listed.push(...page.quarantined.map((entry) => entry.operation.id));
      next = page.next;
    }
    expect(listed).toEqual(ids);
  });
  test("a branch's desk lists what its people may release, and nothing of another branch (L9)", async () => {
    const server = shopServer();
    const south = await openTill(server, "till-2", "shop/till-2/south");
    const north = await openTill(server, "till-1", "shop/till-1/north/sync:desk");
    const unreadable = { ...operation(sale("s-1")), data: { card: "4711\0" } } as unknown as WireOperation;
    const claimless = operation(sale("s-2", { totalCents: "secret" }));
    const claiming = operation(sale("s-3", { totalCents: "secret" }, { branch: "south" }));
    await south.pushRaw([unreadable, claimless, claiming]);
    const boss = await openTill(server, "till-3", "shop/till-3/south/sync:desk");
    const head = await openTill(server, "till-4", "shop/till-4//sync:desk");
    const listed = async (till: HttpTill) => {
      const { quarantined } = (await (await till.call("GET", "quarantine")).json()) as QuarantineResponse;
      return quarantined.map((entry) => entry.operation.id);
    };
    expect(await listed(north)).toEqual([]);
    expect((await north.call("POST", `quarantine/${claimless.id}/release`)).status).toBe(404);
    const all = [unreadable, claimless, claiming].map(({ id }) => id);
    expect(await listed(boss)).toEqual(all);
    expect(await listed(head)).toEqual(all);
  });
});

describe("requests that are refused as a whole change nothing", () => {
  const cases: readonly [string, string, (till: HttpTill) => Promise<Response>][] = [
    ["an unknown path", "not_found", (till) => till.call("POST", "nowhere", {})],
    ["another method", "method_not_allowed", (till) => till.call("PUT", "push", {})],
    ["OPTIONS, as no CORS is offered", "method_not_allowed", (till) => till.call("OPTIONS", "push")],
    [
      "no protocol header",
      "protocol_unsupported",
      (till) => till.call("POST", "push", {}, { "tillsync-protocol": "" }),
    ],
    ["another protocol", "protocol_unsupported", (till) => till.call("POST", "push", {}, { "tillsync-protocol": "2" })],
    [
      "a request id that is none",
      "malformed",
      (till) => till.call("POST", "push", {}, { "tillsync-request-id": "a b" }),
    ],
    ["no token", "unauthenticated", (till) => till.call("POST", "push", {}, { authorization: "Bearer nobody" })],
    [
      "a token service that is down",
      "unavailable",
      (till) => till.call("POST", "push", {}, { authorization: "Bearer down" }),
    ],
    [
      "another device in the header",
      "device_mismatch",
      (till) => till.call("POST", "push", { ...till.frame, operations: [] }, { "tillsync-device": "till-9" }),
    ],
    [
      "another device in the body",
      "device_mismatch",
      (till) =>
        till.call("POST", "push", { ...till.frame, device: { ...till.frame.device, id: "till-9" }, operations: [] }),
    ],
    [
      "a desk without the right to it, also in another device's name",
      "forbidden",
      (till) => till.call("POST", "quarantine/q-1/release", {}, { "tillsync-device": "till-9" }),
    ],
    [
      "a list of a form that is none, also in another device's name",
      "malformed",
      (till) => till.call("GET", "conflicts?limit=999", undefined, { "tillsync-device": "till-9" }),
    ],
    ["no JSON", "malformed", (till) => till.call("POST", "push", "{")],
    ["an empty body", "malformed", (till) => till.call("POST", "push", "")],
    ["a frame of another form", "malformed", (till) => till.call("POST", "push", { ...till.frame, operations: {} })],
    [
      "an operation without an id",
      "malformed",
      (till) => till.pushRaw([operation(product("p-1")), { action: "create" }]),
    ],
    [
      "501 operations",
      "malformed",
      (till) => till.pushRaw(Array.from({ length: 501 }, () => operation(product("p-1")))),
    ],
    ["bytes that are not UTF-8", "malformed", (till) => till.call("POST", "push", new Uint8Array([0x7b, 0xff, 0x7d]))],
    ["a bomb of arrays", "malformed", (till) => till.call("POST", "push", "[".repeat(100_000) + "]".repeat(100_000))],
    ["a million members", "malformed", (till) => till.call("POST", "push", `{${'"a":1,'.repeat(600_000)}"b":1}`)],
    [
      "another encoding",
      "unsupported_encoding",
      (till) => till.call("POST", "push", "x", { "content-encoding": "br" }),
    ],
    ["gzip that is none", "malformed", (till) => till.call("POST", "push", "{}", { "content-encoding": "gzip" })],
    [
      "gzip that broke off",
      "malformed",
      (till) =>
        till.call(
          "POST",
          "push",
          gzipSync(JSON.stringify({ ...till.frame, operations: [operation(product("p-1"))] })).subarray(0, 60),
          { "content-encoding": "gzip" },
        ),
    ],
    [
      "more compressed bytes than allowed",
      "too_large",
      (till) => till.call("POST", "push", new Uint8Array(LIMITS.pushBytes + 1), { "content-encoding": "gzip" }),
    ],
    [
      "a gzip bomb",
      "too_large",
      (till) =>
        till.call("POST", "push", gzipSync(Buffer.alloc(LIMITS.pushInflatedBytes + 1, " ")), {
          "content-encoding": "gzip",
        }),
    ],
    [
      "a body larger than may be inflated",
      "too_large",
      (till) => till.call("POST", "push", " ".repeat(LIMITS.pushInflatedBytes + 1)),
    ],
    [
      "a limit beyond the protocol's",
      "malformed",
      (till) => till.call("POST", "pull", { ...till.frame, schemaVersion: 1, collections: {}, limit: 1e9 }),
    ],
    ["an id with an escape in a path", "not_found", (till) => till.call("POST", "quarantine/%2e%2e/release")],
    ["the live channel without a socket", "not_found", (till) => till.call("GET", "live")],
  ];
  test.each(cases)("%s → %s", async (_what, code, send) => {
    const server = shopServer();
    const till = await openTill(server);
    await till.push(product("p-0"));
    const before = JSON.stringify(server.store.snapshot());
    expect((await problem(await send(till))).code).toBe(code);
    expect(JSON.stringify(server.store.snapshot())).toBe(before);
  });
  test("503 says when to come again, 405 what is allowed, 401 how", async () => {
    const till = await openTill(shopServer());
    expect((await till.call("POST", "push", {}, { authorization: "Bearer down" })).headers.get("retry-after")).toMatch(
      /^\d+$/,
    );
    expect((await till.call("GET", "push")).headers.get("allow")).toBe("POST");
    expect(
      (await till.call("POST", "push", {}, { authorization: "Bearer nobody" })).headers.get("www-authenticate"),
    ).toBe("Bearer");
  });
});

describe("operations are judged alone [C9]", () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  test.each([
    ["an unknown member", { ...operation(product("p-1")), hidden: 1 }, "rejected"],
    ["a fraction that is no number", { ...operation(sale("s-1")), data: { totalCents: 2 ** 60 } }, "quarantined"],
    ["data nested too deep", { ...operation(sale("s-1")), data: { totalCents: 1, x: deep(33) } }, "quarantined"],
    ["U+0000", { ...operation(sale("s-1")), data: { totalCents: 1, x: "a\0b" } }, "quarantined"],
    ["a lone surrogate", { ...operation(product("p-1")), data: { name: "\ud800" } }, "rejected"],
    ["an increment without a counter", { ...operation(count("p-1", 1)), by: {} }, "quarantined"],
    ["no collection", { ...operation(sale("s-1")), collection: 5 }, "quarantined"],
    ["a collection that there is not", operation({ ...sale("s-1"), collection: "orders" }), "quarantined"],
  ])("%s: its own result, kept, and the others go on", async (_what, bad, status) => {
    const server = shopServer();
    const till = await openTill(server);
    const good = operation(product("p-2"));
    const response = await till.pushRaw([bad, good]);
    const body = await response.json();
    expect(parsePushResponse(body)).toMatchObject({ ok: true });
    expect(body.results).toMatchObject([
      { id: bad.id, status },
      { id: good.id, status: "applied" },
    ]);
    const again = await (await till.pushRaw([bad])).json();
    expect(again.results[0]).toEqual({ ...body.results[0], replayed: true });
    const boss = new HttpTill(server, "office", "shop/office//sync:desk");
    const listed: unknown = await (await boss.call("GET", "quarantine")).json();
    expect(parseQuarantineResponse(listed)).toMatchObject({ ok: true });
    expect((listed as { quarantined: unknown[] }).quarantined).toHaveLength(status === "quarantined" ? 1 : 0);
  });
  test("a body of a million values is refused, and what its till has besides goes on without it", async () => {
    const till = await openTill(shopServer());
    const numbers = Array.from({ length: 1_000_000 }, () => 0);
    const refused = await till.pushRaw([operation(sale("s-1")), { ...operation(sale("s-2")), data: { numbers } }]);
    expect(await problem(refused)).toMatchObject({ code: "malformed", detail: expect.stringContaining("values") });
    expect(await till.push(sale("s-1"))).toMatchObject([{ status: "applied" }]);
  });
  test("__proto__ poisons nothing", async () => {
    const till = await openTill(shopServer());
    const text = JSON.stringify(operation(sale("s-1"))).replace(
      '"totalCents":500',
      '"totalCents":500,"__proto__":{"polluted":true}',
    );
    const response = await till.call(
      "POST",
      "push",
      JSON.stringify({ ...till.frame, operations: [] }).replace('"operations":[]', `"operations":[${text}]`),
    );
    expect(await response.json()).toMatchObject({ results: [{ status: "quarantined", error: { code: "malformed" } }] });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
  test("one operation beyond 256 KiB: a fact is kept, an edit refused", async () => {
    const till = await openTill(shopServer());
    const note = "x".repeat(LIMITS.operationBytes);
    const results = await till.push(
      sale("s-1", { totalCents: 1, note }),
      product("p-1", { name: "a", note }),
      product("p-2"),
    );
    expect(results).toMatchObject([
      { status: "quarantined", error: { code: "too_large" } },
      { status: "rejected", error: { code: "too_large" } },
      { status: "applied" },
    ]);
  });
  test("data of a newer schema comes again, the rest is taken [H7]", async () => {
    const till = await openTill(shopServer());
    expect(await till.push({ ...sale("s-1"), schemaVersion: 2 }, sale("s-2"))).toMatchObject([
      { status: "retry", error: { code: "schema_newer" } },
      { status: "applied" },
    ]);
  });
});

describe("epochs, marks and cursors", () => {
  test("a server that was put back finds out, mints one epoch, and takes the journal", async () => {
    const server = shopServer();
    const [a, b] = [await openTill(server, "a"), await openTill(server, "b")];
    await a.push(product("p-1"));
    const backup = server.store.snapshot();
    const lost = operation(count("p-1", -2));
    const [applied] = await a.push(lost);
    await b.pull("products");
    server.store.restore(backup);
    const refused = await problem(await a.pushRaw([]));
    expect(refused).toMatchObject({ code: "resync_required", status: 409 });
    expect(refused.epoch).not.toBe(a.epoch);
    expect((await problem(await b.pushRaw([]))).epoch).toBe(refused.epoch);
    const { version, receipt } = applied as AppliedResult;
    const acknowledged = { epoch: a.epoch, version, receipt };
    a.epoch = refused.epoch!;
    a.marks = {};
    const [again] = await a.push({ ...lost, acknowledged });
    expect(again).toMatchObject({ id: lost.id, status: "applied", data: { stock: -2 } });
    expect(server.logged.filter(({ message }) => message === "A new epoch began")).toHaveLength(2);
  });
  test("acknowledgements without a valid receipt are one line in the log, which tells nothing of the shop", async () => {
    const server = shopServer();
    const till = await openTill(server);
    const [applied] = await till.push(product("p-1"));
    const { version, receipt } = applied as AppliedResult;
    const acknowledged = { epoch: till.epoch, version };
    await till.push(
      { ...sale("s-1"), acknowledged },
      { ...sale("s-2"), acknowledged: { ...acknowledged, receipt } },
      sale("s-3"),
    );
    expect(server.logged.filter(({ message }) => message.includes("receipt"))).toEqual([
      {
        level: "info",
        message: "Acknowledgements have no valid receipt; the operations are judged as new",
        fields: { tenant: "shop", device: "till-1", operations: 2 },
      },
    ]);
  });
  test("an epoch that this server never had is minted above once, however many tills are in it", async () => {
    const server = shopServer();
    const [a, b] = [await openTill(server, "a"), await openTill(server, "b")];
    const backup = server.store.snapshot();
    await a.push(product("p-1"));
    server.store.restore(backup);
    // The first restore is announced, the second takes it back.
    const second = (await problem(await a.pushRaw([]))).epoch!;
    a.epoch = b.epoch = second;
    a.marks = {};
    server.store.restore(backup);
    const third = (await problem(await a.pushRaw([]))).epoch!;
    expect(third).not.toBe(second);
    expect((await problem(await b.pushRaw([]))).epoch).toBe(third);
    a.epoch = third;
    expect(await a.push(product("p-2"))).toMatchObject([{ status: "applied" }]);
  });
  test("another shop's token with this shop's store: wrong_workspace, whatever is asked", async () => {
    const server = shopServer();
    const till = await openTill(server);
    till.token = "othershop/till-1";
    expect(await problem(await till.pushRaw([operation(sale("s-1"))]))).toMatchObject({
      code: "wrong_workspace",
      status: 403,
    });
    expect(
      await problem(await till.call("POST", "pull", { ...till.frame, schemaVersion: 1, collections: {} })),
    ).toMatchObject({ code: "wrong_workspace" });
    const register = { device: { id: "till-1", incarnation: till.incarnation }, schemaVersion: 1, epoch: till.epoch };
    expect(await problem(await till.call("POST", "register", register))).toMatchObject({ code: "wrong_workspace" });
  });
  test("an epoch of another database is over, and mints nothing", async () => {
    const till = await openTill(shopServer());
    const other = shopServer();
    const registered = await openTill(other);
    const foreign = new HttpTill(other);
    foreign.epoch = till.epoch;
    expect((await problem(await foreign.pushRaw([]))).epoch).toBe(registered.epoch);
  });
  test("a forged cursor starts that collection again; a forged mark counts as none", async () => {
    const server = shopServer();
    const till = await openTill(server);
    await till.push(product("p-1"));
    await till.pull("products", "sales");
    const { products } = till.cursors;
    till.cursors.products = `${products!.slice(0, -1)}x`;
    const response = await till.call("POST", "pull", { ...till.frame, schemaVersion: 1, collections: till.cursors });
    expect(await problem(response)).toMatchObject({ code: "resync_required", collections: ["products"] });
    till.marks = { push: "eyJ.x", pull: "nonsense" };
    expect(await till.push(product("p-2"))).toMatchObject([{ status: "applied" }, { replayed: true }]);
  });
  test("two clones: identity_fork, nothing applied", async () => {
    const till = await openTill(shopServer());
    const first = operation(product("p-1"));
    await till.push(first);
    const response = await till.pushRaw([{ ...operation(product("p-2")), sequence: first.sequence }]);
    expect(await problem(response)).toMatchObject({ code: "identity_fork", status: 409 });
    expect((await till.pull("products")).pages.products?.changes).toHaveLength(1);
  });
  test("incarnations have numbers of their own, and register tells of the others' unsent work [M11]", async () => {
    const till = await openTill(shopServer());
    const [first, , third] = [operation(sale("a")), operation(sale("b")), operation(sale("c"))];
    await till.push(first, third);
    till.incarnation = uuid(99);
    expect(await till.register()).toMatchObject({
      device: { number: 2 },
      unsynced: [{ lastSequence: third.sequence, missing: 1 }],
    });
  });
});

describe("a revoked device [H6]", () => {
  test("its pushes are taken and kept aside, everything else is refused", async () => {
    const server = shopServer();
    const till = await openTill(server);
    await revokeDevice({ store: server.store, tenant: "shop", device: "till-1" });
    expect(await till.push(sale("s-1"))).toMatchObject([{ status: "quarantined", error: { code: "device_revoked" } }]);
    for (const [method, path, body] of [
      ["POST", "pull", { ...till.frame, schemaVersion: 1, collections: {} }],
      ["POST", "register", { device: till.frame.device, schemaVersion: 1 }],
      ["GET", "conflicts", undefined],
    ] as const) {
      expect(await problem(await till.call(method, path, body))).toMatchObject({ code: "device_revoked" });
    }
    await revokeDevice({ store: server.store, tenant: "shop", device: "till-1", revoked: false });
    expect(await till.push(sale("s-2"))).toMatchObject([{ status: "applied" }, { error: { code: "device_revoked" } }]);
  });
});

describe("bodies and answers", () => {
  test("gzip both ways", async () => {
    const till = await openTill(shopServer());
    const operations = Array.from({ length: 50 }, (_, n) => operation(product(`p-${n}`)));
    const packed = gzipSync(JSON.stringify({ ...till.frame, operations }));
    const response = await till.call("POST", "push", packed, {
      "content-encoding": "gzip",
      "accept-encoding": "gzip, br",
    });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const { gunzipSync } = await import("node:zlib");
    expect(JSON.parse(gunzipSync(Buffer.from(await response.arrayBuffer())).toString()).results).toHaveLength(50);
    expect(
      (await till.call("GET", "conflicts", undefined, { "accept-encoding": "gzip" })).headers.get("content-encoding"),
    ).toBeNull();
    expect(
      (await till.pushRaw(operations, { "accept-encoding": "gzip;q=0" })).headers.get("content-encoding"),
    ).toBeNull();
  });
});

describe("a store that fails", () => {
  function failing(store = memoryStore()) {
    const state = {
      fails: (_ids: readonly string[]) => false,
      error: (): Error | undefined => undefined,
      transactions: 0,
    };
    const transact = store.transact.bind(store);
    store.transact = ((tenant, script) => {
      state.transactions += 1;
      const error = state.error();
      if (error !== undefined) return Promise.reject(error);
      return transact(tenant, function* () {
        const done = yield* script();
        if (state.fails((done.writes.operations ?? []).map(({ id }) => id))) throw new Error("disk: /secret/path");
        return done;
      });
    }) as typeof store.transact;
    return { store, state };
  }
  test("down: 503 with Retry-After, and nothing about it leaks", async () => {
    const { store, state } = failing();
    const server = shopServer({}, {}, store);
    const till = await openTill(server);
    state.fails = () => true;
    const response = await till.pushRaw([operation(sale("s-1"))]);
    expect(response.headers.get("retry-after")).toBe("5");
    const told = await problem(response);
    expect(told.code).toBe("unavailable");
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(JSON.stringify(server.logged)).toContain("secret");
  });
  test("one that says itself that it is down is asked once for all that wait, also when it goes down in between", async () => {
    const { store, state } = failing();
    const server = shopServer({}, {}, store);
    const tills = await Promise.all(Array.from({ length: 9 }, (_, n) => openTill(server, `t-${n}`)));
    for (const [n, till] of tills.entries()) till.incarnation = uuid(600 + n);
    const everybody = () => Promise.all(tills.map((till, n) => till.pushRaw([operation(sale(`s-${n}`))])));
    const down = new TillSyncError("storage_unavailable", "locked", { adapter: "test" });

    state.transactions = 0;
    state.error = () => down;
    for (const response of await everybody()) expect(response.status).toBe(503);
    // The first goes alone; the others wait, and are joined.
    expect(state.transactions).toBe(2);

    state.transactions = 0;
    state.error = () =>
      state.transactions === 2 ? new Error("constraint") : state.transactions > 3 ? down : undefined;
    const answers = await everybody();
    expect(answers.map(({ status }) => status)).toEqual([200, 200, ...Array.from({ length: 7 }, () => 503)]);
    expect(state.transactions).toBe(4);
  });
  test("one poisoned operation: it comes again, the others of its push and of other tills are stored", async () => {
    const { store, state } = failing();
    const server = shopServer({}, {}, store);
    const [a, b] = [await openTill(server, "a"), await openTill(server, "b")];
    b.incarnation = uuid(3);
    const poison = operation(sale("s-2"));
    state.fails = (ids) => ids.includes(poison.id);
    const [first, second] = await Promise.all([a.push(sale("s-1"), poison, sale("s-3")), b.push(sale("s-4"))]);
    expect(first).toMatchObject([
      { status: "applied" },
      { status: "retry", error: { code: "internal" } },
      { status: "applied" },
    ]);
    expect(second).toMatchObject([{ status: "applied" }]);
    state.fails = () => false;
    expect((await a.push(poison))[0]).toMatchObject({ status: "applied" });
    expect((await a.pull("sales")).pages.sales?.changes).toHaveLength(4);
  });
  test("waiting pushes of one shop are joined", async () => {
    const { store, state } = failing();
    const server = shopServer({}, {}, store);
    const tills = await Promise.all(Array.from({ length: 8 }, (_, n) => openTill(server, `t-${n}`)));
    for (const [n, till] of tills.entries()) till.incarnation = uuid(500 + n);
    state.transactions = 0;
    await Promise.all(tills.map((till, n) => till.push(count("p-1", 1), sale(`s-${n}`))));
    expect(state.transactions).toBeLessThan(5);
    expect((await tills[0]!.push(count("p-1", 1)))[0]).toMatchObject({ status: "applied" });
    expect((await tills[0]!.push(product("p-1")))[0]).toMatchObject({ data: { stock: 9 } });
  });
  test("one batch sent four times at once is applied once, and all hear the same (L2)", async () => {
    const till = await openTill(shopServer());
    const batch = [operation(product("p-1")), operation(count("p-1", -1))];
    const answers = await Promise.all([1, 2, 3, 4].map(async () => (await (await till.pushRaw(batch)).json()).results));
    for (const results of answers)
      expect(results).toMatchObject([{ status: "applied" }, { status: "applied", data: { stock: -1 } }]);
    expect((await till.pull("products")).pages.products?.changes).toMatchObject([{ data: { stock: -1 } }]);
  });
  test("a defect is a 500 that says nothing, logged under the request's id", async () => {
    const server = shopServer({}, { authenticate: () => ({ tenant: "no good", scopes: [] }) });
    const response = await new HttpTill(server).call("GET", "conflicts");
    expect(await problem(response)).toMatchObject({ code: "internal", requestId: uuid(42) });
    expect(server.logged[0]).toMatchObject({
      level: "error",
      fields: { requestId: uuid(42), cause: expect.stringContaining("tenant") },
    });
  });
});
