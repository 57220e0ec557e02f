import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stepAt, totp } from "../../../examples/reference-server/auth/totp.ts";
import type { SecurityEvent } from "../../../examples/reference-server/security-log.ts";
import type { ServerOptions } from "../../../examples/reference-server/server.ts";
import { addUser, call, json, loginTill, type Owner, PASSWORD, register, start, temporaryFolder } from "./support.ts";

type Server = Awaited<ReturnType<typeof start>>;
const MOMENT = Date.UTC(2026, 10, 20, 8);
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** As an authenticator app does. */
function bytesOf(secret: string): Uint8Array {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Uint8Array.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}

async function shop(options: Partial<ServerOptions> = {}) {
  const clock = { now: MOMENT };
  const events: SecurityEvent[] = [];
  const server = await start({ now: () => clock.now, securityLog: (event) => void events.push(event), ...options });
  return { server, clock, events, owner: await register(server) };
}

const post = (server: Server, path: string, token: string | undefined, body: object) =>
  call(server, path, { body, ...(token !== undefined && { token }) });
const codeOf = async (response: Promise<Response>) => {
  const answer = await response;
  return answer.ok ? answer.status : (await answer.json()).code;
};
const login = (server: Server, { email }: Pick<Owner, "email">, more: object = {}) =>
  post(server, "/auth/login", undefined, { email, password: PASSWORD, ...more });

/** Enrols and confirms with the code of the moment, and moves on to the next step. */
async function enrol(server: Server, clock: { now: number }, { accessToken: token }: Pick<Owner, "accessToken">) {
  const { secret, uri } = await json(post(server, "/auth/second-factor/enrol", token, { currentPassword: PASSWORD }));
  const code = () => totp(bytesOf(secret), stepAt(clock.now));
  const { recoveryCodes } = await json(post(server, "/auth/second-factor/confirm", token, { code: code() }));
  clock.now += 30_000;
  return { secret, uri, code, recoveryCodes: recoveryCodes as string[] };
}

test("once a second factor is confirmed, the password alone is not enough", async () => {
  const { server, clock, owner } = await shop();
  const other = await json(login(server, owner));
  const { code, uri } = await enrol(server, clock, owner);
  expect(uri).toMatch(/^otpauth:\/\/totp\/Shop:owner-.+secret=[A-Z2-7]{32}&issuer=Shop$/);
  expect(await codeOf(login(server, owner))).toBe("second_factor_required");
  expect(await codeOf(login(server, owner, { code: "000000" }))).toBe("invalid_second_factor");
  expect(await codeOf(login(server, owner, { code: code() }))).toBe(200);
  // Sessions that were begun with the password alone have ended, and the one that enrolled goes on.
  const status = async (token: string) => (await call(server, "/sync/conflicts", { token })).status;
  expect([await status(other.accessToken), await status(owner.accessToken)]).toEqual([401, 200]);
});

test("whoever does not know the password learns nothing of the second factor", async () => {
  const { server, clock, owner } = await shop();
  const { code } = await enrol(server, clock, owner);
  expect(await codeOf(login(server, owner, { password: "a wrong one" }))).toBe("invalid_credentials");
  expect(await codeOf(login(server, owner, { password: "a wrong one", code: code() }))).toBe("invalid_credentials");
  expect(await codeOf(login(server, owner, { code: code() }))).toBe(200); // not used up by that
});

test("before it is confirmed, it is not asked for, and a new enrolment replaces it", async () => {
  const { server, clock, owner } = await shop();
  const { accessToken: token } = owner;
  const begin = (currentPassword: string) => post(server, "/auth/second-factor/enrol", token, { currentPassword });
  expect(await codeOf(begin("a wrong one"))).toBe("wrong_password");
  expect(await codeOf(post(server, "/auth/second-factor/confirm", token, { code: "123456" }))).toBe("not_found");
  const first = await json(begin(PASSWORD));
  expect(await codeOf(login(server, owner))).toBe(200);
  await begin(PASSWORD);
  const code = totp(bytesOf(first.secret), stepAt(clock.now));
  expect(await codeOf(post(server, "/auth/second-factor/confirm", token, { code }))).toBe("invalid_second_factor");
});

test("a code gets in once, also if it is sent twice at the same time", async () => {
  const { server, clock, owner } = await shop();
  const { code } = await enrol(server, clock, owner);
  const codes = await Promise.all([1, 2, 3].map(() => codeOf(login(server, owner, { code: code() }))));
  expect(codes.sort()).toEqual([200, "invalid_second_factor", "invalid_second_factor"]);
  clock.now += 30_000;
  expect(await codeOf(login(server, owner, { code: code() }))).toBe(200);
});

test("the code that confirmed is used up too", async () => {
  const { server, clock, owner } = await shop();
  const { code } = await enrol(server, clock, owner);
  clock.now -= 30_000;
  expect(await codeOf(login(server, owner, { code: code() }))).toBe("invalid_second_factor");
});

test("a recovery code gets in in place of the app, once", async () => {
  const { server, clock, owner, events } = await shop();
  const { recoveryCodes } = await enrol(server, clock, owner);
  expect(new Set(recoveryCodes).size).toBe(10);
  const [one = "", two = ""] = recoveryCodes;
  expect(await codeOf(login(server, owner, { code: one.toLowerCase().replaceAll("-", " ") }))).toBe(200);
  expect(await codeOf(login(server, owner, { code: one }))).toBe("invalid_second_factor");
  expect(await codeOf(login(server, owner, { code: two }))).toBe(200);
  expect(events.filter(({ event }) => event === "recovery_code_used")).toHaveLength(2);
});

test("ten wrong codes in an hour, and nobody is let in to that account, wherever they come from", async () => {
  const { server, clock, owner } = await shop({ proxies: 1 });
  const { code } = await enrol(server, clock, owner);
  const from = (n: number, value: string) =>
    codeOf(
      call(server, "/auth/login", {
        body: { email: owner.email, password: PASSWORD, code: value },
        headers: { "x-forwarded-for": `198.51.100.${n}` },
      }),
    );
  const codes = await Promise.all(Array.from({ length: 15 }, (_, n) => from(n, String(n).padStart(6, "0"))));
  expect(codes.filter((one) => one === "invalid_second_factor")).toHaveLength(10);
  expect(codes.filter((one) => one === "throttled")).toHaveLength(5);
  expect(await from(99, code())).toBe("throttled");
  clock.now += 3_600_000;
  expect(await from(99, code())).toBe(200);
});

test("it is removed with the password and a code, and by another owner for a person who has lost it", async () => {
  const { server, clock, owner } = await shop();
  const { accessToken: token } = owner;
  const { code } = await enrol(server, clock, owner);
  const remove = (body: object) => codeOf(post(server, "/auth/second-factor/remove", token, body));
  expect(await remove({ currentPassword: "a wrong one", code: code() })).toBe("wrong_password");
  expect(await remove({ currentPassword: PASSWORD })).toBe("invalid_second_factor");
  expect(await remove({ currentPassword: PASSWORD, code: code() })).toBe(204);
  expect(await codeOf(login(server, owner))).toBe(200);

  const email = await addUser(server, owner, { roles: ["manager"] });
  const manager = await json(login(server, { email }));
  await enrol(server, clock, manager);
  expect(await codeOf(login(server, { email }))).toBe("second_factor_required");
  expect(await codeOf(post(server, `/auth/users/${manager.user.id}/second-factor/remove`, token, {}))).toBe(204);
  expect((await call(server, "/sync/conflicts", { token: manager.accessToken })).status).toBe(401);
  expect(await codeOf(login(server, { email }))).toBe(200);
});

test("where the office needs one, an owner without it has a cashier's rights until it is set up", async () => {
  const { server, clock, owner } = await shop({ secondFactorFor: "office" });
  expect(owner).toMatchObject({ required: "second_factor" });
  const users = (token: string) => codeOf(call(server, "/auth/users", { token }));
  const desk = async (token: string) => (await call(server, "/sync/quarantine", { token })).status;
  expect([await users(owner.accessToken), await desk(owner.accessToken)]).toEqual(["forbidden", 200]);
  const atTill = await loginTill(server, owner.email);
  expect(atTill).toMatchObject({ required: "second_factor" });

  const { code } = await enrol(server, clock, owner);
  const renewed = await json(post(server, "/auth/refresh", undefined, { refreshToken: owner.refreshToken }));
  expect(renewed.required).toBeUndefined();
  expect(await users(renewed.accessToken)).toBe(200);
  const remove = { currentPassword: PASSWORD, code: code() };
  expect(await codeOf(post(server, "/auth/second-factor/remove", renewed.accessToken, remove))).toBe("forbidden");

  const cashier = await addUser(server, { ...owner, ...renewed }, { roles: ["cashier"] });
  expect((await json(login(server, { email: cashier }))).required).toBeUndefined();
});

test("a new password by a one-time code does not do without the second factor", async () => {
  const { server, clock, owner } = await shop();
  const email = await addUser(server, owner, { roles: ["manager"] });
  const manager = await json(login(server, { email }));
  const { code } = await enrol(server, clock, manager);
  const { oneTimeCode } = await json(post(server, `/auth/users/${manager.user.id}/recovery`, owner.accessToken, {}));
  const body = { password: oneTimeCode, newPassword: "velvet anchor tomato" };
  expect(await codeOf(login(server, { email }, { password: oneTimeCode }))).toBe("password_change_required");
  expect(await codeOf(login(server, { email }, body))).toBe("second_factor_required");
  expect(await codeOf(login(server, { email }, { ...body, code: code() }))).toBe(200);
});

test("neither the secret nor a recovery code is in the database or in a log", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const lines: string[] = [];
  const log = (message: string, fields?: object) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const clock = { now: MOMENT };
  const server = await start({ database, now: () => clock.now, logger: { error: log, info: log, debug: log } });
  const owner = await register(server);
  const { secret, recoveryCodes, code } = await enrol(server, clock, owner);
  const used = code();
  await login(server, owner, { code: used });
  await login(server, owner, { code: recoveryCodes[0] });
  await server.close();
  const bytes = await readFile(database, "latin1");
  expect(bytes).toContain(owner.email);
  const raw = Buffer.from(bytesOf(secret)).toString("latin1");
  for (const text of [secret, raw, ...recoveryCodes, ...recoveryCodes.map((one) => one.replaceAll("-", ""))]) {
    expect(bytes).not.toContain(text);
    expect(lines.join("\n")).not.toContain(text);
  }
  expect(lines.join("\n")).not.toContain(used);
  expect(lines.join("\n")).toContain("second_factor_enrolled");
});

test("a signing key that is replaced takes the second factors along; one that is gone keeps their owners out", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const clock = { now: MOMENT };
  const [old, next] = ["an old key of 32 characters or so", "a new key of 32 characters or so!"];
  const began = (secret: string) => start({ database, now: () => clock.now, secret });
  const before = await began(old);
  const owner = await register(before);
  const { code } = await enrol(before, clock, owner);
  await before.close();
  const during = await began(`${next}, ${old}`);
  expect(await codeOf(login(during, owner, { code: code() }))).toBe(200);
  await during.close();
  clock.now += 30_000;
  const after = await began(next);
  expect(await codeOf(login(after, owner, { code: code() }))).toBe(200);
  await after.close();
  clock.now += 30_000;
  const lost = await began("a third key of 32 characters or so");
  expect(await codeOf(login(lost, owner, { code: code() }))).toBe("invalid_second_factor");
});
