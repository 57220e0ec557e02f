import type { AddressInfo } from "node:net";
import { serve, upgradeWebSocket } from "@hono/node-server";
import { Hono } from "hono";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { syncRoutes } from "../../../src/server/hono/index.ts";
import { requestWithLiveToken, revokeDevice } from "../../../src/server/index.ts";
import { memoryStore } from "../../../src/server/memory/index.ts";
import { fakeClock } from "../../../src/testing/fake-clock.ts";
import { authenticate, HttpTill, openTill, shopServer } from "../support/http.ts";
import { collections, policies } from "../support/shop.ts";
import { count, product, sale, uuid } from "../support/world.ts";

const token = (text: string) => `tillsync.bearer.${Buffer.from(text).toString("base64url")}`;
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

function liveRequest(protocols: string, headers: Record<string, string> = {}) {
  return new Request("http://shop.test/sync/live", { headers: { "sec-websocket-protocol": protocols, ...headers } });
}

describe("pokes [M7]", () => {
  test("every other device of the shop is poked after a commit, once for all that went together", async () => {
    const server = shopServer();
    const till = await openTill(server, "a");
    const sent: Record<string, string[]> = { a: [], b: [], other: [] };
    const socket = (name: string) => ({ send: (text: string) => void sent[name]?.push(text), close() {} });
    for (const [name, who] of [
      ["a", "shop/a"],
      ["b", "shop/b"],
      ["other", "othershop/b"],
    ] as const) {
      const connection = await server.live.connect(liveRequest(`tillsync.1, ${token(who)}`), socket(name));
      expect(connection).not.toBeInstanceOf(Response);
    }
    await till.push(product("p-1"), sale("s-1"));
    await turn();
    expect(sent).toEqual({ a: [], b: ['{"collections":["products","sales"]}'], other: [] });
    await till.push(sale("s-1", { totalCents: 1 }));
    await turn();
    expect(sent.b).toHaveLength(1); // it was quarantined: there is nothing to pull
  });
  test("a socket that has gone, or that throws, is poked no more", async () => {
    const server = shopServer();
    const till = await openTill(server, "a");
    let sends = 0;
    const broken = {
      send: () => {
        sends++;
        throw new Error("gone");
      },
      close() {},
    };
    await server.live.connect(liveRequest(token("shop/b")), broken);
    const closed = await server.live.connect(liveRequest(token("shop/c")), {
      send: () => {
        sends += 100;
      },
      close() {},
    });
    if (!(closed instanceof Response)) closed.close();
    await till.push(product("p-1"));
    await turn();
    await till.push(count("p-1", 1));
    await turn();
    expect(sends).toBe(1);
  });
  describe("of one caller", () => {
    /** Opens so many, one after another. `closed`: the numbers of those that the server has closed, and with which code. */
    async function openMany(count: number, who: (n: number) => string, server = shopServer()) {
      const closed: (readonly [number, number | undefined])[] = [];
      const connections: { close(): void }[] = [];
      for (let n = 0; n < count; n++) {
        const socket = { send() {}, close: (code?: number) => void closed.push([n, code]) };
        connections.push((await server.live.connect(liveRequest(token(who(n))), socket)) as { close(): void });
      }
      return { closed, connections, server };
    }

    test("four stay open, the newest", async () => {
      expect((await openMany(6, () => "shop/b")).closed).toEqual([
        [0, 1013],
        [1, 1013],
      ]);
    });

    test("it is the device that is counted, whichever token it has; without a device, the token", async () => {
      expect((await openMany(5, (n) => `shop/b/north/scope-${n}`)).closed).toEqual([[0, 1013]]);
      expect((await openMany(5, () => "shop//north")).closed).toEqual([[0, 1013]]);
      expect((await openMany(9, (n) => `shop//branch-${n}`)).closed).toEqual([]);
      expect((await openMany(9, (n) => `shop/till-${n}`)).closed).toEqual([]);
      expect((await openMany(9, (n) => `shop-${n}/b`)).closed).toEqual([]);
    });

    test("a token without a device closes no other caller's, whichever device its header claims", async () => {
      const { closed, server } = await openMany(4, () => "shop/b");
      const own: unknown[] = [];
      const socket = { send() {}, close: (code?: number) => void own.push(code) };
      for (let n = 0; n < 5; n++)
        await server.live.connect(liveRequest(token("shop//north"), { "tillsync-device": "b" }), socket);
      expect([closed, own]).toEqual([[], [1013]]);
    });

    test("those that have gone are not counted", async () => {
      const { connections, closed, server } = await openMany(4, () => "shop/b");
      for (const connection of connections) connection.close();
      const later = await openMany(4, () => "shop/b", server);
      expect([...closed, ...later.closed]).toEqual([]);
    });
  });
  describe("when its token ends", () => {
    const lifetimeMs = 40 * 24 * 60 * 60 * 1_000; // longer than a timer of the platform can be

    async function openUntil(expiresAt: number | undefined) {
      const clock = fakeClock("2026-11-20T08:00:00Z");
      const closed: (readonly [number | undefined, string | undefined])[] = [];
      const sent: string[] = [];
      const server = shopServer({}, { clock, authenticate: (request) => ({ ...authenticate(request)!, expiresAt }) });
      const connection = await server.live.connect(liveRequest(token("shop/b")), {
        send: (text) => void sent.push(text),
        close: (code, reason) => void closed.push([code, reason]),
      });
      return { clock, closed, sent, server, connection: connection as { close(): void } };
    }

    test("the socket is closed, and poked no more", async () => {
      const { clock, closed, sent, server } = await openUntil(Date.parse("2026-11-20T08:00:00Z") + lifetimeMs);
      await clock.advance(lifetimeMs - 1);
      expect(closed).toEqual([]);
      await clock.advance(1);
      expect(closed).toEqual([[1008, "The token has ended"]]);
      const till = await openTill(server, "a");
      await till.push(product("p-1"));
      await turn();
      expect(sent).toEqual([]);
    });

    test("a socket that has gone is left alone", async () => {
      const { clock, closed, connection } = await openUntil(Date.parse("2026-11-20T08:15:00Z"));
      connection.close();
      await clock.advance(60 * 60_000);
      expect(closed).toEqual([]);
    });

    test("a token that says no end keeps its socket", async () => {
      const { clock, closed } = await openUntil(undefined);
      await clock.advance(lifetimeMs);
      expect(closed).toEqual([]);
    });

    test("an end that is no moment is the application's mistake", async () => {
      const server = shopServer({}, { authenticate: () => ({ tenant: "shop", scopes: [], expiresAt: Number.NaN }) });
      const refused = await server.live.connect(liveRequest(token("shop/b")), { send() {}, close() {} });
      expect((refused as Response).status).toBe(500);
      expect(server.logged.map(({ level }) => level)).toContain("error");
    });
  });

  describe("name only what the socket's token may read", () => {
    const private_ = { sales: { scope: "tenant", allow: { read: "office", create: "everyone" } } } as const;
    async function listening(server: ReturnType<typeof shopServer>, who: string) {
      const sent: string[] = [];
      const closed: unknown[] = [];
      await server.live.connect(liveRequest(`tillsync.1, ${token(who)}`), {
        send: (text) => void sent.push(text),
        close: (...reason) => void closed.push(reason),
      });
      return { sent, closed };
    }

    test("a collection that it may not read is not named, and alone it is no reason for a poke", async () => {
      const server = shopServer(private_);
      const till = await openTill(server, "a");
      const [cashier, office] = [await listening(server, "shop/b"), await listening(server, "shop/c//office")];
      await till.push(sale("s-1"));
      await turn();
      await till.push(sale("s-2"), product("p-1"));
      await turn();
      expect(cashier.sent).toEqual(['{"collections":["products"]}']);
      expect(office.sent).toEqual(['{"collections":["sales"]}', '{"collections":["sales","products"]}']);
    });

    test("nor is a change in another branch, until a row comes from there or goes there", async () => {
      const server = shopServer();
      const head = await openTill(server, "a");
      const [north, south] = [await listening(server, "shop/b/north"), await listening(server, "shop/c/south")];
      const create = { action: "create", collection: "shifts", entityId: "h-1" };
      const [made] = await head.push({ ...create, data: { branch: "north", cashier: "Ann" } });
      await turn();
      expect([north.sent.length, south.sent.length]).toEqual([1, 0]);
      const baseVersion = (made as { version: number }).version;
      await head.push({ ...create, action: "update", data: undefined, baseVersion, patch: { branch: "south" } });
      await turn();
      expect([north.sent.length, south.sent.length]).toEqual([2, 1]);
    });

    test("the office's release of a branch's sale is no poke for another branch", async () => {
      const strict = { decide: () => ({ outcome: "quarantined", code: "arithmetic", message: "no" }) as const };
      const scope = { branch: () => "north" };
      const server = shopServer({
        sales: { scope, allow: { read: "everyone", create: "everyone" } as const, ...strict },
      });
      const till = await openTill(server, "a", "shop/a/north");
      const [kept] = await till.push(sale("s-1"));
      const [north, south] = [await listening(server, "shop/b/north"), await listening(server, "shop/c/south")];
      const office = new HttpTill(server, "", "shop///sync:desk");
      const released = await office.call("POST", `quarantine/${kept?.id}/release`, undefined, {
        "tillsync-device": "office",
      });
      expect(released.status).toBe(200);
      await turn();
      expect([north.sent, south.sent]).toEqual([['{"collections":["sales"]}'], []]);
    });

    test("the socket of a device that was revoked is closed instead of poked", async () => {
      const server = shopServer();
      const till = await openTill(server, "a");
      await openTill(server, "b");
      const socket = await listening(server, "shop/b");
      await revokeDevice({ store: server.store, tenant: "shop", device: "b" });
      await till.push(product("p-1"));
      await turn();
      expect(socket).toEqual({ sent: [], closed: [[1008, "The device was revoked"]] });
    });

    test("the socket of a device that was revoked is closed when the device is refused, though nothing happens", async () => {
      const server = shopServer();
      const [till, other] = [await openTill(server, "b"), await listening(server, "shop/c")];
      const socket = await listening(server, "shop/b");
      await revokeDevice({ store: server.store, tenant: "shop", device: "b" });
      await expect(till.pull("products")).rejects.toThrow("device_revoked");
      expect(socket).toEqual({ sent: [], closed: [[1008, "The device was revoked"]] });
      expect(other.closed).toEqual([]);
    });

    test.each([
      ["stands for nobody any more", "nobody"],
      ["stands for another device", "shop/x"],
      ["stands for another tenant", "other/b"],
    ])("the socket of a token that %s is closed", async (_, now) => {
      let isLater = false;
      const renamed = (request: Request) =>
        authenticate(
          isLater && request.url.endsWith("/live")
            ? new Request(request.url, { headers: { authorization: now } })
            : request,
        );
      const server = shopServer({}, { authenticate: renamed });
      const till = await openTill(server, "a");
      const socket = await listening(server, "shop/b");
      isLater = true;
      await till.push(product("p-1"));
      await turn();
      expect(socket).toEqual({ sent: [], closed: [[1008, "The token has ended"]] });
    });

    test("while the token can't be checked, the hint is lost and the socket stays", async () => {
      let isDown = false;
      const failing = (request: Request) => {
        if (isDown && request.url.endsWith("/live")) throw new Error("down");
        return authenticate(request);
      };
      const server = shopServer({}, { authenticate: failing });
      const till = await openTill(server, "a");
      const socket = await listening(server, "shop/b");
      isDown = true;
      await till.push(product("p-1"));
      await turn();
      expect(socket).toEqual({ sent: [], closed: [] });
      isDown = false;
      await till.push(product("p-2"));
      await turn();
      expect(socket).toEqual({ sent: ['{"collections":["products"]}'], closed: [] });
    });

    test("a hundred sockets cost one read of devices", async () => {
      const server = shopServer();
      const till = await openTill(server, "a");
      for (let n = 0; n < 100; n += 1) await listening(server, `shop/t-${n}`);
      const reads = vi.spyOn(server.store, "read");
      await till.push(product("p-1"));
      await turn();
      expect(reads).toHaveBeenCalledTimes(1);
    });
  });

  test("who is not let in gets the problem, before any upgrade", async () => {
    const { live } = shopServer();
    const socket = { send() {}, close() {} };
    const refused = await live.connect(liveRequest("tillsync.1"), socket);
    expect(refused).toBeInstanceOf(Response);
    expect((refused as Response).status).toBe(401);
    expect(((await live.connect(liveRequest(`tillsync.1, ${token("down")}`), socket)) as Response).status).toBe(503);
  });
  test("a browser's token comes as a subprotocol; a header of its own goes first", () => {
    expect(requestWithLiveToken(liveRequest(`tillsync.1, ${token("shop/a")}`)).headers.get("authorization")).toBe(
      "Bearer shop/a",
    );
    expect(
      requestWithLiveToken(liveRequest(token("x"), { authorization: "Bearer y" })).headers.get("authorization"),
    ).toBe("Bearer y");
    expect(
      requestWithLiveToken(liveRequest("tillsync.1, tillsync.bearer.%%%")).headers.get("authorization"),
    ).toBeNull();
  });
});

describe("mounted in Hono", () => {
  const opened: { close(): unknown }[] = [];
  afterEach(() => {
    for (const one of opened.splice(0).reverse()) one.close();
  });

  function app(options = {}) {
    const hono = new Hono();
    hono.get("/", (context) => context.text("home"));
    hono.route(
      "/sync",
      syncRoutes({ store: memoryStore(), authenticate, collections, policies: policies(), ...options }),
    );
    return hono;
  }

  test("all endpoints are there, under its path, and their errors too", async () => {
    const hono = app();
    expect(await (await hono.request("/")).text()).toBe("home");
    expect(await (await hono.request("/sync/health")).json()).toMatchObject({ status: "ok" });
    expect((await hono.request("/sync/nowhere")).headers.get("tillsync-protocol")).toBe("1");
    expect((await hono.request("/sync/live")).status).toBe(426);
    const till = await openTill({
      handler: async (request) => hono.fetch(new Request(request.url.replace("/api", ""), request)),
    });
    expect(await till.push(product("p-1"))).toMatchObject([{ status: "applied" }]);
  });

  test("over a socket of `ws`: a till's push pokes another's connection", async () => {
    const hono = app({ upgradeWebSocket });
    const sockets = new WebSocketServer({ noServer: true });
    const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const listening = serve({ fetch: hono.fetch, port: 0, websocket: { server: sockets as never } }, () =>
        resolve(listening),
      );
    });
    opened.push(server);
    const { port } = server.address() as AddressInfo;
    const url = `ws://127.0.0.1:${port}/sync/live`;
    const socket = new WebSocket(url, ["tillsync.1", token("shop/b")]);
    opened.push(socket);
    const poke = new Promise<string>((resolve) => socket.once("message", (data) => resolve(String(data))));
    await new Promise((resolve) => socket.once("open", resolve));
    expect(socket.protocol).toBe("tillsync.1");
    const till = new HttpTill(
      { handler: (request) => fetch(request.url.replace("http://shop.test/api", `http://127.0.0.1:${port}`), request) },
      "a",
    );
    till.incarnation = uuid(31);
    await till.register();
    await till.push(product("p-1"));
    expect(JSON.parse(await poke)).toEqual({ collections: ["products"] });

    const refused = new WebSocket(url, ["tillsync.1", token("nobody")]);
    const status = await new Promise<number>((resolve, reject) => {
      refused.once("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
      refused.once("open", () => reject(new Error("let in")));
      refused.once("error", () => {});
    });
    expect(status).toBe(401);
  });
});
