import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { parseCommandLine } from "../../../examples/reference-server/options.ts";
import type { RunningServer } from "../../../examples/reference-server/server.ts";
import { root } from "../../../scripts/entries.mjs";
import {
  call,
  json,
  loginTill,
  PASSWORD,
  RawTill,
  register,
  rowsOf,
  saleOf,
  start,
  stock,
  temporaryFolder,
  tillOf,
} from "./support.ts";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}
interface Process {
  readonly child: ChildProcess;
  /** What it has printed when it listens. */
  readonly listening: Promise<string>;
  readonly ended: Promise<Ended>;
}

/** Without the page, which has tests of its own and would have to be built first. */
function run(args: readonly string[], env: Record<string, string> = {}): Process {
  const main = join(root, "examples/reference-server/main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", main, "--no-page", ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let out = "";
  let error = "";
  const listening = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk) => {
      out += chunk;
      if (out.includes("docs/protocol.md.\n")) resolve(out);
    });
  });
  child.stderr.on("data", (chunk) => {
    error += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code, out, error }));
  return { child, listening, ended };
}

test("an error that nobody caught is logged, and the requests under way are finished before the process ends", async () => {
  const fault = 'process.on("SIGUSR2", () => { throw new Error("planted"); });';
  const planted = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(fault)}` };
  const { child, listening, ended } = run(["--port", "0", "--database", ":memory:"], planted);
  const port = /127\.0\.0\.1:(\d+)/.exec(await listening)?.[1];
  // The body is still to come when the error is thrown.
  const late = request({ port, path: "/auth/login", method: "POST", headers: { "content-type": "application/json" } });
  const answered = once(late, "response");
  late.write("{");
  await fetch(`http://127.0.0.1:${port}/sync/health`);
  child.kill("SIGUSR2");
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/sync/health`).then(
      () => true,
      () => false,
    );
  while (await isUp());
  late.end("}");
  const [response] = await answered;
  expect(response.statusCode).toBe(400);
  const { code, error } = await ended;
  expect(code).toBe(1);
  expect(error).toContain("The process ends because of an error that nobody caught");
  expect(error).toContain("planted");
});

test("npm start says where it listens, and the commands that it prints work as they stand", async () => {
  const database = join(await temporaryFolder(), "data", "shop.sqlite");
  const { child, listening, ended } = run(["--port", "0", "--database", database]);
  const printed = await listening;
  expect(printed).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n/);
  expect(printed).toContain(`the shop's data: ${database}\n`);
  const script = printed.slice(printed.indexOf("# Sign in"), printed.indexOf("Run the push again"));
  const { stdout } = await promisify(execFile)("sh", ["-c", script]);
  const [push, pull] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(push.results.map((result: { status: string }) => result.status)).toEqual(["applied", "applied", "applied"]);
  expect(push.results[0].assigned).toEqual({ orderNumber: "ORD-000001" });
  expect(pull.pages.sales.changes).toHaveLength(1);
  expect(pull.pages.products.changes.find(({ id }: { id: string }) => id === "cola").data.stock).toBe(46);
  const { stdout: again } = await promisify(execFile)("sh", ["-c", script]);
  expect(JSON.parse(again.split("\n")[0] ?? "").results[0]).toMatchObject({ status: "applied", replayed: true });

  child.kill("SIGTERM");
  const { code, error } = await ended;
  expect(code).toBe(0);
  // The log has neither tokens nor passwords nor what was sold.
  expect(error).toContain('"path":"/sync/push"');
  expect(error).not.toMatch(/demo-password|eyJ|Bearer|totalCents/);
  expect(((await stat(`${database}.key`)).mode & 0o777).toString(8)).toBe("600");
});

test("a database is created for its owner's eyes only, with the files beside it", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  await start({ database });
  const modes = await Promise.all(
    ["", "-wal", "-shm", ".key"].map(async (suffix) => ((await stat(`${database}${suffix}`)).mode & 0o777).toString(8)),
  );
  expect(modes).toEqual(["600", "600", "600", "600"]);
});

test.each(["", "-wal"])("a database that others can read is not opened (shop.sqlite%s)", async (suffix) => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  await writeFile(`${database}${suffix}`, "");
  await chmod(`${database}${suffix}`, 0o640);
  await expect(start({ database })).rejects.toThrow(
    `${database}${suffix} to be readable by its owner only, got mode 640`,
  );
});

test("a port that is taken is said in one sentence", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const database = join(await temporaryFolder(), "shop.sqlite");
  const { code, out, error } = await run(["--port", String(port), "--database", database]).ended;
  expect({ code, out, error: error.trim() }).toEqual({
    code: 1,
    out: "",
    error: `Expected port ${port} of 127.0.0.1 to be free: another program listens there. Stop it, or start with --port ${port + 1}.`,
  });
});

test("a wrong option and a weak key are refused with exit code 2", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const misused = run(["--port", "eighty"]).ended;
  const weak = run(["--port", "0", "--database", database], { TILLSYNC_JWT_SECRET: "secret" }).ended;
  expect(await misused).toEqual({
    code: 2,
    out: "",
    error: 'Expected --port to be an integer from 0 to 65535, got "eighty". 0 takes any free port.\n',
  });
  expect(await weak).toMatchObject({
    code: 2,
    out: "",
    error: expect.stringContaining("at least 32 characters, got 6"),
  });
});

test("the demo, whose password everybody knows, is offered to this computer alone", async () => {
  expect(parseCommandLine([])).toMatchObject({
    seed: "demo",
    host: "127.0.0.1",
    port: 8787,
    database: "./data/shop.sqlite",
  });
  expect(parseCommandLine(["--host", "0.0.0.0"]).seed).toBe("none");
  expect([parseCommandLine([]).proxies, parseCommandLine(["--proxy", "2"]).proxies]).toEqual([0, 2]);
  expect(() => parseCommandLine(["--proxy", "yes"])).toThrow("Expected --proxy to be a number from 0 to 9");
  expect(() => parseCommandLine(["--host", "0.0.0.0", "--seed", "demo"])).toThrow("The demo's password is public");
  const database = join(await temporaryFolder(), "shop.sqlite");
  await (await start({ database, seed: "demo" })).close();
  await expect(start({ database, host: "0.0.0.0" })).rejects.toThrow("its password is public");
});

test.each([
  [["--database", ""], '--database to be a file or a PostgreSQL URL, got "nothing"'],
  [["--origin", "https://till.example/pos"], "--origin to be scheme, host and port of a page"],
  [["--log", "loud"], '--log to be silent or error or info or debug, got "loud"'],
  [["--port", "70000"], "--port to be an integer from 0 to 65535"],
  [["--prot", "80"], "--prot"],
])("what an option must be is said: %j", (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});

test("a key that others can read is not used", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  await writeFile(`${database}.key`, "0123456789abcdef0123456789abcdef");
  await chmod(`${database}.key`, 0o644);
  await expect(start({ database })).rejects.toThrow("readable by its owner only, got mode 644");
});

test("a key can be replaced while tokens of the old one live", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const [old, next] = ["an old key of 32 characters or so", "a new key of 32 characters or so!"];
  const before = await start({ database, secret: old });
  const { accessToken } = await register(before);
  await before.close();
  const during = await start({ database, secret: `${next}, ${old}` });
  expect((await call(during, "/sync/conflicts", { token: accessToken })).status).toBe(200);
  await during.close();
  const after = await start({ database, secret: next });
  expect((await call(after, "/sync/conflicts", { token: accessToken })).status).toBe(401);
});

test("a restart keeps everything: sales, sessions, numbers, who is signed in", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const first = await start({ database });
  const owner = await register(first);
  await stock(first, owner.tenant.id);
  const tokens = await loginTill(first, owner.email);
  const till = new RawTill(first, tokens);
  const sale = { id: randomUUID(), collection: "sales", entityId: "s-1", action: "create", data: saleOf(1) };
  const fixed = { ...sale, sequence: 1, occurredAt: "2026-11-20T08:00:00.000Z" };
  await till.push(fixed);
  await first.close();

  const second = await start({ database });
  expect(await rowsOf(second, owner.tenant.id, "sales")).toMatchObject([{ id: "s-1", orderNumber: "ORD-000001" }]);
  const again = new RawTill(second, tokens);
  const [replayed] = await again.push(fixed);
  expect(replayed).toMatchObject({ status: "applied", replayed: true, assigned: { orderNumber: "ORD-000001" } });
  const [next] = await again.push({ collection: "sales", action: "create", data: saleOf(1) });
  expect(next.assigned).toEqual({ orderNumber: "ORD-000002" });
  const renewed = await call(second, "/auth/refresh", { body: { refreshToken: tokens.refreshToken } });
  expect(renewed.status).toBe(200);
});

test("neither passwords nor refresh tokens nor the secrets of tills are in the database", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const server = await start({ database });
  const owner = await register(server);
  const renewed = await json(call(server, "/auth/refresh", { body: { refreshToken: owner.refreshToken } }));
  const { device } = await loginTill(server, owner.email);
  const secretOfTill = String(device?.secret);
  await server.close();
  const bytes = await readFile(database, "latin1");
  expect(bytes).toContain(owner.email);
  expect(bytes).toContain(device?.id);
  for (const secret of ["correct horse", owner.refreshToken, renewed.refreshToken, owner.accessToken, secretOfTill]) {
    expect(bytes).not.toContain(secret);
  }
});

function connect({ url }: RunningServer, token: string, options: ClientOptions = {}): WebSocket {
  const bearer = `tillsync.bearer.${Buffer.from(token).toString("base64url")}`;
  return new WebSocket(`${url.replace("http", "ws")}/sync/live`, ["tillsync.1", bearer], options);
}

test("a till is poked over the socket when another one sells, and the server ends with it connected", async () => {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const socket = connect(server, (await loginTill(server, owner.email)).accessToken);
  await once(socket, "open");
  // What is answered is the protocol, and not the token beside it.
  expect(socket.protocol).toBe("tillsync.1");
  const poke = once(socket, "message");
  const seller = new RawTill(server, await loginTill(server, owner.email));
  await seller.push({ collection: "sales", action: "create", data: saleOf(1) });
  expect(JSON.parse(String((await poke)[0])).collections).toContain("sales");

  const stranger = connect(server, "garbage");
  stranger.on("error", () => {});
  const [, answer] = await once(stranger, "unexpected-response");
  expect(answer.statusCode).toBe(401);
  stranger.terminate();

  const closed = once(socket, "close");
  await server.close();
  expect((await closed)[0]).toBe(1001);
});

test("a socket is closed when its token ends", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const { email } = await register(server);
  const { accessToken, expiresIn } = await loginTill(server, email);
  // As JWTs count: whole seconds, and five more for clocks that differ.
  const end = (Math.floor(now / 1_000) + expiresIn + 5) * 1_000;
  now = end - 50;
  const socket = connect(server, accessToken);
  const closed = once(socket, "close");
  await once(socket, "open");
  now = end;
  expect([(await closed)[0], String((await closed)[1])]).toEqual([1008, "The token has ended"]);
});

test("sockets are pinged, and those that answer nothing are let go of", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const server = await start();
  onTestFinished(() => void vi.useRealTimers()); // before the server ends
  const { email } = await register(server);
  const { accessToken } = await loginTill(server, email);
  const [alive, dead] = [connect(server, accessToken), connect(server, accessToken, { autoPong: false })];
  await Promise.all([once(alive, "open"), once(dead, "open")]);
  const closed = once(dead, "close");

  for (let round = 1; round <= 3; round += 1) {
    const pinged = once(alive, "ping");
    vi.advanceTimersByTime(30_000);
    await pinged;
    // Answered by the server behind the answer to its own ping: that one has come.
    alive.ping();
    await once(alive, "pong");
  }
  expect((await closed)[0]).toBe(1006);
  expect(alive.readyState).toBe(WebSocket.OPEN);
});

test("a till with a socket shows what another one sold, long before it polls", async () => {
  vi.stubGlobal("WebSocket", WebSocket); // Node 20 has none of its own
  onTestFinished(() => void vi.unstubAllGlobals());
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const two = await tillOf(server, owner.email, { live: "auto" });
  const seen = new Promise<void>((resolve) => {
    two.till.collections.sales.watch({ limit: 10 }, ({ rows }) => {
      if (rows.length > 0) resolve();
    });
  });
  const one = await tillOf(server, owner.email);
  await one.till.collections.sales.create(saleOf(1));
  await seen;
});

test("a request that is under way when the server ends is answered", async () => {
  const server = await start();
  const { email } = await register(server);
  const body = JSON.stringify({ email, password: PASSWORD });
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  const sent = request(`${server.url}/auth/login`, { method: "POST", headers });
  const answered = once(sent, "response");
  sent.write(body.slice(0, 10));
  await call(server, "/health"); // by then the other one has come too
  const closed = server.close();
  sent.end(body.slice(10));
  const [response] = await answered;
  expect(response.statusCode).toBe(200);
  response.resume();
  await closed;
  await expect(call(server, "/health")).rejects.toThrow();
});

test("a page of a configured origin may call and read the protocol's headers; another may not", async () => {
  const server = await start({ origins: ["https://till.example"] });
  const preflight = (origin: string) =>
    fetch(`${server.url}/sync/push`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,tillsync-protocol",
      },
    });
  const allowed = await preflight("https://till.example");
  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://till.example");
  expect(allowed.headers.get("access-control-allow-headers")).toContain("tillsync-request-id");
  expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
  const headers = { origin: "https://till.example" };
  const answers = [
    await call(server, "/sync/push", { body: {}, headers }),
    await call(server, "/auth/login", { body: {}, headers }),
    await call(server, "/nowhere", { headers }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([401, 400, 404]);
  for (const answer of answers) {
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://till.example");
    expect(answer.headers.get("access-control-expose-headers")).toContain("tillsync-server-time");
    expect(answer.headers.get("access-control-expose-headers")).toContain("retry-after");
  }
});

test("/health is the protocol's, / says what to try", async () => {
  const server = await start();
  const [own, sync] = [await fetch(`${server.url}/health`), await fetch(`${server.url}/sync/health`)];
  const { serverTime: _, ...health } = await json(own);
  const { serverTime: __, ...expected } = await json(sync);
  expect(health).toEqual(expected);
  expect(own.headers.get("tillsync-protocol")).toBe("1");
  expect(await json(fetch(server.url))).toMatchObject({ status: "ok", try: { "GET /health": expect.any(String) } });
});
