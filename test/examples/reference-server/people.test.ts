import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { RunningServer } from "../../../examples/reference-server/server.ts";
import {
  addUser,
  call,
  json,
  loginTill,
  type Owner,
  PASSWORD,
  RawTill,
  register,
  saleOf,
  start,
  stock,
  tillOf,
} from "./support.ts";

const status = async (server: RunningServer, token: string) =>
  (await call(server, "/sync/conflicts", { token })).status;
const codeOf = async (response: Promise<Response>) => {
  const answer = await response;
  return answer.ok ? answer.status : (await answer.json()).code;
};

async function shop() {
  const server = await start();
  const owner = await register(server);
  await stock(server, owner.tenant.id);
  const email = await addUser(server, owner, { roles: ["cashier"] });
  const { users } = await json(call(server, "/auth/users", { token: owner.accessToken }));
  const id: string = users.find((user: { email: string }) => user.email === email).id;
  const act = (what: string, token = owner.accessToken, whom = id) =>
    call(server, `/auth/users/${whom}/${what}`, { token, body: {} });
  return { server, owner, email, id, act };
}

test.each(["disable", "sign-out"])(
  "after %s, nothing that a person began goes on: token, refresh, socket",
  async (what) => {
    const { server, owner, email, act } = await shop();
    const [till, left] = [await loginTill(server, email), await loginTill(server, email)];
    const own = await json(call(server, "/auth/login", { body: { email, password: PASSWORD } }));
    await call(server, "/auth/logout", { token: left.accessToken, body: {} });
    const bearer = `tillsync.bearer.${Buffer.from(till.accessToken).toString("base64url")}`;
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/sync/live`, ["tillsync.1", bearer]);
    const heard: unknown[] = [];
    socket.on("message", (message) => heard.push(message));
    await once(socket, "open");
    const closed = once(socket, "close");

    expect((await act(what)).status).toBe(204);
    for (const { accessToken, refreshToken } of [till, left, own]) {
      expect(await status(server, accessToken)).toBe(401);
      expect(await codeOf(call(server, "/auth/refresh", { body: { refreshToken } }))).toBe("invalid_refresh_token");
    }
    // Another till sells: the next poke.
    const seller = new RawTill(server, await loginTill(server, owner.email));
    await seller.push({ collection: "sales", action: "create", data: saleOf(1) });
    expect([(await closed)[0], heard]).toEqual([1008, []]);
    expect(await status(server, owner.accessToken)).toBe(200);
  },
);

test("a disabled person signs in no more, the tills know, and an owner may let them in again", async () => {
  const { server, owner, email, id, act } = await shop();
  const login = (password = PASSWORD) => codeOf(call(server, "/auth/login", { body: { email, password } }));
  await act("disable");
  expect([await login(), await login("a wrong one")]).toEqual(["account_disabled", "invalid_credentials"]);
  const { till } = await tillOf(server, owner.email);
  expect(await till.collections.users.get(id)).toMatchObject({ active: false });
  const listed = async () => (await json(call(server, "/auth/users", { token: owner.accessToken }))).users;
  expect((await listed()).map((user: object) => "isDisabled" in user && user.isDisabled).sort()).toEqual([false, true]);
  await act("enable");
  expect(await login()).toBe(200);
  await till.sync();
  expect(await till.collections.users.get(id)).toMatchObject({ active: true });
});

test("what a person sold at a till before they were disabled is handed over by whoever signs in there next", async () => {
  const { server, owner, email, act } = await shop();
  const tokens = await loginTill(server, email, { device: { id: "till-1" } });
  const cashier = new RawTill(server, tokens);
  await cashier.push({ collection: "sales", action: "create", data: saleOf(1) });
  await act("disable");
  const next = new RawTill(server, await loginTill(server, owner.email, tokens.device && { device: tokens.device }));
  expect(await next.push({ collection: "sales", action: "create", data: saleOf(1) })).toMatchObject([
    { status: "applied" },
  ]);
});

test("only an owner does this, to another person, of their own tenant", async () => {
  const { server, owner, email, act } = await shop();
  const stranger = await register(server);
  const { accessToken } = await loginTill(server, email);
  for (const what of ["disable", "enable", "sign-out", "recovery", "second-factor/remove"]) {
    expect([what, await codeOf(act(what, accessToken, owner.user.id))]).toEqual([what, "forbidden"]);
    expect([what, await codeOf(act(what, owner.accessToken, owner.user.id))]).toEqual([what, "forbidden"]);
    expect([what, await codeOf(act(what, stranger.accessToken))]).toEqual([what, "not_found"]);
  }
  expect(await codeOf(call(server, "/auth/users", { token: accessToken }))).toBe("forbidden");
  expect(await status(server, accessToken)).toBe(200);
  const { users } = await json(call(server, "/auth/users", { token: stranger.accessToken }));
  expect(users.map((user: { email: string }) => user.email)).toEqual([stranger.email]);
});

test("a cashier belongs to a branch, which the owner names", async () => {
  const { server, owner } = await shop();
  const add = (user: object) =>
    call(server, "/auth/users", {
      token: owner.accessToken,
      body: { email: "x@shop.example", password: PASSWORD, ...user },
    });
  const refused = await add({ roles: ["cashier"] });
  expect([refused.status, (await refused.json()).detail]).toEqual([
    400,
    expect.stringContaining("branch: Expected the branch of a cashier"),
  ]);
  expect((await add({ roles: ["cashier", "manager"] })).status).toBe(201);
});

test("a cashier of an earlier version, who has no branch, gets the default one and no other", async () => {
  const { server, owner } = await shop();
  const email = "old@shop.example";
  // As it was possible: past the check of the request.
  await server.auth.createUser(owner.tenant.id, { email, password: PASSWORD, roles: ["cashier"] });
  const login = (more: object) => call(server, "/auth/login", { body: { email, password: PASSWORD, ...more } });
  expect(await codeOf(login({ branch: "north" }))).toBe("forbidden");
  expect(await codeOf(login({ branch: "north", device: { id: "till-1" } }))).toBe("forbidden");
  // Not the books of all branches either.
  expect((await json(login({}))).branch).toBe("main");
  expect((await json(login({ device: { id: "till-1" } }))).branch).toBe("main");
});

test("a person sees where they are signed in, and ends the other sessions with their password", async () => {
  const { server, owner } = await shop();
  const { accessToken: token, email }: Owner = owner;
  const till = await loginTill(server, email, { device: { id: "till-7" } });
  const listed = async () => (await json(call(server, "/auth/sessions", { token }))).sessions;
  expect(
    (await listed()).map(({ device, isThis }: { device?: string; isThis: boolean }) => [device, isThis]).sort(),
  ).toEqual([
    [undefined, true],
    ["till-7", false],
  ]);
  const end = (currentPassword: string) =>
    codeOf(call(server, "/auth/sessions/end", { token, body: { currentPassword } }));
  expect(await end("a wrong one")).toBe("wrong_password");
  expect(await status(server, till.accessToken)).toBe(200);
  expect(await end(PASSWORD)).toBe(204);
  expect([await status(server, till.accessToken), await status(server, token)]).toEqual([401, 200]);
  expect(await listed()).toHaveLength(1);
});
