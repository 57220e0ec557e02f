/** What asks a Node server for an upgrade, and what becomes of the process if its connection breaks. */
import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createAdaptorServer, upgradeWebSocket, type WebSocketServerLike } from "@hono/node-server";
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { guardUpgrades } from "../../../src/server/hono/index.ts";

async function listening(server: Server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    /** How many connections the process holds. */
    count: () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function guarded() {
  const app = new Hono();
  app.get(
    "/live",
    async (context, next) => (context.req.query("refused") === undefined ? next() : context.text("no", 401)),
    upgradeWebSocket(() => ({ onOpen: (_event, socket) => socket.send("hello") })),
  );
  app.get("*", (context) => context.text("plain"));
  const sockets = new WebSocketServer({ noServer: true }) as unknown as WebSocketServerLike;
  return listening(guardUpgrades(createAdaptorServer({ fetch: app.fetch, websocket: { server: sockets } }) as Server));
}

function asking(port: number, protocol: string, path = "/", allowHalfOpen = false): Socket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
  socket.on("error", () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`);
  return socket;
}

async function answerOn(socket: Socket): Promise<string> {
  let said = "";
  socket.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  await once(socket, "close");
  return said;
}

describe("a server that is guarded", () => {
  test.each(["h2c", "H2C", "TLS/1.0", "websocket, h2c", "x"])(
    "answers a request for %s with 426, and closes the connection",
    async (protocol) => {
      await using server = await guarded();
      expect(await answerOn(asking(server.port, protocol))).toMatch(/^HTTP\/1\.1 426 .*upgrade: websocket/is);
    },
  );

  test("goes on when a client that asked for another protocol resets its connection", async () => {
    await using server = await guarded();
    for (let n = 0; n < 5; n += 1) {
      const socket = asking(server.port, "h2c");
      await once(socket, "connect");
      socket.resetAndDestroy();
      await once(socket, "close");
    }
    expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe("plain");
  });

  test("goes on when a client resets its connection while its WebSocket is being opened", async () => {
    await using server = await guarded();
    const socket = asking(server.port, "websocket", "/live");
    await once(socket, "connect");
    socket.resetAndDestroy();
    await once(socket, "close");
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(200);
  });

  test("lets go of a connection that it has refused, though the client never closes it", async () => {
    await using server = await guarded();
    const socket = asking(server.port, "websocket", "/live?refused", true);
    await once(socket.resume(), "end");
    await expect.poll(() => server.count()).toBe(0);
    socket.destroy();
  });

  test("opens WebSockets, and refuses them with the app's own answer", async () => {
    await using server = await guarded();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/live`);
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("hello");
    socket.terminate();
    const refused = new WebSocket(`ws://127.0.0.1:${server.port}/live?refused`);
    refused.on("error", () => {});
    const [, response] = await once(refused, "unexpected-response");
    expect(response.statusCode).toBe(401);
    refused.terminate();
  });
});

test("a server without WebSockets answers as if no upgrade had been asked for", async () => {
  const app = new Hono();
  app.get("*", (context) => context.text("plain"));
  await using server = await listening(guardUpgrades(createAdaptorServer({ fetch: app.fetch }) as Server));
  const socket = asking(server.port, "h2c");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200/);
  socket.destroy();
});
