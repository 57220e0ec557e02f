import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { jsonLogger } from "../../../examples/reference-server/logger.ts";
import { boundedLog, type SecurityEvent } from "../../../examples/reference-server/security-log.ts";
import type { ServerOptions } from "../../../examples/reference-server/server.ts";
import { addUser, call, json, loginTill, PASSWORD, RawTill, register, saleOf, start, stock } from "./support.ts";

async function shop(options: Partial<ServerOptions> = {}) {
  const events: SecurityEvent[] = [];
  const lines: string[] = [];
  const logger = jsonLogger("debug", (line) => void lines.push(line));
  const securityLog = (event: SecurityEvent) => void events.push(event);
  const server = await start({ logger, securityLog, ...options });
  const owner = await register(server);
  /** Those of an event that were logged since the last time, without the request's id. */
  let read = 0;
  const take = () => {
    const fresh = events.slice(read);
    read = events.length;
    return fresh.map(({ requestId: _, ...event }) => event);
  };
  return { server, owner, events, lines, take };
}

const address = "127.0.0.1";
const post = (server: Parameters<typeof call>[0], path: string, token: string, body: object = {}) =>
  call(server, path, { token, body });

test("who registered, signed in and out, at which till, from where", async () => {
  const { server, owner, take } = await shop();
  const who = { tenant: owner.tenant.id, user: owner.user.id, address };
  expect(take()).toEqual([{ event: "registered", ...who }]);
  const till = await loginTill(server, owner.email, { device: { id: "till-1" } });
  await post(server, "/auth/logout", till.accessToken);
  expect(take()).toEqual([
    { event: "device_registered", ...who, device: "till-1" },
    { event: "sign_in", ...who, device: "till-1" },
    { event: "sign_out", ...who, device: "till-1" },
  ]);
});

test("who failed to: a known account by its id, an unknown one without the text that was typed", async () => {
  const { server, owner, take, lines } = await shop();
  take();
  const guess = (email: string) => call(server, "/auth/login", { body: { email, password: "a guess of mine" } });
  for (let n = 0; n < 6; n++) await guess(owner.email);
  await guess("my secret typed into the wrong field");
  const failed = { event: "sign_in_failed", address };
  expect(take()).toEqual([
    ...Array.from({ length: 5 }, () => ({
      ...failed,
      reason: "password",
      tenant: owner.tenant.id,
      user: owner.user.id,
    })),
    { event: "sign_in_throttled", address },
    { ...failed, reason: "unknown_account" },
  ]);
  expect(lines.join("")).not.toMatch(/a guess|my secret|@shop\.example/);
});

test("what an owner did to whom", async () => {
  const { server, owner, take } = await shop();
  const { accessToken: token } = owner;
  await addUser(server, owner, { roles: ["cashier"] });
  const { users } = await json(call(server, "/auth/users", { token }));
  const { id } = users.find((user: { id: string }) => user.id !== owner.user.id);
  await loginTill(server, owner.email, { device: { id: "till-9" } });
  take();
  for (const what of ["recovery", "sign-out", "disable", "enable", "second-factor/remove"]) {
    await post(server, `/auth/users/${id}/${what}`, token);
  }
  await post(server, "/auth/devices/till-9/release", token);
  await post(server, "/auth/devices/till-9/revoke", token);
  await post(server, "/auth/sessions/end", token, { currentPassword: "a wrong one" });
  const who = { tenant: owner.tenant.id, user: owner.user.id, address };
  expect(take()).toEqual([
    { event: "recovery_code_issued", ...who, target: id },
    { event: "user_signed_out", ...who, target: id },
    { event: "user_disabled", ...who, target: id },
    { event: "user_enabled", ...who, target: id },
    { event: "second_factor_removed", ...who, target: id },
    { event: "device_released", ...who, target: "till-9" },
    { event: "device_revoked", ...who, target: "till-9" },
    { event: "password_check_failed", ...who },
    { event: "access_denied", ...who },
  ]);
});

test("who released, discarded or resolved what at a desk, and who was not allowed to", async () => {
  const { server, owner, take } = await shop();
  await stock(server, owner.tenant.id);
  const email = await addUser(server, owner, { roles: ["cashier"] });
  const tokens = await loginTill(server, email, { device: { id: "till-1" } });
  const till = new RawTill(server, tokens);
  const wrong = { collection: "sales", action: "create", data: saleOf(1, { totalCents: 1 }) };
  const [one, two] = await till.push(wrong, wrong);
  expect([one.status, two.status]).toEqual(["quarantined", "quarantined"]);
  take();
  const ids = (await json(call(server, "/sync/quarantine", { token: owner.accessToken }))).quarantined.map(
    (entry: { operation: { id: string } }) => entry.operation.id,
  );
  await post(server, `/sync/quarantine/${ids[0]}/release`, tokens.accessToken);
  await post(server, `/sync/quarantine/${ids[0]}/release`, owner.accessToken);
  await post(server, `/sync/quarantine/${ids[1]}/discard`, owner.accessToken, { reason: "a typing error of Carl" });
  await post(server, `/sync/conflicts/${randomUUID()}/resolve`, owner.accessToken, { choice: "server" });
  const who = { tenant: owner.tenant.id, user: owner.user.id, address };
  expect(take()).toEqual([
    { event: "access_denied", ...who, user: tokens.user.id, device: "till-1" },
    { event: "quarantine_released", ...who, target: ids[0] },
    { event: "quarantine_discarded", ...who, target: ids[1] },
    // There is no such conflict: nothing was resolved.
  ]);
});

test("which tokens were refused, and why, without the token", async () => {
  let now = Date.now();
  const { server, owner, take, lines } = await shop({ now: () => now });
  const { accessToken, refreshToken } = owner;
  const till = await loginTill(server, owner.email, { device: { id: "till-1" } });
  const ask = (token: string) => call(server, "/sync/conflicts", { token });
  take();
  await ask("garbage.of.mine");
  await post(server, "/auth/logout", accessToken);
  await ask(accessToken);
  now += 16 * 60_000;
  await ask(till.accessToken);
  expect(take()).toEqual([
    { event: "token_refused", reason: "invalid", address },
    { event: "sign_out", tenant: owner.tenant.id, user: owner.user.id, address },
    { event: "token_refused", reason: "session_ended", address },
    { event: "token_refused", reason: "expired", address },
  ]);
  const refresh = () => call(server, "/auth/refresh", { body: { refreshToken: till.refreshToken } });
  await refresh();
  now += 61_000;
  await refresh();
  const who = { tenant: owner.tenant.id, user: owner.user.id, device: "till-1" };
  expect(take()).toEqual([{ event: "refresh_token_reused", ...who, address }]);
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/sync/live`, ["tillsync.1", "tillsync.bearer.Zm9v"]);
  await new Promise((resolve) => socket.on("error", resolve));
  expect(take()).toEqual([{ event: "token_refused", reason: "unknown", address }]);
  for (const secret of ["garbage.of.mine", accessToken, refreshToken, till.refreshToken, PASSWORD]) {
    expect(lines.join("")).not.toContain(secret);
  }
});

test("a caller who is not known writes nothing of any length into a log, and breaks no line", async () => {
  const { server, lines } = await shop({ proxies: 1, securityLog: undefined });
  lines.length = 0;
  const long = "x".repeat(6_000);
  await new Promise((resolve) => {
    const headers = { "tillsync-device": long, "tillsync-request-id": long.slice(0, 2_000), authorization: "Bearer x" };
    request(`${server.url}/sync/${long.slice(0, 2_000)}`, { headers }, (answer) =>
      answer.resume().on("end", resolve),
    ).end();
  });
  await call(server, "/auth/login", {
    body: { email: long.slice(0, 200), password: long.slice(0, 200) },
    headers: { "x-forwarded-for": `1.2.3.4, ${long}`, "tillsync-device": '\t{"event":"sign_in"}' },
  });
  expect(lines.length).toBeGreaterThanOrEqual(3);
  for (const line of lines) {
    expect(line.length).toBeLessThan(400);
    expect(line.trimEnd()).not.toContain("\n");
    expect(JSON.parse(line)).not.toHaveProperty("device");
  }
});

test("a till that is known is in the request's line, by the id of its token", async () => {
  const { server, owner, lines } = await shop();
  const { accessToken } = await loginTill(server, owner.email, { device: { id: "till-1" } });
  await call(server, "/sync/conflicts", { token: accessToken });
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    path: "/sync/conflicts",
    tenant: owner.tenant.id,
    device: "till-1",
  });
});

test("whatever an integrator's address says, an entry is short and plain", () => {
  const written: SecurityEvent[] = [];
  boundedLog((event) => void written.push(event))({
    event: "sign_in",
    address: `\u001b[31m${"1".repeat(500)}\n`,
    tenant: undefined,
  });
  expect(written).toEqual([{ event: "sign_in", address: `?[31m${"1".repeat(58)}~` }]);
});
