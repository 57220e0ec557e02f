import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { TransportCall } from "../../src/client/ports/transport.ts";
import type { PushRequest, PushResponse } from "../../src/protocol/types.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { isTillSyncError } from "../../src/shared/errors.ts";
import { type HttpOptions, http, type TokenRequest } from "../../src/transport/http/http.ts";
import { fixture } from "../protocol/fixtures.ts";
import {
  type Handler,
  type LoopbackServer,
  listen,
  problem,
  protocolHeaders,
  type ReceivedRequest,
  reply,
  SERVER_TIME,
} from "./server.ts";

const request = fixture("push.request") as unknown as PushRequest;
const answer = fixture("push.answer") as unknown as PushResponse;
const requestId = answer.requestId;
/** A push with two sales that differ: large enough to be compressed. */
const small: PushRequest = { ...request, operations: [] };

const servers: LoopbackServer[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(handle: Handler): Promise<LoopbackServer> {
  const server = await listen(handle);
  servers.push(server);
  return server;
}

function callOf(signal: AbortSignal = new AbortController().signal): TransportCall {
  return { device: "till-3", requestId, signal };
}

function transportTo(server: LoopbackServer, options: Partial<HttpOptions> = {}) {
  return http({ url: server.url, getToken: () => "token-1", timeoutMs: 60_000, ...options });
}

const rightly: Handler = (received, response) => reply(received, response, { body: answer });

describe("a push", () => {
  test("is sent as the protocol says, and its answer is checked", async () => {
    const server = await serve(rightly);
    const result = await transportTo(server, {
      headers: { "X-Shop": "corner", Authorization: "no", "tillsync-device": "no" },
    }).push(request, callOf());
    expect(result).toEqual({
      ok: true,
      value: answer,
      timing: { serverTime: Date.parse(SERVER_TIME), roundTripMs: expect.any(Number) },
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      path: "/sync/push",
      message: request,
      headers: {
        authorization: "Bearer token-1",
        "content-type": "application/json",
        "tillsync-protocol": "1",
        "tillsync-request-id": requestId,
        "tillsync-device": "till-3",
        "x-shop": "corner",
      },
    });
  });

  test("tells how long it took, from the request to the whole answer", async () => {
    const server = await serve(rightly);
    const before = performance.now();
    const result = await transportTo(server).push(small, callOf());
    const tookMs = performance.now() - before;
    expect(result.ok && result.timing.roundTripMs > 0 && result.timing.roundTripMs <= tookMs).toBe(true);
  });

  test("asks a function for its headers each time", async () => {
    const server = await serve(rightly);
    let count = 0;
    const transport = transportTo(server, { headers: () => ({ "x-count": String(++count) }) });
    await transport.push(small, callOf());
    await transport.push(small, callOf());
    expect(server.requests.map(({ headers }) => headers["x-count"])).toEqual(["1", "2"]);
  });

  test("does not throw what an application's own functions throw", async () => {
    const server = await serve(rightly);
    const bug = new Error("bug of the application");
    const headers = () => {
      throw bug;
    };
    expect(await transportTo(server, { headers }).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "unreachable", reason: "network", cause: bug },
    });
  });

  test("a slash at the end of the address changes nothing", async () => {
    const server = await serve(rightly);
    await transportTo(server, { url: `${server.url}//` }).push(small, callOf());
    expect(server.requests.map(({ path }) => path)).toEqual(["/sync/push"]);
  });

  test("a path is relative to the page that it runs in", async () => {
    const seen: string[] = [];
    vi.stubGlobal("location", new URL("https://shop.example/till/"));
    const fetch: typeof globalThis.fetch = async (input) => {
      seen.push(String(input instanceof Request ? input.url : input));
      throw new TypeError("Failed to fetch");
    };
    await transportTo(await serve(rightly), { url: "/sync/", fetch }).push(small, callOf());
    expect(seen).toEqual(["https://shop.example/sync/push"]);
  });
});

describe("the body", () => {
  test("above 1 KiB is gzipped", async () => {
    const server = await serve(rightly);
    await transportTo(server).push(request, callOf());
    const [received] = server.requests as [ReceivedRequest];
    expect(received.headers["content-encoding"]).toBe("gzip");
    expect([...received.body.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(received.body.length).toBeLessThan(JSON.stringify(request).length / 2);
    expect(received.message).toEqual(request);
  });

  test("below that is sent as it is", async () => {
    const server = await serve(rightly);
    await transportTo(server).push(small, callOf());
    expect(server.requests[0]?.headers["content-encoding"]).toBeUndefined();
    expect(server.requests[0]?.message).toEqual(small);
  });

  test("is sent again as it is if a server refuses gzip, and so is every later one", async () => {
    const server = await serve((received, response) =>
      received.headers["content-encoding"]
        ? problem(received, response, 415, "unsupported_encoding")
        : reply(received, response, { body: answer }),
    );
    const transport = transportTo(server);
    expect((await transport.push(request, callOf())).ok).toBe(true);
    expect((await transport.push(request, callOf())).ok).toBe(true);
    expect(server.requests.map(({ headers }) => headers["content-encoding"])).toEqual(["gzip", undefined, undefined]);
    expect(server.requests[1]?.message).toEqual(request);
  });

  test("a 415 for what was not gzipped is an answer", async () => {
    const server = await serve((received, response) => problem(received, response, 415, "unsupported_encoding"));
    expect(await transportTo(server).push(small, callOf())).toMatchObject({
      ok: false,
      failure: { kind: "refused", code: "unsupported_encoding", status: 415 },
    });
    expect(server.requests).toHaveLength(1);
  });

  test("is sent as it is if the platform can't gzip", async () => {
    vi.stubGlobal("CompressionStream", undefined);
    const server = await serve(rightly);
    expect((await transportTo(server).push(request, callOf())).ok).toBe(true);
    expect(server.requests[0]?.headers["content-encoding"]).toBeUndefined();
  });
});

describe("the token", () => {
  /** Accepts one token; the handler of every test here. */
  const knowing =
    (token: string): Handler =>
    (received, response) =>
      received.headers.authorization === `Bearer ${token}`
        ? reply(received, response, { body: answer })
        : problem(received, response, 401, "unauthenticated");

  test.each([undefined, "", null as unknown as undefined])(
    "%j: nobody is signed in, nothing is sent",
    async (token) => {
      const server = await serve(rightly);
      expect(await transportTo(server, { getToken: () => token }).push(small, callOf())).toEqual({
        ok: false,
        failure: { kind: "unauthorised", reason: "no_token" },
      });
      expect(server.requests).toHaveLength(0);
    },
  );

  test.each([
    [
      "throws",
      () => {
        throw new Error("offline");
      },
    ],
    ["rejects", () => Promise.reject(new Error("offline"))],
  ])("that %s is unreachable, and nothing is sent", async (_, getToken) => {
    const server = await serve(rightly);
    expect(await transportTo(server, { getToken }).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "unreachable", reason: "token_unavailable", cause: new Error("offline") },
    });
    expect(server.requests).toHaveLength(0);
  });

  test("that is refused is renewed once, and the same request is sent again", async () => {
    const server = await serve(knowing("token-2"));
    const asked: (string | undefined)[] = [];
    const getToken = ({ refused }: TokenRequest) => {
      asked.push(refused);
      return refused === undefined ? "token-1" : "token-2";
    };
    expect((await transportTo(server, { getToken }).push(request, callOf())).ok).toBe(true);
    expect(asked).toEqual([undefined, "token-1"]);
    expect(server.requests.map(({ message }) => message)).toEqual([request, request]);
    expect(server.requests.map(({ headers }) => headers["tillsync-request-id"])).toEqual([requestId, requestId]);
  });

  test.each([
    ["the same token", "token-1"],
    ["none", undefined],
  ])("that is refused, and %s comes back", async (_, second) => {
    const server = await serve(knowing("token-2"));
    const getToken = ({ refused }: TokenRequest) => (refused === undefined ? "token-1" : second);
    expect(await transportTo(server, { getToken }).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "unauthorised", reason: "refused" },
    });
    expect(server.requests).toHaveLength(1);
  });

  test("that is refused twice is not renewed again", async () => {
    const server = await serve(knowing("nobody's"));
    let count = 0;
    const result = await transportTo(server, { getToken: () => `token-${++count}` }).push(small, callOf());
    expect(result).toEqual({ ok: false, failure: { kind: "unauthorised", reason: "refused" } });
    expect(server.requests).toHaveLength(2);
  });

  test("is renewed once for all calls whose token was refused together", async () => {
    let waiting = 0;
    let release = () => {};
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await serve((received, response) => {
      if (received.path === "/sync/time") return reply(received, response, { body: { serverTime: SERVER_TIME } });
      if (received.headers.authorization === "Bearer token-2") return reply(received, response, { body: answer });
      if (++waiting === 2) release();
      void both.then(() => problem(received, response, 401, "unauthenticated"));
    });
    let renewals = 0;
    const renewing = deferred<void>();
    const getToken = async ({ refused }: TokenRequest) => {
      if (refused === undefined) return "token-1";
      renewals++;
      await renewing.promise;
      return "token-2";
    };
    const transport = transportTo(server, { getToken });
    const running = Promise.all([transport.push(small, callOf()), transport.push(small, callOf())]);
    await expect.poll(() => renewals).toBe(1);
    expect((await transport.time(callOf())).ok).toBe(true); // after a round trip both were refused
    renewing.resolve();
    expect((await running).map(({ ok }) => ok)).toEqual([true, true]);
    expect(renewals).toBe(1);
  });

  test("whose renewal never ends is requested again by the next call", async () => {
    const server = await serve(knowing("token-2"));
    let renewals = 0;
    const getToken = ({ refused }: TokenRequest) => {
      if (refused === undefined) return "token-1";
      return ++renewals === 1 ? new Promise<string>(() => {}) : "token-2";
    };
    const transport = transportTo(server, { getToken });
    const controller = new AbortController();
    const first = transport.push(small, callOf(controller.signal));
    await expect.poll(() => renewals).toBe(1);
    controller.abort();
    expect(await first).toEqual({ ok: false, failure: { kind: "aborted" } });
    expect((await transport.push(small, callOf())).ok).toBe(true);
    expect(renewals).toBe(2);
  });

  test("is not needed for the server's time", async () => {
    const server = await serve((received, response) =>
      reply(received, response, { body: { serverTime: SERVER_TIME } }),
    );
    const result = await transportTo(server, { getToken: () => undefined }).time(callOf());
    expect(result).toMatchObject({ ok: true, value: { serverTime: SERVER_TIME } });
    expect(server.requests[0]).toMatchObject({ method: "GET", path: "/sync/time" });
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("that never arrives does not delay the call beyond its deadline", async () => {
    const server = await serve(rightly);
    const getToken = () => new Promise<string>(() => {});
    expect(await transportTo(server, { getToken, timeoutMs: 1_000 }).push(small, callOf())).toMatchObject({
      failure: { kind: "unreachable", reason: "timeout" },
    });
  });
});

test("an answer may name its charset", async () => {
  const headers = { "content-type": "Application/JSON ; charset=utf-8" };
  const server = await serve((received, response) => reply(received, response, { headers, body: answer }));
  expect(await transportTo(server).push(small, callOf())).toMatchObject({ ok: true });
});

test("an answer is whole wherever the line has cut it: a letter may come in two pieces", async () => {
  const error = { code: "not_permitted", message: "Größe fehlt – 茶" };
  const value = { ...answer, results: [{ id: answer.results[0]?.id, status: "rejected", error, at: 1 }] };
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const headers = protocolHeaders({ headers: { "tillsync-request-id": requestId } } as never);
  const transport = transportTo(await serve(rightly), { fetch: async () => new Response(body, { headers }) });
  expect(await transport.push(small, callOf())).toMatchObject({ ok: true, value });
});

describe("the network", () => {
  const unreachable = (reason: string) => ({ ok: false, failure: { kind: "unreachable", reason } });

  test("that refuses the connection", async () => {
    const server = await listen(rightly);
    await server.close();
    expect(await transportTo(server).push(small, callOf())).toMatchObject(unreachable("network"));
  });

  test("that breaks before the server sees the request", async () => {
    const server = await serve(rightly);
    server.http.on("connection", (socket) => socket.destroy());
    expect(await transportTo(server).push(small, callOf())).toMatchObject(unreachable("network"));
    expect(server.requests).toHaveLength(0);
  });

  test("that breaks after the server has applied the request", async () => {
    const server = await serve((_, response) => response.socket?.destroy());
    expect(await transportTo(server).push(request, callOf())).toMatchObject(unreachable("network"));
    expect(server.requests.map(({ message }) => message)).toEqual([request]);
  });

  test("that truncates the answer", async () => {
    const server = await serve((received, response) => {
      const text = JSON.stringify(answer);
      response.writeHead(200, { ...protocolHeaders(received), "content-length": String(text.length) });
      response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
    });
    expect(await transportTo(server).push(small, callOf())).toMatchObject(unreachable("network"));
  });

  test("that stalls within the answer", async () => {
    const server = await serve((received, response) => {
      response.writeHead(200, protocolHeaders(received));
      response.write(JSON.stringify(answer).slice(0, 100));
    });
    expect(await transportTo(server, { timeoutMs: 1_000 }).push(small, callOf())).toMatchObject(unreachable("timeout"));
  });

  test("that stalls within the answer, and a client that does not want to wait", async () => {
    const controller = new AbortController();
    const server = await serve((received, response) => {
      response.writeHead(200, protocolHeaders(received));
      response.write("{", () => controller.abort());
    });
    expect(await transportTo(server).push(small, callOf(controller.signal))).toEqual({
      ok: false,
      failure: { kind: "aborted" },
    });
  });

  test("with a fetch that ignores its signal", async () => {
    const server = await serve(rightly);
    const fetch: typeof globalThis.fetch = () => new Promise(() => {});
    expect(await transportTo(server, { fetch, timeoutMs: 1_000 }).push(small, callOf())).toMatchObject(
      unreachable("timeout"),
    );
  });

  test("leaves no listener on the client's signal, which lives as long as the shop is open", async () => {
    const server = await serve(rightly);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await transportTo(server).push(small, callOf(signal));
    expect(added.mock.calls.length).toBe(1);
    expect(removed.mock.calls.map(([type, listener]) => [type, listener])).toEqual(
      added.mock.calls.map(([type, listener]) => [type, listener]),
    );
  });
});

describe("a foreign answer", () => {
  const cases: readonly [
    title: string,
    check: string,
    answers: (received: ReceivedRequest, response: ServerResponse) => void,
  ][] = [
    [
      "200 with HTML, a captive portal",
      "protocol",
      (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<h1>WiFi</h1>"),
    ],
    [
      "200 with JSON, another API",
      "protocol",
      (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end("{}"),
    ],
    [
      "HTML under our headers, a proxy that rewrites",
      "content_type",
      (received, response) => reply(received, response, { headers: { "content-type": "text/html" }, body: "<p>" }),
    ],
    ["an empty body", "json", (received, response) => reply(received, response, { body: "" })],
    ["204", "status", (received, response) => void response.writeHead(204, protocolHeaders(received)).end()],
    [
      "an answer to another request",
      "request_id",
      (received, response) =>
        reply(received, response, { headers: { "tillsync-request-id": "another" }, body: answer }),
    ],
    [
      "another request's body under this one's header",
      "request_id",
      (received, response) => reply(received, response, { body: { ...answer, requestId: "another" } }),
    ],
    [
      "a protocol that this client does not speak",
      "protocol",
      (received, response) => reply(received, response, { headers: { "tillsync-protocol": "2" }, body: answer }),
    ],
    [
      "no time of the server",
      "server_time",
      (received, response) => reply(received, response, { headers: { "tillsync-server-time": "" }, body: answer }),
    ],
    [
      "half of the JSON",
      "json",
      (received, response) => reply(received, response, { body: JSON.stringify(answer).slice(0, -1) }),
    ],
    [
      "a result without a status",
      "schema",
      (received, response) =>
        reply(received, response, { body: { ...answer, results: [{ id: request.operations[0]?.id }] } }),
    ],
    [
      "JSON nested 100,000 deep",
      "json",
      (received, response) => reply(received, response, { body: `{"a":${"[".repeat(100_000)}` }),
    ],
    [
      "a whole answer with something nested 100,000 deep",
      "json",
      (received, response) => {
        const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
        reply(received, response, { body: `${JSON.stringify(answer).slice(0, -1)},"more":${deep}}` });
      },
    ],
    ["33 MiB", "size", (received, response) => reply(received, response, { body: " ".repeat(33 * 1_024 * 1_024) })],
    ["401 of a portal", "protocol", (_, response) => void response.writeHead(401).end("sign in")],
    ["403 of a portal", "protocol", (_, response) => void response.writeHead(403).end("no")],
    ["404 of another server", "protocol", (_, response) => void response.writeHead(404).end("<html>")],
    [
      "a refusal of another request",
      "request_id",
      (received, response) =>
        problem(received, response, 403, "device_revoked", { headers: { "tillsync-request-id": "another" } }),
    ],
    [
      "a status that the protocol does not have",
      "status",
      (received, response) => reply(received, response, { status: 418, body: "teapot" }),
    ],
  ];
  test.each(cases)("%s is not an answer (%s)", async (_, check, answers) => {
    const server = await serve(answers);
    expect(await transportTo(server).push(small, callOf())).toMatchObject({
      ok: false,
      failure: { kind: "unreachable", reason: "foreign_answer", cause: { check } },
    });
  });

  test("that is not UTF-8 acknowledges nothing: it could name another id", async () => {
    const [before, after] = JSON.stringify({ ...answer, later: "?" }).split("?");
    const bytes = Buffer.concat([Buffer.from(before ?? ""), Buffer.from([0xff]), Buffer.from(after ?? "")]);
    const server = await serve((received, response) => {
      response.writeHead(200, protocolHeaders(received));
      response.end(bytes);
    });
    expect(await transportTo(server).push(small, callOf())).toMatchObject({
      ok: false,
      failure: { kind: "unreachable", reason: "network" },
    });
  });

  test("is not repeated in the failure that is reported", async () => {
    const server = await serve((received, response) => reply(received, response, { body: '{"customer":"A. Weber"' }));
    expect(JSON.stringify(await transportTo(server).push(small, callOf()))).not.toContain("Weber");
  });
});

describe("a refusal", () => {
  const cases: readonly [status: number, code: string][] = [
    [400, "malformed"],
    [403, "forbidden"],
    [403, "device_revoked"],
    [403, "wrong_workspace"],
    [404, "not_found"],
    [409, "identity_fork"],
    [413, "too_large"],
    [426, "protocol_unsupported"],
  ];
  test.each(cases)("%d %s has its code", async (status, code) => {
    const server = await serve((received, response) => problem(received, response, status, code));
    expect(await transportTo(server).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "refused", code, status, detail: `It is ${code}`, epoch: undefined, collections: undefined },
    });
  });

  test("of a server that speaks another version counts too", async () => {
    const server = await serve((received, response) =>
      problem(received, response, 426, "protocol_unsupported", { headers: { "tillsync-protocol": "2" } }),
    );
    expect(await transportTo(server).push(small, callOf())).toMatchObject({
      failure: { kind: "refused", code: "protocol_unsupported" },
    });
  });

  test.each([
    [413, "too_large"],
    [404, "not_found"],
  ])("%d without a document is read by its status", async (status, code) => {
    const server = await serve((received, response) => reply(received, response, { status, body: "no document" }));
    expect(await transportTo(server).push(small, callOf())).toMatchObject({
      failure: { kind: "refused", code, status },
    });
  });
});

describe("a server that is not available now", () => {
  test.each([
    ["seconds", "120", 120_000],
    ["a date", new Date(Date.parse(SERVER_TIME) + 90_000).toUTCString(), 89_750],
    ["a date that has passed", "Wed, 21 Oct 2015 07:28:00 GMT", 0],
    ["a day", "86400", 3_600_000],
    ["a date in ten years", "Wed, 21 Oct 2037 07:28:00 GMT", 3_600_000],
    ["a number without end", "9".repeat(400), 3_600_000],
    ["nonsense", "soon", undefined],
    ["a negative number", "-5", undefined],
    ["a fraction", "1.5", undefined],
    ["nothing", "", undefined],
  ])("says when: %s", async (_, retryAfter, retryAfterMs) => {
    const server = await serve((received, response) =>
      problem(received, response, 429, "throttled", { headers: { "retry-after": retryAfter } }),
    );
    expect(await transportTo(server).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "throttled", retryAfterMs },
    });
  });

  test("503 with Retry-After", async () => {
    const server = await serve((received, response) =>
      problem(received, response, 503, "unavailable", { headers: { "retry-after": "7" } }),
    );
    expect(await transportTo(server).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "server_error", status: 503, retryAfterMs: 7_000 },
    });
  });

  test.each([500, 502, 503, 504, 511])("%d of a proxy", async (status) => {
    const server = await serve((_, response) => void response.writeHead(status).end("<h1>Bad gateway</h1>"));
    expect(await transportTo(server).push(small, callOf())).toEqual({
      ok: false,
      failure: { kind: "server_error", status, retryAfterMs: undefined },
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("options", () => {
  const right: HttpOptions = { url: "https://shop.example/sync", getToken: () => "t" };
  const wrong: readonly [option: string, value: unknown][] = [
    ["url", undefined],
    ["url", ""],
    ["url", "sync"],
    ["url", "//shop.example/sync"],
    ["url", "ftp://shop.example/sync"],
    ["url", "https://"],
    ["url", "https://user:secret@shop.example/sync"],
    ["url", "https://user@shop.example/sync"],
    ["url", "https://:secret@shop.example/sync"],
    ["url", "shttp://shop.example/sync"],
    ["url", "https://shop.example/sync?tenant=1"],
    ["url", "https://shop.example/sync#a"],
    ["url", new URL("https://shop.example")],
    ["getToken", undefined],
    ["getToken", "token"],
    ["headers", "x: y"],
    ["headers", null],
    ["timeoutMs", 999],
    ["timeoutMs", Number.NaN],
    ["timeoutMs", Number.POSITIVE_INFINITY],
    ["timeoutMs", "30000"],
    ["live", true],
    ["fetch", {}],
  ];
  test.each(wrong)("%s: %j is refused when the transport is made", (option, value) => {
    const error = caught(() => http({ ...right, [option]: value }));
    expect(isTillSyncError(error, "invalid_option") && error.details.option).toBe(option);
  });

  test("a secret in an address is not repeated in the message", () => {
    const error = caught(() => http({ ...right, url: "https://user:secret@shop.example/sync" }));
    expect(String(error)).not.toContain("secret");
  });

  test.each(["https://shop.example", "http://10.0.0.2:8787/sync/", "/sync", "/"])("%s is an address", (url) => {
    expect(http({ ...right, url })).toMatchObject({ kind: "http", "~port": "transport" });
  });

  test("live: off leaves the channel out", () => {
    expect([http(right).live, http({ ...right, live: "off" }).live]).toEqual([expect.any(Function), undefined]);
  });
});

function caught(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
