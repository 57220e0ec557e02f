/** What the server says to browsers, and whom it lets register. */
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { parseCommandLine } from "../../../examples/reference-server/options.ts";
import { readPage } from "../../../examples/reference-server/page.ts";
import { call, json, loginTill, type Owner, PASSWORD, register, start } from "./support.ts";

type Server = Awaited<ReturnType<typeof start>>;

/** The status of the answer to an upgrade; 101 where there was one. */
async function upgrade({ url }: Server, { accessToken }: Owner, headers: Record<string, string>): Promise<number> {
  const options: ClientOptions = { headers: { authorization: `Bearer ${accessToken}`, ...headers } };
  const socket = new WebSocket(`${url.replace("http", "ws")}/sync/live`, ["tillsync.1"], options);
  socket.on("error", () => {});
  const opened = once(socket, "open").then(() => 101);
  const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => Number(statusCode));
  const status = await Promise.race([opened, refused]);
  socket.terminate();
  return status;
}

test("a socket is opened by the server's own page, by an allowed one, and by what is no browser", async () => {
  const server = await start({ origins: ["https://till.example"] });
  const owner = await register(server);
  const statusOf = (headers: Record<string, string>) => upgrade(server, owner, headers);
  expect(await statusOf({})).toBe(101);
  expect(await statusOf({ origin: server.url })).toBe(101);
  expect(await statusOf({ origin: "https://till.example" })).toBe(101);
  // Behind a proxy with TLS, which passes the host on.
  expect(await statusOf({ origin: "https://shop.example", host: "shop.example" })).toBe(101);
});

test.each(["https://evil.example", "https://till.example.evil.example", "http://till.example", "null", "till.example"])(
  "a page of %j opens no socket, though it has a good token",
  async (origin) => {
    const server = await start({ origins: ["https://till.example"] });
    expect(await upgrade(server, await register(server), { origin })).toBe(403);
  },
);

test("a message on a socket that is longer than any till sends closes it", async () => {
  const server = await start();
  const { accessToken } = await register(server);
  const open = async () => {
    const headers = { authorization: `Bearer ${accessToken}` };
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/sync/live`, ["tillsync.1"], { headers });
    await once(socket, "open");
    return socket;
  };
  const [short, long] = [await open(), await open()];
  const closed = once(long, "close");
  long.send("x".repeat(1_025));
  short.send("x".repeat(1_024));
  expect((await closed)[0]).toBe(1009);
  short.ping();
  await once(short, "pong");
  expect(short.readyState).toBe(WebSocket.OPEN);
});

test("each answer keeps browsers from guessing its type, and only by option keeps them to TLS", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tillsync-page-"));
  writeFileSync(join(folder, "index.html"), "<title>till</title>");
  for (const hsts of [false, true]) {
    const server = await start({ hsts, page: readPage(folder) });
    const { email } = await register(server);
    const answers = {
      login: await call(server, "/auth/login", { body: { email, password: PASSWORD } }),
      refused: await call(server, "/auth/login", { body: { email, password: "a guess" } }),
      nowhere: await call(server, "/auth/nowhere"),
      sync: await call(server, "/sync/conflicts"),
      health: await call(server, "/health"),
      page: await fetch(server.url, { headers: { accept: "text/html" } }),
    };
    for (const [name, { headers }] of Object.entries(answers)) {
      const strict = headers.get("strict-transport-security");
      expect([name, headers.get("x-content-type-options"), strict]).toEqual([
        name,
        "nosniff",
        hsts ? "max-age=31536000; includeSubDomains" : null,
      ]);
    }
  }
});

test.each([undefined, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"])(
  "/auth takes JSON alone, which no page of another origin may send unasked: not %s",
  async (type) => {
    const server = await start();
    const { email } = await register(server);
    const answer = await fetch(`${server.url}/auth/login`, {
      method: "POST",
      body: new TextEncoder().encode(JSON.stringify({ email, password: PASSWORD })),
      ...(type !== undefined && { headers: { "content-type": type } }),
    });
    expect([answer.status, (await answer.json()).code]).toEqual([415, "unsupported_media_type"]);
  },
);

test("JSON is JSON with a charset too, and in capitals", async () => {
  const server = await start();
  const { email } = await register(server);
  const headers = { "content-type": "Application/JSON; charset=utf-8" };
  expect((await call(server, "/auth/login", { body: { email, password: PASSWORD }, headers })).status).toBe(200);
});

const registering = (server: Server, n = 1) =>
  call(server, "/auth/register", {
    body: { tenant: { name: "Shop" }, email: `olga-${n}@shop.example`, password: PASSWORD },
  });

test("whoever is first in an empty database registers, and nobody after that; not even at the same time", async () => {
  const server = await start({ registration: "first" });
  const answers = await Promise.all([1, 2, 3].map((n) => registering(server, n)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403]);
  const late = await registering(server, 4);
  expect([late.status, (await late.json()).code]).toEqual([403, "registration_closed"]);
});

test("the demo shop is the first, and a closed server registers nobody, not in an empty database either", async () => {
  const demo = await start({ registration: "first", seed: "demo" });
  const closed = await start({ registration: "closed" });
  for (const server of [demo, closed]) expect((await registering(server)).status).toBe(403);
  const open = await start({ registration: "open" });
  expect([(await registering(open)).status, (await registering(open, 2)).status]).toEqual([201, 201]);
});

test("the options of the command line, and what they are without being said", () => {
  const defaults = { registration: "open", secondFactorFor: "nobody", hsts: false };
  expect(parseCommandLine([])).toMatchObject(defaults);
  const given = ["--registration", "closed", "--second-factor", "office", "--hsts"];
  expect(parseCommandLine(given)).toMatchObject({ registration: "closed", secondFactorFor: "office", hsts: true });
  expect(() => parseCommandLine(["--registration", "yes"])).toThrow(
    'Expected --registration to be first or open or closed, got "yes"',
  );
  expect(() => parseCommandLine(["--second-factor", "all"])).toThrow("Expected --second-factor to be nobody or office");
});

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test("however often it is refreshed, a person's session ends after a day and a till's after half a year", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const owner = await register(server);
  const refreshed = async (refreshToken: string) => {
    const answer = await call(server, "/auth/refresh", { body: { refreshToken } });
    return answer.ok ? ((await answer.json()) as { refreshToken: string; accessToken: string }) : undefined;
  };
  const begun = now;
  let person: Awaited<ReturnType<typeof refreshed>> = owner;
  for (now += 11 * HOUR_MS; now < begun + DAY_MS; now += 11 * HOUR_MS)
    person = await refreshed(person?.refreshToken ?? "");
  now = begun + DAY_MS - 1;
  person = await refreshed(person?.refreshToken ?? "");
  expect((await call(server, "/sync/conflicts", { token: person?.accessToken ?? "" })).status).toBe(200);
  now = begun + DAY_MS;
  // The access token would live on for a quarter of an hour.
  expect((await call(server, "/sync/conflicts", { token: person?.accessToken ?? "" })).status).toBe(401);
  expect(await refreshed(person?.refreshToken ?? "")).toBeUndefined();

  const opened = now;
  let till: Awaited<ReturnType<typeof refreshed>> = await loginTill(server, owner.email);
  for (now += 80 * DAY_MS; now < opened + 180 * DAY_MS; now += 80 * DAY_MS)
    till = await refreshed(till?.refreshToken ?? "");
  expect(till).toBeDefined();
  now = opened + 180 * DAY_MS;
  expect(await refreshed(till?.refreshToken ?? "")).toBeUndefined();
});

test("an operator sets how long sessions live", async () => {
  let now = Date.now();
  const server = await start({ now: () => now, lifetimes: { personIdle: 60_000, person: 90_000 } });
  const owner = await register(server);
  now += 59_000;
  const next = await json(call(server, "/auth/refresh", { body: { refreshToken: owner.refreshToken } }));
  now += 31_000;
  expect((await call(server, "/auth/refresh", { body: { refreshToken: next.refreshToken } })).status).toBe(401);
});
