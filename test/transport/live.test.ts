import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { deferred } from "../../src/shared/deferred.ts";
import { type HttpOptions, http } from "../../src/transport/http/http.ts";
import { type LoopbackServer, listen } from "./server.ts";

let server: LoopbackServer;
let sockets: WebSocketServer;

beforeEach(async () => {
  vi.stubGlobal("WebSocket", WebSocket); // Node has its own only from 22 on
  server = await listen((_, response) => void response.writeHead(404).end());
  sockets = new WebSocketServer({ server: server.http, path: "/sync/live", handleProtocols: () => "tillsync.1" });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const socket of sockets.clients) socket.terminate();
  sockets.close();
  await server.close();
});

/** Opens a channel, and records what its listener receives. `until` resolves at the n-th call. */
function open(options: Partial<HttpOptions> = {}) {
  const controller = new AbortController();
  const heard: unknown[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const hear = (thing: unknown) => {
    heard.push(thing);
    for (const { count, resolve } of waiting) if (heard.length >= count) resolve();
  };
  const transport = http({ url: server.url, getToken: () => "token-1", timeoutMs: 60_000, ...options });
  transport.live?.(
    { poke: (collections) => hear(collections), closed: () => hear("closed") },
    { device: "till-3", requestId: "r-1", signal: controller.signal },
  );
  return {
    heard,
    abort: () => controller.abort(),
    until: (count: number) => {
      const { promise, resolve } = deferred<void>();
      if (heard.length >= count) resolve();
      waiting.push({ count, resolve });
      return promise;
    },
  };
}

function accepted(): Promise<{ request: IncomingMessage; socket: WebSocket }> {
  return new Promise((resolve) => sockets.once("connection", (socket, request) => resolve({ socket, request })));
}

describe("the live channel", () => {
  test("passes its token as a subprotocol, and delivers pokes", async () => {
    const connection = accepted();
    const { until, heard, abort } = open({ getToken: () => "eyJ.ä/+~.x" });
    const { socket, request } = await connection;
    const offered = String(request.headers["sec-websocket-protocol"]).split(",");
    expect(offered[0]).toBe("tillsync.1");
    const encoded = offered[1]?.replace("tillsync.bearer.", "") ?? "";
    expect(encoded).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(Buffer.from(encoded, "base64url").toString()).toBe("eyJ.ä/+~.x");
    socket.send('{"collections":["products"]}');
    socket.send('{"collections":["sales","payments"],"later":1}');
    await until(2);
    abort();
    expect(heard).toEqual([["products"], ["sales", "payments"], "closed"]);
  });

  test("ignores messages that are not pokes", async () => {
    const connection = accepted();
    const { until, heard } = open();
    const { socket } = await connection;
    for (const garbage of ["", "hello", "{}", "[]", "null", '{"collections":"products"}', '{"collections":[{}]}']) {
      socket.send(garbage);
    }
    socket.send(`{"collections":["padded"],"later":"${"x".repeat(70_000)}"}`);
    socket.send("[".repeat(60_000));
    socket.send(Buffer.from('{"collections":["products"]}')); // binary
    socket.send('{"collections":["products"]}');
    await until(1);
    expect(heard).toEqual([["products"]]);
  });

  test("reports once that it has closed, whichever side closed it", async () => {
    const connection = accepted();
    const { until, heard, abort } = open();
    (await connection).socket.terminate();
    await until(1);
    abort();
    expect(heard).toEqual(["closed"]);
  });

  test("has the till ask why, if the server lets it listen no more", async () => {
    const connection = accepted();
    const { until, heard } = open();
    (await connection).socket.close(1008, "The device was revoked");
    await until(2);
    expect(heard).toEqual([[], "closed"]);
  });

  test.each([1000, 1001, 1013])("has it ask nothing if the server closes for another reason: %d", async (code) => {
    const connection = accepted();
    const { until, heard } = open();
    (await connection).socket.close(code);
    await until(1);
    expect(heard).toEqual(["closed"]);
  });

  test("closes the socket when it is aborted, and is silent afterwards", async () => {
    const connection = accepted();
    const { heard, abort } = open();
    const { socket } = await connection;
    const gone = new Promise((resolve) => socket.once("close", resolve));
    abort();
    socket.send('{"collections":["products"]}');
    await gone;
    expect(heard).toEqual(["closed"]);
  });

  test("is closed if there is no WebSocket", async () => {
    vi.stubGlobal("WebSocket", undefined);
    const { until, heard } = open();
    await until(1);
    expect(heard).toEqual(["closed"]);
  });

  test.each([
    ["no one is signed in", () => undefined],
    ["no token can be obtained", () => Promise.reject(new Error("offline"))],
  ])("is closed where %s", async (_, getToken) => {
    const { until, heard } = open({ getToken });
    await until(1);
    expect([heard, sockets.clients.size]).toEqual([["closed"], 0]);
  });

  test("is closed if the server has no live channel", async () => {
    const { until, heard } = open({ url: server.url.replace("/sync", "/nothing") });
    await until(1);
    expect(heard).toEqual(["closed"]);
  });

  test("is closed if another program accepts the socket", async () => {
    sockets.options.handleProtocols = (offered) => [...offered][1] ?? false;
    const { until, heard } = open();
    await until(1);
    expect(heard).toEqual(["closed"]);
  });

  test("is closed if a server accepts the connection and never answers", async () => {
    server.http.removeAllListeners("upgrade");
    const taken: Duplex[] = [];
    server.http.on("upgrade", (_, socket) => taken.push(socket));
    const { until, heard } = open({ timeoutMs: 1_000 });
    await until(1);
    for (const socket of taken) socket.destroy();
    expect(heard).toEqual(["closed"]);
  });
});
