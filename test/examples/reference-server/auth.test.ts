import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { keysFromText } from "../../../examples/reference-server/auth/keys.ts";
import { versionIn } from "../../server/support/world.ts";
import {
  addUser,
  call,
  json,
  loginTill,
  PASSWORD,
  RawTill,
  register,
  saleOf,
  start,
  stock,
  temporaryFolder,
} from "./support.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

test("a new tenant has an owner, whose tokens name no device", async () => {
  const server = await start();
  const response = await call(server, "/auth/register", {
    body: { tenant: { name: "Shop" }, email: "Olga@Shop.example ", password: PASSWORD },
  });
  expect(response.status).toBe(201);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const answer = await response.json();
  expect(answer).toMatchObject({ expiresIn: 900, user: { roles: ["owner"] } });
  expect(Object.keys(answer).sort()).toEqual(["accessToken", "expiresIn", "refreshToken", "tenant", "user"]);
  const again = await call(server, "/auth/register", {
    body: { tenant: { name: "Other" }, email: "olga@shop.example", password: PASSWORD },
  });
  expect([again.status, (await again.json()).code]).toEqual([409, "email_taken"]);
});

test("a device's token names tenant, branch and device", async () => {
  const server = await start();
  const { email, tenant } = await register(server);
  const tokens = await loginTill(server, email, { device: { id: "till-1" }, branch: "north" });
  expect(tokens).toMatchObject({ tenant, device: { id: "till-1" }, branch: "north", expiresIn: 900 });
  const claims = JSON.parse(atob(tokens.accessToken.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  expect(claims).toMatchObject({ tenant: tenant.id, branch: "north", device: "till-1", aud: "tillsync" });
  expect(claims.exp - claims.iat).toBe(900);
  expect(claims.scope.split(" ")).toContain("sales:write");
});

test("a wrong password and an unknown address are answered alike", async () => {
  const server = await start();
  const { email } = await register(server);
  const wrong = await call(server, "/auth/login", { body: { email, password: "something else" } });
  const nobody = await call(server, "/auth/login", { body: { email: "nobody@shop.example", password: PASSWORD } });
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get("content-type")).toBe("application/problem+json");
  const [first, second] = [await wrong.json(), await nobody.json()];
  expect(first.code).toBe("invalid_credentials");
  expect({ ...second, requestId: "" }).toEqual({ ...first, requestId: "" });
});

test("guessing is slowed down, also a hundred guesses at once; the right password waits as well", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const { email } = await register(server);
  const guesses = await Promise.all(
    Array.from({ length: 20 }, (_, n) => call(server, "/auth/login", { body: { email, password: `guess-${n}` } })),
  );
  expect(guesses.filter(({ status }) => status === 401)).toHaveLength(5);
  expect(guesses.filter(({ status }) => status === 429)).toHaveLength(15);
  const refused = await call(server, "/auth/login", { body: { email, password: PASSWORD } });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  now += 61_000;
  expect((await call(server, "/auth/login", { body: { email, password: PASSWORD } })).status).toBe(200);
});

test("one address that guesses keeps nobody out elsewhere; many addresses are held up together", async () => {
  let now = Date.now();
  const windowMs = 60 * 60_000;
  const limits = { accountAnywhere: { attempts: 6, windowMs }, accountShare: { attempts: 2, windowMs } };
  const server = await start({ now: () => now, proxies: 1, limits });
  const { email } = await register(server);
  const statusFrom = async (address: string, password: string) => {
    const headers = { "x-forwarded-for": `203.0.113.99, ${address}` };
    return (await call(server, "/auth/login", { body: { email, password }, headers })).status;
  };
  for (let minute = 0; minute < 2; minute++, now += 61_000) {
    for (let n = 0; n < 5; n++) expect(await statusFrom("198.51.100.1", "a guess")).toBe(401);
  }
  expect(await statusFrom("198.51.100.2", PASSWORD)).toBe(200);
  for (const address of ["198.51.100.3", "198.51.100.4"]) {
    for (let n = 0; n < 2; n++) expect(await statusFrom(address, "a guess")).toBe(401);
  }
  expect(await statusFrom("198.51.100.5", PASSWORD)).toBe(429);
});

test("an IPv6 address is held back with its network: /64, and /48 for its share of an account", async () => {
  const windowMs = 60 * 60_000;
  const limits = {
    account: { attempts: 2, windowMs },
    accountShare: { attempts: 3, windowMs },
    accountAnywhere: { attempts: 4, windowMs },
  };
  const server = await start({ proxies: 1, limits });
  const { email } = await register(server);
  const statusFrom = async (address: string, password: string) => {
    const headers = { "x-forwarded-for": address };
    return (await call(server, "/auth/login", { body: { email, password }, headers })).status;
  };
  for (const host of ["::1", "::2"]) expect(await statusFrom(`2001:db8:1:1${host}`, "a guess")).toBe(401);
  expect(await statusFrom("2001:db8:1:1:9:9:9:9", PASSWORD)).toBe(429);
  // Six guesses from one /48 take three of the four that the account has from everywhere.
  for (const net of ["2", "3"])
    for (const host of ["::1", "::2"]) expect(await statusFrom(`2001:db8:1:${net}${host}`, "a guess")).toBe(401);
  expect(await statusFrom("2001:db8:2:1::1", PASSWORD)).toBe(200);
  expect(await statusFrom("2001:db8:2:1::1", "a guess")).toBe(401);
  expect(await statusFrom("2001:db8:3:1::1", PASSWORD)).toBe(429);
});

test("a push is answered while a crowd signs in: few passwords are checked at once", async () => {
  const server = await start({ passwordCost: undefined }); // as slow as it is
  const { email } = await register(server);
  const { accessToken } = await loginTill(server, email);
  const CROWD = 30;
  let signedIn = 0;
  const crowd = Array.from({ length: CROWD }, async (_, n) => {
    await call(server, "/auth/login", { body: { email: `guest-${n}@shop.example`, password: PASSWORD } });
    signedIn += 1;
  });
  await Promise.any(crowd);
  // What unpacks a body waits in the same queue of Node as what checks a password. The push itself says nothing.
  const answer = await fetch(`${server.url}/sync/push`, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", "content-encoding": "gzip", authorization: `Bearer ${accessToken}` },
      ...{ "tillsync-protocol": "1", "tillsync-request-id": randomUUID() },
    },
    body: gzipSync("{}"),
  });
  expect(answer.status).toBe(400);
  expect(signedIn).toBeLessThan(CROWD / 2);
  await Promise.all(crowd);
});

test("the right password is never slowed down", async () => {
  const server = await start();
  const { email } = await register(server);
  for (let n = 0; n < 7; n++)
    expect((await call(server, "/auth/login", { body: { email, password: PASSWORD } })).status).toBe(200);
});

test("a lost refresh answer does not lock the till out: within a minute the same successor comes again", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const { email } = await register(server);
  const { refreshToken } = await loginTill(server, email);
  const refresh = (token: string) => call(server, "/auth/refresh", { body: { refreshToken: token } });
  const lost = await json(refresh(refreshToken));
  now += 59_000;
  const again = await json(refresh(refreshToken));
  expect(again.refreshToken).toBe(lost.refreshToken);
  expect(again.refreshToken).not.toBe(refreshToken);
  expect((await call(server, "/sync/conflicts", { token: again.accessToken })).status).toBe(200);
  expect((await refresh(again.refreshToken)).status).toBe(200);
});

test("two tabs that refresh at the same time get the same successor", async () => {
  const server = await start();
  const { email } = await register(server);
  const { refreshToken } = await loginTill(server, email);
  const answers = await Promise.all(
    [1, 2, 3].map(() => json(call(server, "/auth/refresh", { body: { refreshToken } }))),
  );
  expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
});

test("a refresh token that comes again later ends its session: somebody else may have it", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const { email } = await register(server);
  const first = await loginTill(server, email);
  const second = await json(call(server, "/auth/refresh", { body: { refreshToken: first.refreshToken } }));
  now += 61_000;
  const reused = await call(server, "/auth/refresh", { body: { refreshToken: first.refreshToken } });
  expect([reused.status, (await reused.json()).code]).toEqual([401, "invalid_refresh_token"]);
  expect((await call(server, "/auth/refresh", { body: { refreshToken: second.refreshToken } })).status).toBe(401);
  expect((await call(server, "/sync/conflicts", { token: second.accessToken })).status).toBe(401);
});

test("a till that was off for two months refreshes without a password; a person's session ends overnight", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const owner = await register(server);
  const till = await loginTill(server, owner.email);
  now += 60 * 24 * 3_600_000;
  expect((await call(server, "/auth/refresh", { body: { refreshToken: till.refreshToken } })).status).toBe(200);
  expect((await call(server, "/auth/refresh", { body: { refreshToken: owner.refreshToken } })).status).toBe(401);
});

test("an access token lives for 15 minutes", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const { email } = await register(server);
  const { accessToken } = await loginTill(server, email);
  now += 14 * 60_000;
  expect((await call(server, "/sync/conflicts", { token: accessToken })).status).toBe(200);
  now += 2 * 60_000;
  const expired = await call(server, "/sync/conflicts", { token: accessToken });
  expect([expired.status, (await expired.json()).code]).toEqual([401, "unauthenticated"]);
});

test("signing out ends a person's token at once", async () => {
  const server = await start();
  const { accessToken, refreshToken } = await register(server);
  expect((await call(server, "/auth/logout", { token: accessToken, body: {} })).status).toBe(204);
  expect((await call(server, "/auth/logout", { token: accessToken, body: {} })).status).toBe(401);
  expect((await call(server, "/auth/refresh", { body: { refreshToken } })).status).toBe(401);
});

test("a till's token outlives the cashier's logout: it sells, and has lost the cashier's rights", async () => {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const tokens = await loginTill(server, owner.email);
  const till = new RawTill(server, tokens);
  const price = { collection: "products", entityId: "tea", action: "update", patch: { priceCents: 501 } };
  const baseVersion = await versionIn(server.store, owner.tenant.id, "products", "tea");
  const [before] = await till.push({ ...price, baseVersion });
  expect(before.status).toBe("applied");

  expect((await call(server, "/auth/logout", { token: tokens.accessToken, body: {} })).status).toBe(204);
  const results = await till.push(
    { collection: "sales", action: "create", data: saleOf(1) },
    { ...price, patch: { priceCents: 1 }, baseVersion },
  );
  expect(results).toMatchObject([{ status: "applied" }, { status: "rejected", error: { code: "not_permitted" } }]);
  const renewed = await json(call(server, "/auth/refresh", { body: { refreshToken: tokens.refreshToken } }));
  expect(renewed.user).toEqual({ id: till.device, roles: [] });
  const users = { email: "x@shop.example", password: PASSWORD, roles: ["owner"] };
  expect((await call(server, "/auth/users", { token: renewed.accessToken, body: users })).status).toBe(403);
});

test("only the owner adds users, who sign in at their own branch", async () => {
  const server = await start();
  const owner = await register(server);
  const cashier = await addUser(server, owner, { roles: ["cashier"], branch: "north" });
  const tokens = await loginTill(server, cashier);
  expect(tokens).toMatchObject({ branch: "north", user: { roles: ["cashier"] }, tenant: owner.tenant });
  const elsewhere = await call(server, "/auth/login", {
    body: { email: cashier, password: PASSWORD, branch: "south", device: { id: "till-9" } },
  });
  expect(elsewhere.status).toBe(403);
  const refused = await call(server, "/auth/users", {
    token: tokens.accessToken,
    body: { email: "x@shop.example", password: PASSWORD, roles: ["owner"] },
  });
  expect([refused.status, (await refused.json()).code]).toEqual([403, "forbidden"]);
});

test("what is malformed is said without repeating it", async () => {
  const server = await start();
  const bad = await call(server, "/auth/register", {
    body: { tenant: { name: "Shop" }, email: "no", password: "short1" },
  });
  const text = await bad.text();
  expect(bad.status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({ code: "malformed", status: 400, type: "urn:tillsync:problem:malformed" });
  expect(text).not.toContain("short1");
  expect((await call(server, "/auth/login", { body: "{" })).status).toBe(400);
  expect((await call(server, "/auth/login", { body: `"${"x".repeat(20_000)}"` })).status).toBe(413);
  const nowhere = await call(server, "/auth/nowhere", { body: {} });
  expect([nowhere.status, (await nowhere.json()).code]).toEqual([404, "not_found"]);
});

test("no token but its own gets in", async () => {
  const server = await start({ secret: SECRET });
  const { email, tenant } = await register(server);
  const { accessToken, device } = await loginTill(server, email);
  const [key] = keysFromText(SECRET);
  const claims = JSON.parse(Buffer.from(accessToken.split(".")[1]!, "base64url").toString());
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = (changed: object, header: object = {}, secret: Uint8Array = key.secret) =>
    new SignJWT({ ...claims, ...changed })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: key.id, ...header })
      .sign(secret);
  const stranger = new TextEncoder().encode("another secret of more than 32 characters");
  const corpus: Record<string, string | undefined> = {
    none: undefined,
    garbage: "garbage",
    "three parts of garbage": "a.b.c",
    "alg none": `${part({ alg: "none", typ: "at+jwt", kid: key.id })}.${part(claims)}.`,
    "another audience": await signed({ aud: "somebody-else" }),
    "another issuer": await signed({ iss: "somebody-else" }),
    expired: await signed({ iat: claims.iat - 10_000, exp: claims.iat - 9_000 }),
    "without expiry": await signed({ exp: undefined }),
    "without tenant": await signed({ tenant: undefined }),
    "another type": await signed({}, { typ: "JWT" }),
    "another algorithm": await signed({}, { alg: "HS512" }),
    "another key": await signed({}, {}, stranger),
    "an unknown key": await signed({}, { kid: "ffffffff" }),
    "no such session": await signed({ sid: randomUUID() }),
    "another tenant's session": await signed({ tenant: "other" }),
    "changed after signing": accessToken.replace(/\.[^.]+\./, `.${part({ ...claims, scope: "users:write" })}.`),
    "the refresh token": (await loginTill(server, email)).refreshToken,
  };
  const body = { device: { id: device?.id, incarnation: randomUUID() }, schemaVersion: 1 };
  for (const [name, token] of Object.entries(corpus)) {
    const response = await call(server, "/sync/register", { body, ...(token !== undefined && { token }) });
    expect([name, response.status, (await response.json()).code]).toEqual([name, 401, "unauthenticated"]);
  }
  expect((await call(server, "/sync/register", { body, token: await signed({}) })).status).toBe(200);
  expect((await call(server, "/sync/register", { body, token: accessToken })).status).toBe(200);
  expect(tenant.id).toBe(claims.tenant);
});

test("a token speaks for its own device, and a person's for none", async () => {
  const server = await start();
  const { email, accessToken: owners } = await register(server);
  const { accessToken: tills, device } = await loginTill(server, email);
  const register_ = (token: string, id: string, headers = {}) =>
    call(server, "/sync/register", {
      token,
      headers,
      body: { device: { id, incarnation: randomUUID() }, schemaVersion: 1 },
    });
  const codes = await Promise.all(
    [
      register_(tills, "till-of-another"),
      register_(tills, device!.id, { "tillsync-device": "till-of-another" }),
      register_(owners, device!.id),
    ].map(async (response) => (await json(response)).code),
  );
  expect(codes).toEqual(["device_mismatch", "device_mismatch", "device_mismatch"]);
});

test("a scope that the token claims and the user does not hold is none", async () => {
  const server = await start({ secret: SECRET });
  const owner = await register(server);
  const cashier = await addUser(server, owner, { roles: ["cashier"] });
  const { accessToken } = await loginTill(server, cashier);
  const [key] = keysFromText(SECRET);
  const claims = JSON.parse(Buffer.from(accessToken.split(".")[1]!, "base64url").toString());
  const widened = await new SignJWT({ ...claims, scope: `${claims.scope} users:write` })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: key.id })
    .sign(key.secret);
  const users = { email: "x@shop.example", password: PASSWORD, roles: ["owner"] };
  expect((await call(server, "/auth/users", { token: widened, body: users })).status).toBe(403);
});

test("a revoked till still hands over what it sold, into quarantine, and gets nothing; also after a restart", async () => {
  const folder = await temporaryFolder();
  const files = { database: join(folder, "shop.sqlite"), authDatabase: join(folder, "auth.sqlite") };
  const first = await start(files);
  const owner = await register(first);
  await stock(first, owner.tenant.id);
  const tokens = await loginTill(first, owner.email);
  const till = new RawTill(first, tokens);
  await till.push({ collection: "sales", action: "create", data: saleOf(1) });
  const cashier = await addUser(first, owner, { roles: ["cashier"] });
  const revoke = (token: string, device = till.device) =>
    call(first, `/auth/devices/${device}/revoke`, { token, body: {} });
  expect((await revoke((await loginTill(first, cashier)).accessToken)).status).toBe(403);
  expect((await revoke(owner.accessToken, "no-such-till")).status).toBe(404);
  expect((await revoke(owner.accessToken)).status).toBe(204);

  const results = await till.push({ collection: "sales", action: "create", data: saleOf(1) });
  expect(results[0]).toMatchObject({ status: "quarantined", error: { code: "device_revoked" } });
  const renewed = await json(call(first, "/auth/refresh", { body: { refreshToken: tokens.refreshToken } }));
  expect(renewed.accessToken).toBeDefined();
  await first.close();

  // The shop's data of before: the issuer tells it again [M12].
  const second = await start({ ...files, database: join(folder, "restored.sqlite") });
  const after = await call(second, "/sync/register", {
    token: renewed.accessToken,
    body: { device: { id: till.device, incarnation: till.incarnation }, schemaVersion: 1 },
  });
  expect((await after.json()).code).toBe("device_revoked");
});
