import { join } from "node:path";
import Libsql from "libsql";
import { expect, test } from "vitest";
import { authMigrations } from "../../../examples/reference-server/auth/auth-migrations.ts";
import { hashOf } from "../../../examples/reference-server/auth/auth-rows.ts";
import { Passwords } from "../../../examples/reference-server/auth/passwords.ts";
import { CHEAP, call, json, loginTill, PASSWORD, start, temporaryFolder } from "./support.ts";

test("a database of the first version opens: its people sign in, and its sessions go on to their end and no further", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const old = new Libsql(database);
  old.exec("create table auth_migrations (number integer not null primary key) strict");
  old.exec(authMigrations[0] ?? "");
  old.exec("insert into auth_migrations (number) values (1)");
  old.exec("insert into auth_tenants (id, name, created_at) values ('t-1', 'Shop', 1)");
  const hash = await new Passwords(CHEAP).hash(PASSWORD);
  old
    .prepare(
      "insert into auth_users (id, tenant, email, name, password, roles, created_at) values (?, ?, ?, ?, ?, ?, 1)",
    )
    .run("u-1", "t-1", "olga@shop.example", "Olga", hash, '["owner"]');
  const now = Date.UTC(2026, 10, 20);
  const end = now + 60_000;
  old.prepare("insert into auth_sessions (id, tenant, user, expires_at) values ('s-1', 't-1', 'u-1', ?)").run(end);
  const refreshToken = "a-refresh-token";
  old
    .prepare("insert into auth_refresh_tokens (hash, session, issued_at) values (?, 's-1', 1)")
    .run(hashOf(refreshToken));
  old.close();
  await (await import("node:fs/promises")).chmod(database, 0o600);

  let clock = now;
  const server = await start({ database, now: () => clock });
  const tokens = await json(call(server, "/auth/refresh", { body: { refreshToken } }));
  expect(tokens.user).toEqual({ id: "u-1", roles: ["owner"] });
  const body = { currentPassword: PASSWORD, newPassword: "velvet anchor tomato" };
  expect((await call(server, "/auth/password", { token: tokens.accessToken, body })).status).toBe(204);
  clock = end;
  expect((await call(server, "/auth/refresh", { body: { refreshToken: tokens.refreshToken } })).status).toBe(401);
});

test("a device of a database of before is registered by its next sign-in, which ends its sessions of other branches", async () => {
  const database = join(await temporaryFolder(), "shop.sqlite");
  const old = new Libsql(database);
  old.exec("create table auth_migrations (number integer not null primary key) strict");
  for (const [index, sql] of authMigrations.slice(0, 2).entries()) {
    old.exec(sql);
    old.exec(`insert into auth_migrations (number) values (${index + 1})`);
  }
  old.exec("insert into auth_tenants (id, name, created_at) values ('t-1', 'Shop', 1)");
  const hash = await new Passwords(CHEAP).hash(PASSWORD);
  const person = old.prepare(
    "insert into auth_users (id, tenant, email, name, password, roles, branch, created_at) values (?, 't-1', ?, ?, ?, '[\"cashier\"]', ?, 1)",
  );
  for (const branch of ["north", "south"]) person.run(branch, `${branch}@shop.example`, branch, hash, branch);
  old.exec("insert into auth_devices (tenant, id, name, seen_at) values ('t-1', 'till-1', 'Till 1', 1)");
  const later = Date.now() + 3_600_000;
  for (const branch of ["north", "south"]) {
    old.exec(
      `insert into auth_sessions (id, tenant, user, begun_by, device, branch, expires_at, ends_at) values ('s-${branch}', 't-1', '${branch}', '${branch}', 'till-1', '${branch}', ${later}, ${later})`,
    );
    old
      .prepare("insert into auth_refresh_tokens (hash, session, issued_at) values (?, ?, 1)")
      .run(hashOf(`token-${branch}`), `s-${branch}`);
  }
  old.close();
  await (await import("node:fs/promises")).chmod(database, 0o600);

  const server = await start({ database });
  const refreshed = async (branch: string) =>
    (await call(server, "/auth/refresh", { body: { refreshToken: `token-${branch}` } })).status;
  expect([await refreshed("north"), await refreshed("south")]).toEqual([200, 200]);
  const tokens = await loginTill(server, "north@shop.example", { device: { id: "till-1" } });
  expect([tokens.branch, typeof tokens.device?.secret]).toEqual(["north", "string"]);
  expect([await refreshed("north"), await refreshed("south")]).toEqual([200, 401]);
  const again = { email: "south@shop.example", password: PASSWORD, device: { id: "till-1" } };
  expect((await json(call(server, "/auth/login", { body: again }))).code).toBe("device_taken");
});
