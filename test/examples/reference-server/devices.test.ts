/** A device is what it was registered as: of one branch, and proven by a secret of its own. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { SecurityEvent } from "../../../examples/reference-server/security-log.ts";
import type { ServerOptions } from "../../../examples/reference-server/server.ts";
import { addUser, call, json, loginTill, PASSWORD, RawTill, register, saleOf, start, stock } from "./support.ts";

const newSecret = () => randomBytes(32).toString("base64url");

async function shop(options: Partial<ServerOptions> = {}) {
  const events: SecurityEvent[] = [];
  const server = await start({ securityLog: (event) => void events.push(event), ...options });
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const north = await addUser(server, owner, { roles: ["cashier"], branch: "north" });
  const south = await addUser(server, owner, { roles: ["cashier"], branch: "south" });
  const login = (email: string, device: object, more: object = {}) =>
    call(server, "/auth/login", { body: { email, password: PASSWORD, device, ...more } });
  const outcome = async (answer: Promise<Response>) => {
    const response = await answer;
    return response.ok ? response.status : [response.status, (await response.json()).code];
  };
  const act = (id: string, what: string, token = owner.accessToken) =>
    outcome(call(server, `/auth/devices/${id}/${what}`, { token, body: {} }));
  const listed = async () => (await json(call(server, "/auth/devices", { token: owner.accessToken }))).devices;
  return { server, owner, north, south, login, outcome, act, listed, events };
}

const TAKEN = [403, "device_taken"];

test("a cashier of another branch is not let in as a till: its results and its branch's desk stay its own", async () => {
  // He has all the attempts that he wants.
  const limits = { account: { attempts: 50, windowMs: 60_000 } };
  const { server, owner, north, south, login, outcome } = await shop({ limits });
  const tokens = await loginTill(server, north, { device: { id: "till-1" } });
  const till = new RawTill(server, tokens);
  const wrong = saleOf(1, { branchId: "north", totalCents: 1 });
  const [made] = await till.push({ collection: "sales", action: "create", data: wrong, branch: "north" });
  expect(made.status).toBe("quarantined");
  const own = await json(login(south, { id: "till-2" }));

  for (const secret of [undefined, newSecret(), own.device.secret, "x", ""]) {
    expect(await outcome(login(south, { id: "till-1", secret }))).toEqual(TAKEN);
    expect(await outcome(login(south, { id: "till-1", secret }, { branch: "north" }))).toEqual([403, "forbidden"]);
  }
  const { accessToken: elsewhere } = await loginTill(server, south);
  const asTill = { device: { id: "till-1", incarnation: till.incarnation }, schemaVersion: 1 };
  expect(await outcome(call(server, "/sync/register", { token: elsewhere, body: asTill }))).toEqual([
    ...[403, "device_mismatch"],
  ]);

  const manager = await addUser(server, owner, { roles: ["manager"], branch: "north" });
  const { accessToken: desk } = await json(
    call(server, "/auth/login", { body: { email: manager, password: PASSWORD } }),
  );
  const { quarantined } = await json(call(server, "/sync/quarantine", { token: desk }));
  expect(quarantined).toMatchObject([{ operation: { id: made.id, branch: "north" }, device: "till-1" }]);
  // Its next sequence number is still its own, and so is its branch.
  const sale = { collection: "sales", action: "create", data: saleOf(1, { branchId: "north" }), branch: "north" };
  expect(await till.push(sale)).toMatchObject([{ status: "applied" }]);
  const { refreshToken } = tokens;
  expect(await json(call(server, "/auth/refresh", { body: { refreshToken } }))).toMatchObject({ branch: "north" });
});

test("a till signs in again with its secret alone, whoever signs in at it, and stays in its branch", async () => {
  const { server, owner, north, login, outcome } = await shop();
  const { device, branch } = await loginTill(server, north, { device: { id: "till-1" } });
  expect([device?.id, branch]).toEqual(["till-1", "north"]);
  // 43 characters of base64url: 256 bits.
  expect(device?.secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(await outcome(login(north, { id: "till-1" }))).toEqual(TAKEN);
  expect(await outcome(login(owner.email, { id: "till-1" }))).toEqual(TAKEN);

  for (const email of [north, owner.email]) {
    const again = await json(login(email, device ?? {}));
    expect([again.device, again.branch]).toEqual([{ id: "till-1" }, "north"]);
    const { refreshToken } = again;
    const renewed = await json(call(server, "/auth/refresh", { body: { refreshToken } }));
    expect([renewed.device, renewed.branch]).toEqual([{ id: "till-1" }, "north"]);
  }
});

test("whoever works in another branch does not take a till along: not a cashier, and not the owner", async () => {
  const { server, owner, north, south, login, outcome } = await shop();
  const { device } = await loginTill(server, north, { device: { id: "till-1" } });
  expect(await outcome(login(south, device ?? {}))).toEqual([403, "forbidden"]);
  expect(await outcome(login(owner.email, device ?? {}, { branch: "south" }))).toEqual([403, "forbidden"]);
  expect(await outcome(login(owner.email, device ?? {}, { branch: "north" }))).toBe(200);
});

test("a refusal says the same whatever is wrong, and what to do", async () => {
  const { server, north, south, login } = await shop();
  await loginTill(server, north, { device: { id: "till-1" } });
  const [missing, wrong] = await Promise.all(
    [{ id: "till-1" }, { id: "till-1", secret: newSecret() }].map((device) => json(login(south, device))),
  );
  expect({ ...wrong, requestId: "" }).toEqual({ ...missing, requestId: "" });
  expect(missing.detail).toMatch(/ask the owner to release the device\.$/);
  expect(JSON.stringify(missing)).not.toMatch(/north|till-1/);
  // Who has no password learns not even that there is such a till.
  const guess = { email: south, password: "a guess", device: { id: "till-1" } };
  expect((await json(call(server, "/auth/login", { body: guess }))).code).toBe("invalid_credentials");
});

test("guesses of a secret are counted like those of a password, also ten at once; the right one is not", async () => {
  let now = Date.now();
  const { server, north, login, outcome } = await shop({ now: () => now });
  const { device } = await loginTill(server, north, { device: { id: "till-1" } });
  for (let n = 0; n < 7; n++) expect(await outcome(login(north, device ?? {}))).toBe(200);
  const guesses = await Promise.all(
    Array.from({ length: 10 }, () => outcome(login(north, { id: "till-1", secret: newSecret() }))),
  );
  expect(guesses.filter((one) => JSON.stringify(one) === JSON.stringify(TAKEN)).length).toBeLessThanOrEqual(5);
  expect(guesses).not.toContain(200);
  expect(await outcome(login(north, device ?? {}))).toEqual([429, "throttled"]);
  now += 61_000;
  expect(await outcome(login(north, device ?? {}))).toBe(200);
});

test("a till that has chosen its secret itself may lose the answer, and signs in with it again", async () => {
  const { server, owner, north, login, outcome } = await shop();
  const device = { id: "till-1", secret: newSecret() };
  expect((await json(login(north, device))).device).toEqual(device);
  expect((await json(login(owner.email, device))).device).toEqual({ id: "till-1" });
  expect(await outcome(login(north, { id: "till-2", secret: "too-short" }))).toEqual([400, "malformed"]);
  expect(await outcome(login(north, { id: "till-2", secret: newSecret() }))).toBe(200);
  // Of two that come first at the same time, one is registered.
  const both = await Promise.all([1, 2].map(() => outcome(login(north, { id: "till-3" }))));
  expect(both.sort()).toEqual([200, TAKEN]);
  expect(await outcome(call(server, "/auth/login", { body: { email: north, password: PASSWORD } }))).toBe(200);
});

test("a till that the owner releases signs in anew, in the branch of that sign-in, with another secret", async () => {
  const { server, owner, north, south, login, outcome, act, listed } = await shop();
  const before = await loginTill(server, north, { device: { id: "till-1" } });
  expect(await act("till-1", "release")).toBe(204);
  const { refreshToken, accessToken } = before;
  expect(await outcome(call(server, "/auth/refresh", { body: { refreshToken } }))).toEqual([
    ...[401, "invalid_refresh_token"],
  ]);
  expect(await outcome(call(server, "/sync/conflicts", { token: accessToken }))).toEqual([401, "unauthenticated"]);
  expect(await listed()).toMatchObject([{ id: "till-1", isRegistered: false }]);
  expect((await listed())[0].branch).toBeUndefined();

  // With the secret of before: whoever else has it must not be this till again.
  const { device, branch } = await json(login(south, before.device ?? {}));
  expect(branch).toBe("south");
  expect(device.secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(await outcome(login(south, before.device ?? {}))).toEqual(TAKEN);
  expect(await outcome(login(owner.email, device))).toBe(200);
  expect(await listed()).toEqual([
    {
      ...{ id: "till-1", name: "till-1", branch: "south", isRegistered: true, isRevoked: false },
      seenAt: expect.any(Number),
    },
  ]);
});

test("a released till hands over what it sold before, and a revoked one stays revoked", async () => {
  const { server, north, login, act, listed } = await shop();
  const tokens = await loginTill(server, north, { device: { id: "till-1" } });
  const sale = { collection: "sales", action: "create", data: saleOf(1, { branchId: "north" }) };
  const till = new RawTill(server, tokens);
  await till.push(sale);
  await act("till-1", "release");
  const anew = new RawTill(server, await json(login(north, tokens.device ?? {})));
  expect(await anew.push(sale)).toMatchObject([{ status: "applied" }]);
  expect(await act("till-1", "revoke")).toBe(204);
  expect(await act("till-1", "release")).toBe(204);
  const revoked = new RawTill(server, await json(login(north, { id: "till-1" })));
  expect((await json(revoked.post("/sync/register", { schemaVersion: 1 }))).code).toBe("device_revoked");
  expect(await listed()).toMatchObject([{ id: "till-1", branch: "north", isRegistered: true, isRevoked: true }]);
});

test("only the owner lists and releases tills, those of their own tenant", async () => {
  const { server, owner, north, act, listed, login, outcome } = await shop();
  const { accessToken, device } = await loginTill(server, north, { device: { id: "till-1" } });
  const stranger = await register(server);
  const manager = await addUser(server, owner, { roles: ["manager"] });
  const { accessToken: office } = await json(
    call(server, "/auth/login", { body: { email: manager, password: PASSWORD } }),
  );
  for (const token of [accessToken, office]) {
    expect(await act("till-1", "release", token)).toEqual([403, "forbidden"]);
    expect(await outcome(call(server, "/auth/devices", { token }))).toEqual([403, "forbidden"]);
  }
  expect(await act("till-1", "release", stranger.accessToken)).toEqual([404, "not_found"]);
  expect(await act("no-such-till", "release")).toEqual([404, "not_found"]);
  expect((await json(call(server, "/auth/devices", { token: stranger.accessToken }))).devices).toEqual([]);
  expect((await listed()).map(({ id }: { id: string }) => id)).toEqual(["till-1"]);
  expect(await outcome(login(north, device ?? {}))).toBe(200);
  // The same id in another tenant is another device.
  expect((await loginTill(server, stranger.email, { device: { id: "till-1" } })).device?.secret).toBeDefined();
});

test("the log has who registered and released a till and who was refused, and no secret", async () => {
  const { server, owner, north, south, login, act, events } = await shop();
  const { device } = await loginTill(server, north, { device: { id: "till-1" } });
  await login(south, { id: "till-1", secret: newSecret() });
  await login(south, device ?? {});
  await act("till-1", "release");
  const told = events.filter(({ event, reason }) => event.startsWith("device_") || reason !== undefined);
  expect(told.map(({ event, reason, device: at, target }) => [event, reason, at, target])).toEqual([
    ["device_registered", undefined, "till-1", undefined],
    ["sign_in_failed", "device_taken", "till-1", undefined],
    ["sign_in_failed", "another_branch", "till-1", undefined],
    ["device_released", undefined, undefined, "till-1"],
  ]);
  expect(told.map(({ tenant }) => tenant)).toEqual(told.map(() => owner.tenant.id));
  expect(JSON.stringify(events)).not.toContain(device?.secret);
});
