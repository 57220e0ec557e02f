import { expect, test } from "vitest";
import type { RecoveryMessage } from "../../../examples/reference-server/auth/auth-parts.ts";
import type { SecurityEvent } from "../../../examples/reference-server/security-log.ts";
import { addUser, CHEAP, call, json, loginTill, type Owner, PASSWORD, register, start } from "./support.ts";

const NEW = "velvet anchor tomato";
type Server = Awaited<ReturnType<typeof start>>;

const login = (server: Server, body: object) => call(server, "/auth/login", { body });
const codeOf = async (response: Response | Promise<Response>) => {
  const answer = await response;
  return answer.ok ? answer.status : (await answer.json()).code;
};
const change = (server: Server, token: string, currentPassword: string, newPassword: string) =>
  call(server, "/auth/password", { token, body: { currentPassword, newPassword } });
const isIn = async (server: Server, { accessToken: token }: { readonly accessToken: string }) =>
  (await call(server, "/sync/conflicts", { token })).status;

function signal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

async function userId(server: Server, { accessToken: token }: Owner, email: string): Promise<string> {
  const { users } = await json(call(server, "/auth/users", { token }));
  return users.find((user: { email: string }) => user.email === email).id;
}

test("a person changes their password: the new one counts, and every other session of theirs has ended", async () => {
  const server = await start();
  const owner = await register(server);
  const [phone, till] = [
    await json(login(server, { email: owner.email, password: PASSWORD })),
    await loginTill(server, owner.email),
  ];
  const signedOut = await loginTill(server, owner.email);
  await call(server, "/auth/logout", { token: signedOut.accessToken, body: {} });
  expect((await change(server, owner.accessToken, PASSWORD, NEW)).status).toBe(204);

  expect(await isIn(server, owner)).toBe(200);
  // Also the one of the till at which they have signed out since: whoever knew the password could have begun it.
  for (const other of [phone, till, signedOut]) {
    expect(await isIn(server, other)).toBe(401);
    expect(await codeOf(call(server, "/auth/refresh", { body: { refreshToken: other.refreshToken } }))).toBe(
      "invalid_refresh_token",
    );
  }
  expect(await codeOf(login(server, { email: owner.email, password: PASSWORD }))).toBe("invalid_credentials");
  expect(await codeOf(login(server, { email: owner.email, password: NEW }))).toBe(200);
});

test("the current password is asked for, and guessing it is slowed down", async () => {
  const server = await start();
  const owner = await register(server);
  const codes: unknown[] = [];
  for (let n = 0; n < 7; n++) codes.push(await codeOf(change(server, owner.accessToken, `guess ${n}`, NEW)));
  expect(codes).toEqual([...Array.from({ length: 5 }, () => "wrong_password"), "throttled", "throttled"]);
  expect(await codeOf(change(server, owner.accessToken, PASSWORD, NEW))).toBe("throttled");
});

test("nobody changes a password without a person: not a till alone, and not a revoked one", async () => {
  const server = await start();
  const owner = await register(server);
  const tills = [await loginTill(server, owner.email), await loginTill(server, owner.email)] as const;
  await call(server, "/auth/logout", { token: tills[0].accessToken, body: {} });
  await call(server, `/auth/devices/${tills[1].device?.id}/revoke`, { token: owner.accessToken, body: {} });
  for (const { accessToken } of tills)
    expect(await codeOf(change(server, accessToken, PASSWORD, NEW))).toBe("forbidden");
  expect(await codeOf(change(server, "garbage", PASSWORD, NEW))).toBe("unauthenticated");
});

test("a password that is easy to guess is refused wherever one is chosen, and nothing is changed", async () => {
  const server = await start();
  const owner = await register(server, "Corner Shop");
  const tenant = { name: "Bakery Miller" };
  const refused = [
    await call(server, "/auth/register", { body: { tenant, email: "m@shop.example", password: "BakeryMiller1" } }),
    await change(server, owner.accessToken, PASSWORD, "CornerShop-12"),
    await login(server, { email: owner.email, password: PASSWORD, newPassword: "password123!" }),
    await call(server, "/auth/users", {
      token: owner.accessToken,
      body: { email: "karla.kunz@shop.example", password: "karlakunz2026", roles: ["manager"] },
    }),
  ];
  for (const answer of refused) {
    expect(answer.status).toBe(400);
    const { code, detail } = await answer.json();
    expect([code, detail]).toEqual(["weak_password", expect.stringContaining("Use several words")]);
  }
  expect(await codeOf(login(server, { email: owner.email, password: PASSWORD }))).toBe(200);
});

test("a server may ask a list of leaked passwords", async () => {
  const server = await start({ isLeaked: async (password) => password === NEW });
  const owner = await register(server);
  expect(await codeOf(change(server, owner.accessToken, PASSWORD, NEW))).toBe("weak_password");
  expect(await codeOf(change(server, owner.accessToken, PASSWORD, `${NEW} two`))).toBe(204);
});

test("an owner gives a code to a person who has forgotten their password; it only lets them choose one, once", async () => {
  const events: SecurityEvent[] = [];
  const server = await start({ securityLog: (event) => void events.push(event) });
  const owner = await register(server);
  const email = await addUser(server, owner, { roles: ["cashier"] });
  const before = await loginTill(server, email);
  const path = `/auth/users/${await userId(server, owner, email)}/recovery`;
  const { oneTimeCode } = await json(call(server, path, { token: owner.accessToken, body: {} }));

  expect(await isIn(server, before)).toBe(200); // it may only have been forgotten
  expect(await codeOf(login(server, { email, password: oneTimeCode }))).toBe("password_change_required");
  expect(await codeOf(login(server, { email, password: oneTimeCode, newPassword: "1234567890" }))).toBe(
    "weak_password",
  );
  const entered = await login(server, { email, password: oneTimeCode.toLowerCase(), newPassword: NEW });
  expect(await codeOf(entered)).toBe(200);
  expect(await isIn(server, before)).toBe(401);
  expect(await codeOf(login(server, { email, password: oneTimeCode, newPassword: NEW }))).toBe("invalid_credentials");
  expect(await codeOf(login(server, { email, password: PASSWORD }))).toBe("invalid_credentials");
  expect(await codeOf(login(server, { email, password: NEW }))).toBe(200);
  expect(JSON.stringify(events)).not.toContain(oneTimeCode);
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(["recovery_code_issued", "password_changed"]),
  );
});

test("of two who use a code at the same time, one gets in", async () => {
  const server = await start();
  const owner = await register(server);
  const email = await addUser(server, owner, { roles: ["cashier"] });
  const path = `/auth/users/${await userId(server, owner, email)}/recovery`;
  const { oneTimeCode } = await json(call(server, path, { token: owner.accessToken, body: {} }));
  const body = { email, password: oneTimeCode };
  const codes = await Promise.all([
    codeOf(login(server, { ...body, newPassword: NEW })),
    codeOf(login(server, { ...body, newPassword: `${NEW} two` })),
  ]);
  expect(codes.filter((code) => code === 200)).toHaveLength(1);
});

test("a code ends after a day", async () => {
  let now = Date.now();
  const server = await start({ now: () => now });
  const owner = await register(server);
  const { user, oneTimeCode, expiresAt } = await json(
    call(server, "/auth/users", {
      token: owner.accessToken,
      body: { email: "new@shop.example", roles: ["cashier"], branch: "main" },
    }),
  );
  expect([user.email, expiresAt - now]).toEqual(["new@shop.example", 24 * 3_600_000]);
  now = expiresAt;
  const body = { email: user.email, password: oneTimeCode, newPassword: NEW };
  expect(await codeOf(login(server, body))).toBe("invalid_credentials");
  now -= 1;
  expect(await codeOf(login(server, body))).toBe(200);
});

test("only another owner gives a code, and only to a person of their tenant", async () => {
  const server = await start();
  const [owner, stranger] = [await register(server), await register(server)];
  const email = await addUser(server, owner, { roles: ["manager"] });
  const manager = await json(login(server, { email, password: PASSWORD }));
  const issue = (token: string, id: string) => codeOf(call(server, `/auth/users/${id}/recovery`, { token, body: {} }));
  const id = await userId(server, owner, email);
  expect(await issue(manager.accessToken, owner.user.id)).toBe("forbidden");
  // Whoever finds the owner's token must not get the account by it.
  expect(await issue(owner.accessToken, owner.user.id)).toBe("forbidden");
  expect(await issue(stranger.accessToken, id)).toBe("not_found");
  expect(await issue(owner.accessToken, "nobody")).toBe("not_found");
  expect(await issue(owner.accessToken, id)).toBe(200);
});

test("a server that can send messages sends a code to whoever asks, if it is a person's address, for ten minutes", async () => {
  let now = Date.now();
  const sent: RecoveryMessage[] = [];
  const sendRecovery = async (message: RecoveryMessage) => void sent.push(message);
  const server = await start({ now: () => now, sendRecovery });
  const { email } = await register(server, "Olga");
  const ask = (address: string) => call(server, "/auth/recovery", { body: { email: address } });
  const answers = [await ask(email), await ask("nobody@shop.example")];
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["", ""]);
  await server.auth.settle();
  expect(sent).toMatchObject([{ email, name: "Olga", expiresAt: now + 600_000 }]);
  const body = { email, password: sent[0]?.code, newPassword: NEW };
  now += 600_000;
  expect(await codeOf(login(server, body))).toBe("invalid_credentials");
  now -= 1;
  expect(await codeOf(login(server, body))).toBe(200);
  // Three messages an hour, whoever asks.
  expect([await codeOf(ask(email)), await codeOf(ask(email)), await codeOf(ask(email))]).toEqual([
    202,
    202,
    "throttled",
  ]);
});

test("a server without messages says whom to ask; one whose messages fail says nothing else than before", async () => {
  const logged: unknown[] = [];
  const log = (...entry: unknown[]) => void logged.push(entry);
  const silent = await start();
  const broken = await start({
    logger: { error: log, info() {}, debug() {} },
    sendRecovery: async ({ code }) => {
      throw new Error(`smtp: refused ${code}`);
    },
  });
  const { email } = await register(broken);
  expect(await codeOf(call(silent, "/auth/recovery", { body: { email } }))).toBe("not_found");
  expect((await call(broken, "/auth/recovery", { body: { email } })).status).toBe(202);
  await broken.auth.settle();
  expect(JSON.stringify(logged)).toContain("A recovery message could not be sent");
  expect(JSON.stringify(logged)).not.toContain("refused");
});

test("the password of an earlier version is hashed anew when its person signs in, and their sessions stay", async () => {
  const database = await (await import("./support.ts")).fallback.newDatabase();
  const events: SecurityEvent[] = [];
  const before = await start({ database, passwordCost: CHEAP });
  const owner = await register(before);
  await before.close();
  const dearer = { ...CHEAP, p: 3 };
  const after = await start({ database, passwordCost: dearer, securityLog: (event) => void events.push(event) });
  for (const password of ["a wrong one", PASSWORD, PASSWORD]) await login(after, { email: owner.email, password });
  // At the first right one, and not again.
  expect(events.map(({ event }) => event)).toEqual(["sign_in_failed", "password_rehashed", "sign_in", "sign_in"]);
  expect(await isIn(after, owner)).toBe(200);
});

test("a sign-in that began before the password was changed does not complete with the old one", async () => {
  const slow = `${NEW} slow`;
  const [looking, go] = [signal(), signal()];
  const server = await start({
    async isLeaked(password) {
      if (password !== slow) return false;
      looking.give();
      await go.given;
      return false;
    },
  });
  const owner = await register(server);
  const late = codeOf(login(server, { email: owner.email, password: PASSWORD, newPassword: slow }));
  await looking.given;
  expect((await change(server, owner.accessToken, PASSWORD, NEW)).status).toBe(204);
  go.give();
  expect(await late).toBe("changed_meanwhile");
  expect(await codeOf(login(server, { email: owner.email, password: NEW }))).toBe(200);
});
