/**
 * Tokens that must not get in, at every endpoint of the reference server, over HTTP. What a good one may do is in
 * test/examples/reference-server/auth.test.ts.
 */
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { EncryptJWT, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { keysFromText } from "../../examples/reference-server/auth/keys.ts";
import { type RunningServer, startServer } from "../../examples/reference-server/server.ts";
import { endpoints } from "../../src/server/http/endpoints.ts";
import { CHEAP, call, loginTill, PASSWORD, register } from "../examples/reference-server/support.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const [KEY] = keysFromText(SECRET);
const HEADER = { alg: "HS256", typ: "at+jwt", kid: KEY.id };
const STRANGER = new TextEncoder().encode("another secret of more than 32 characters");
const MOMENT = Date.UTC(2026, 10, 20, 8);

let now = MOMENT;
let server: RunningServer;
const logged: string[] = [];
const log = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`);

/** A till's, which the server has given out and would let in. */
let good: string;
let claims: Record<string, unknown> & { readonly exp: number; readonly sid: string };
let owner: string;
let device: string;

beforeAll(async () => {
  const logger = { error: log, info: log, debug: log };
  const options = { registration: "open", passwordCost: CHEAP, secret: SECRET, now: () => now, logger } as const;
  server = await startServer({ database: ":memory:", port: 0, ...options });
  const shop = await register(server);
  const till = await loginTill(server, shop.email, { device: { id: "till-1" } });
  good = till.accessToken;
  owner = shop.email;
  device = till.device?.id ?? "";
  claims = JSON.parse(Buffer.from(good.split(".")[1] ?? "", "base64url").toString());
});
afterAll(() => server.close());

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const seconds = (ms: number) => Math.floor(ms / 1_000);

/** The good token's claims and header, with some of them changed, and signed with the server's own key unless said otherwise. */
function signed(changes: object = {}, header: object = {}, secret: Uint8Array = KEY.secret): Promise<string> {
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...HEADER, ...header }).sign(secret);
}

/** What jose refuses to sign. */
function signedByHand(header: object, payload: object = claims, secret: string | Uint8Array = KEY.secret): string {
  const text = `${part({ ...HEADER, ...header })}.${part(payload)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

async function ofAnotherAlgorithm(algorithm: "ES256" | "RS256" | "EdDSA", header: object = {}): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const withKey = "jwk" in header ? { jwk } : {};
  return new SignJWT(claims).setProtectedHeader({ ...HEADER, ...header, ...withKey, alg: algorithm }).sign(privateKey);
}

async function endedSession(): Promise<string> {
  const { accessToken } = await register(server);
  expect((await call(server, "/auth/logout", { token: accessToken, body: {} })).status).toBe(204);
  return accessToken;
}

async function sessionOfAStolenRefreshToken(): Promise<string> {
  const { accessToken, refreshToken } = await loginTill(server, owner);
  const refresh = () => call(server, "/auth/refresh", { body: { refreshToken } });
  expect((await refresh()).status).toBe(200);
  now += 61_000;
  expect((await refresh()).status).toBe(401);
  now = MOMENT;
  return accessToken;
}

/** By name: what stands behind `Authorization:`, or nothing. */
const corpus: Readonly<Record<string, () => Promise<string | undefined> | string | undefined>> = {
  none: () => undefined,
  "an empty one": () => "Bearer ",
  garbage: () => "Bearer garbage",
  "three parts of garbage": () => "Bearer a.b.c",
  "two good ones": () => `Bearer ${good} ${good}`,
  "a good one under another scheme": () => `Basic ${good}`,
  "a good one under no scheme": () => good,
  "a name and a password": () => `Basic ${Buffer.from(`${owner}:${PASSWORD}`).toString("base64")}`,
  "a refresh token": async () => `Bearer ${(await loginTill(server, owner)).refreshToken}`,

  ...Object.fromEntries(
    ["none", "None", "NONE", "nOnE", ""].map((alg) => [
      `alg: ${JSON.stringify(alg)}, unsigned`,
      () => `Bearer ${part({ ...HEADER, alg })}.${part(claims)}.`,
    ]),
  ),
  "alg: none, with a good signature": () => `Bearer ${signedByHand({ alg: "none" })}`,
  "without an algorithm": () => `Bearer ${signedByHand({ alg: undefined })}`,
  "HS384 of the right key": async () => `Bearer ${await signed({}, { alg: "HS384" })}`,
  "HS512 of the right key": async () => `Bearer ${await signed({}, { alg: "HS512" })}`,
  "ES256 of a key of its own": async () => `Bearer ${await ofAnotherAlgorithm("ES256")}`,
  "RS256 of a key of its own": async () => `Bearer ${await ofAnotherAlgorithm("RS256")}`,
  "EdDSA of a key that it brings": async () => `Bearer ${await ofAnotherAlgorithm("EdDSA", { jwk: true })}`,
  "ES256 of a key that it brings": async () => `Bearer ${await ofAnotherAlgorithm("ES256", { jwk: true })}`,
  "encrypted, with the right key": async () =>
    `Bearer ${await new EncryptJWT(claims).setProtectedHeader({ alg: "dir", enc: "A128CBC-HS256", kid: KEY.id, typ: "at+jwt" }).encrypt(KEY.secret)}`,

  "another key": async () => `Bearer ${await signed({}, {}, STRANGER)}`,
  "an empty key": () => `Bearer ${signedByHand({}, claims, "")}`,
  "a key id that there is not": async () => `Bearer ${await signed({}, { kid: "ffffffff" })}`,
  "a key id that is a path": async () => `Bearer ${await signed({}, { kid: "../../../../dev/null" })}`,
  "no key id": async () => `Bearer ${await signed({}, { kid: undefined })}`,
  "an extension that must be understood": () => `Bearer ${signedByHand({ crit: ["exp2"], exp2: 1 })}`,
  "a payload that is not encoded": () => `Bearer ${signedByHand({ crit: ["b64"], b64: false })}`,
  "changed after it was signed": () =>
    `Bearer ${good.replace(/\.[^.]+\./, `.${part({ ...claims, branch: "another" })}.`)}`,
  "without its signature": () => `Bearer ${good.replace(/[^.]+$/, "")}`,
  "with half its signature": () => `Bearer ${good.slice(0, -20)}`,
  "a payload that is no object": () => `Bearer ${signedByHand({}, [claims])}`,

  "another audience": async () => `Bearer ${await signed({ aud: "somebody-else" })}`,
  "no audience": async () => `Bearer ${await signed({ aud: undefined })}`,
  "another issuer": async () => `Bearer ${await signed({ iss: "somebody-else" })}`,
  "no issuer": async () => `Bearer ${await signed({ iss: undefined })}`,
  "another type": async () => `Bearer ${await signed({}, { typ: "JWT" })}`,
  "no type": async () => `Bearer ${await signed({}, { typ: undefined })}`,
  expired: async () => `Bearer ${await signed({ iat: claims.exp - 90_000, exp: seconds(MOMENT) - 5 })}`,
  "without an end": async () => `Bearer ${await signed({ exp: undefined })}`,
  "an end that is no number": () => `Bearer ${signedByHand({}, { ...claims, exp: "tomorrow" })}`,
  "not valid yet": async () => `Bearer ${await signed({ nbf: seconds(MOMENT) + 6 })}`,
  "without a moment of issue": async () => `Bearer ${await signed({ iat: undefined })}`,
  ...Object.fromEntries(
    ["sub", "tenant", "scope", "sid"].flatMap((claim): [string, () => Promise<string>][] => [
      [`without ${claim}`, async () => `Bearer ${await signed({ [claim]: undefined })}`],
      ...(claim === "sub"
        ? []
        : [
            [`${claim} as a list`, async () => `Bearer ${await signed({ [claim]: ["x"] })}`] as [
              string,
              () => Promise<string>,
            ],
          ]),
    ]),
  ),

  "no such session": async () => `Bearer ${await signed({ sid: randomUUID() })}`,
  "another tenant": async () => `Bearer ${await signed({ tenant: (await register(server)).tenant.id })}`,
  "of a session that was signed out": async () => `Bearer ${await endedSession()}`,
  "of a session whose refresh token was used twice": async () => `Bearer ${await sessionOfAStolenRefreshToken()}`,
};

interface Place {
  readonly method: string;
  readonly path: string;
}

/** Every endpoint that is for somebody: the protocol's, and the issuer's own. */
function places(): readonly Place[] {
  const sync = endpoints
    .filter(({ isOpen }) => isOpen !== true)
    .map(({ method, path }) => ({ method, path: `/sync/${path.join("/").replace("*", randomUUID())}` }));
  const open = ["/auth/register", "/auth/login", "/auth/refresh", "/auth/recovery"];
  const issuer = server.app.routes
    .filter(({ method, path }) => ["GET", "POST"].includes(method) && path.startsWith("/auth/") && !open.includes(path))
    .map(({ method, path }) => ({ method, path: path.replace(":id", "no-such-till") }));
  return [...sync, ...issuer];
}

function ask({ method, path }: Place, authorization: string | undefined, more: Record<string, string> = {}) {
  return fetch(server.url + path, {
    method,
    headers: {
      "content-type": "application/json",
      "tillsync-protocol": "1",
      "tillsync-request-id": "the-request",
      ...(authorization !== undefined && { authorization }),
      ...more,
    },
    ...(method === "POST" && { body: "{}" }),
  });
}

/** The status of the answer to an upgrade; 101 where there was one. */
async function upgrade(protocols: readonly string[], options: ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/sync/live`, [...protocols], options);
  socket.on("error", () => {});
  const opened = once(socket, "open").then(() => 101);
  const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => Number(statusCode));
  const status = await Promise.race([opened, refused]);
  socket.terminate();
  return status;
}

test("there is a place for each endpoint, and a good token is let in at each", async () => {
  expect(places().length).toBe(endpoints.filter(({ isOpen }) => isOpen !== true).length + 17);
  for (const place of places().filter(({ path }) => path !== "/auth/logout")) {
    const answer = await ask(place, `Bearer ${await signed()}`);
    expect([place.path, answer.status]).not.toEqual([place.path, 401]);
    await answer.body?.cancel();
  }
  expect(await upgrade(["tillsync.1"], { headers: { authorization: `bearer ${good}` } })).toBe(101);
});

describe("what is no good token gets in nowhere, and is told nothing of why", () => {
  test.each(Object.keys(corpus))("%s", async (name) => {
    const authorization = await corpus[name]?.();
    for (const place of places()) {
      const [answer, toNobody] = [await ask(place, authorization), await ask(place, undefined)];
      expect([place.path, answer.status, answer.headers.get("www-authenticate")]).toEqual([place.path, 401, "Bearer"]);
      expect(await answer.text()).toBe(await toNobody.text());
    }
    const headers = authorization === undefined ? {} : { authorization };
    expect(await upgrade(["tillsync.1"], { headers })).toBe(401);
    const token = authorization?.replace(/^Bearer /, "");
    if (token !== undefined && token !== good) {
      expect(await upgrade(["tillsync.1", `tillsync.bearer.${Buffer.from(token).toString("base64url")}`])).toBe(401);
    }
    if (token) expect(logged.join("\n")).not.toContain(token);
  });

  test("a good one that stands elsewhere: in the address, in a cookie, in the body", async () => {
    for (const { method, path } of places()) {
      const elsewhere = await ask({ method, path: `${path}?access_token=${good}&token=${good}` }, undefined, {
        cookie: `token=${good}; authorization=Bearer ${good}`,
        "proxy-authorization": `Bearer ${good}`,
      });
      expect([path, elsewhere.status]).toEqual([path, 401]);
    }
    expect((await call(server, "/sync/register", { body: { token: good, authorization: good } })).status).toBe(401);
  });
});

test("a token is good from its `nbf` to its `exp`, to the second, with five for clocks that differ", async () => {
  const status = async (changes: object) =>
    (await ask({ method: "GET", path: "/sync/conflicts" }, `Bearer ${await signed(changes)}`)).status;
  const at = seconds(MOMENT);
  expect([await status({ exp: at - 4 }), await status({ exp: at - 5 })]).toEqual([200, 401]);
  expect([await status({ nbf: at + 5 }), await status({ nbf: at + 6 })]).toEqual([200, 401]);
});

test("a token is its own device's, at every endpoint that is about one [M9]", async () => {
  const named = (id: string) => ({ device: { id, incarnation: randomUUID() } });
  const frame = (id: string) => ({ ...named(id), epoch: "e", marks: {} });
  const bodies: readonly (readonly [string, (id: string) => object])[] = [
    ["/sync/register", (id) => ({ ...named(id), schemaVersion: 1 })],
    ["/sync/push", (id) => ({ ...frame(id), operations: [] })],
    ["/sync/pull", (id) => ({ ...frame(id), schemaVersion: 1, collections: {} })],
  ];
  const codes: unknown[] = [];
  const code = async (answer: Response) => codes.push(((await answer.json()) as { code: string }).code);
  const other = { "tillsync-device": "till-2" };
  for (const [path, body] of bodies) {
    await code(await call(server, path, { token: good, body: body("till-2") }));
    await code(await call(server, path, { token: good, body: body(device), headers: other }));
    await code(await call(server, path, { token: good, body: body("till-2"), headers: other }));
  }
  for (const path of ["/sync/conflicts", "/sync/quarantine"]) {
    await code(await call(server, path, { token: good, headers: other }));
  }
  for (const path of [`conflicts/${randomUUID()}/resolve`, `quarantine/${randomUUID()}/discard`]) {
    const body = { choice: "server", reason: "x" };
    await code(await call(server, `/sync/${path}`, { token: good, body, headers: other }));
  }
  expect(codes).toEqual(Array.from({ length: 13 }, () => "device_mismatch"));
  expect(await upgrade(["tillsync.1"], { headers: { authorization: `Bearer ${good}`, ...other } })).toBe(403);
});

test("a revoked till's token pushes, into quarantine, and is good for nothing else [H6]", async () => {
  const shop = await register(server);
  const { accessToken } = await loginTill(server, shop.email, { device: { id: "till-9" } });
  const asTill = { device: { id: "till-9", incarnation: randomUUID() }, schemaVersion: 1, epoch: "e", marks: {} };
  await call(server, "/sync/register", { token: accessToken, body: { ...asTill, epoch: undefined } });
  await call(server, "/auth/devices/till-9/revoke", { token: shop.accessToken, body: {} });
  const answers: Record<string, number> = {};
  const newUser = { email: "x@shop.example", password: PASSWORD, roles: ["owner"] };
  const body = { ...asTill, collections: {}, choice: "server", reason: "x", ...newUser };
  for (const { method, path } of places().filter((place) => !/push|logout|live/.test(place.path))) {
    const sent = method === "POST" ? { body } : {};
    answers[path] = (await call(server, path, { token: accessToken, ...sent })).status;
  }
  expect(Object.values(answers)).toEqual(Object.keys(answers).map(() => 403));
  expect(await upgrade(["tillsync.1"], { headers: { authorization: `Bearer ${accessToken}` } })).toBe(403);
});
