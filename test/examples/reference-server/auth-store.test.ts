/** What the two stores of the token issuer must decide by themselves: several servers may ask at the same time. */
import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import type { NewUser, Session } from "../../../examples/reference-server/auth/auth-store.ts";
import { openDatabases } from "../../../examples/reference-server/database.ts";
import { fallback } from "./support.ts";

async function open() {
  const database = await fallback.newDatabase();
  const databases = await openDatabases({ database, authDatabase: database, secret: undefined, logger: undefined });
  onTestFinished(() => databases.close());
  const { authStore: store } = databases;
  const about = { tenant: "t-1", name: "Olga", password: "none", roles: ["owner"], branch: undefined } as const;
  const user: NewUser = { ...about, id: "u-1", email: "olga@shop.example", oneTimeCode: undefined };
  expect(await store.addTenant({ id: "t-1", name: "Shop" }, user, 1, true)).toBe("added");
  const session = (more: Partial<Session> = {}): Session => ({
    ...{ id: randomUUID(), tenant: "t-1", user: "u-1", device: undefined, branch: undefined },
    ...{ startedAt: 1, endedAt: undefined, expiresAt: 100, endsAt: 200, ...more },
  });
  return { store, user, session };
}

test("of several that must be the first tenant, one is", async () => {
  const { store, user } = await open();
  expect(
    await store.addTenant({ id: "t-2", name: "Other" }, { ...user, id: "u-2", email: "x@y.example" }, 1, true),
  ).toBe("not_first");
  expect(
    await store.addTenant({ id: "t-1", name: "Other" }, { ...user, id: "u-2", email: "x@y.example" }, 1, false),
  ).toBe("taken");
  expect(await store.addTenant({ id: "t-2", name: "Other" }, { ...user, id: "u-2" }, 1, false)).toBe("taken");
  expect(await store.nameOf("t-2")).toBeUndefined();
});

test("a session begins only as long as what proves who the person is was not changed", async () => {
  const { store, session } = await open();
  expect(await store.begin(session(), 0, undefined, "token-1", 1)).toBe("begun");
  expect(await store.changeUser({ id: "u-1", stamp: 0 }, { disabledAt: 5 }, 5)).toBe(true);
  const late = session();
  expect(await store.begin(late, 0, undefined, "token-2", 6)).toBe("changed");
  expect([await store.standing(late.id), await store.refreshToken("token-2")]).toEqual([undefined, undefined]);
  expect(await store.begin(session(), 1, undefined, "token-3", 7)).toBe("begun");
});

test("a change of what was changed since it was read does nothing, not to sessions and not to recovery codes", async () => {
  const { store, session } = await open();
  const { id } = session();
  await store.begin(session({ id }), 0, undefined, "token", 1);
  const codes = ["a", "b"];
  expect(await store.changeUser({ id: "u-1", stamp: 0 }, { recoveryCodes: codes }, 2)).toBe(true);
  expect(await store.changeUser({ id: "u-1", stamp: 0 }, { password: "x", recoveryCodes: [] }, 3, {})).toBe(false);
  expect((await store.standing(id))?.session.endedAt).toBeUndefined();
  expect((await store.user("t-1", "u-1"))?.password).toBe("none");
  expect([await store.useRecoveryCode("u-1", "a"), await store.useRecoveryCode("u-1", "a")]).toEqual([true, false]);
});

test("sessions end except for one; those that the person has left, too, and nobody else's", async () => {
  const { store, user, session } = await open();
  await store.addUser({ ...user, id: "u-2", email: "carl@shop.example" }, 1);
  const [kept, left, other] = [session(), session({ device: "till-1" }), session({ user: "u-2" })];
  for (const one of [kept, left, other]) await store.begin(one, 0, undefined, one.id, 1);
  await store.signOutUser(left.id);
  expect((await store.sessionsOf("u-1", 2)).map(({ id }) => id).sort()).toEqual([kept.id, left.id].sort());
  await store.changeUser({ id: "u-1", stamp: 0 }, {}, 3, { except: kept.id });
  const ended = await Promise.all(
    [kept, left, other].map(async ({ id }) => (await store.standing(id))?.session.endedAt),
  );
  expect(ended).toEqual([undefined, 3, undefined]);
  expect((await store.sessionsOf("u-1", 4)).map(({ id }) => id)).toEqual([kept.id]);
  expect(await store.sessionsOf("u-1", 100)).toEqual([]);
});

const till = { tenant: "t-1", id: "till-1", name: "Till 1", secret: "digest-1" };

test("a device is registered once, with its branch and the digest of its secret; a session needs both", async () => {
  const { store, session } = await open();
  const at = (branch: string) => session({ device: "till-1", branch });
  const first = at("north");
  expect(await store.device("t-1", "till-1")).toBeUndefined();
  // Not by a sign-in that does not complete.
  expect(await store.begin(at("north"), 7, till, "token-0", 1)).toBe("changed");
  expect(await store.device("t-1", "till-1")).toBeUndefined();
  expect(await store.begin(first, 0, till, "token-1", 1)).toBe("begun");
  const refused = [at("south"), at("north"), at("south")];
  const other = { ...till, secret: "digest-2" };
  expect(await store.begin(refused[0] as Session, 0, till, "token-2", 2)).toBe("device_taken");
  expect(await store.begin(refused[1] as Session, 0, other, "token-3", 2)).toBe("device_taken");
  expect(await store.begin(refused[2] as Session, 0, other, "token-4", 2)).toBe("device_taken");
  for (const { id } of refused) expect(await store.standing(id)).toBeUndefined();
  expect(await store.refreshToken("token-3")).toBeUndefined();
  expect(await store.begin(at("north"), 0, { ...till, name: "Counter" }, "token-5", 3)).toBe("begun");
  // If an answer was lost, the till has only the tokens of before.
  expect((await store.standing(first.id))?.session.endedAt).toBeUndefined();
  const known = { registered: { branch: "north", secret: "digest-1" }, releasedAt: undefined, revokedAt: undefined };
  const all = { after: "", limit: 9 };
  expect(await store.devices("t-1", all)).toEqual([{ id: "till-1", name: "Counter", seenAt: 3, ...known }]);
  expect(await store.devices("t-2", all)).toEqual([]);
});

test("of two sign-ins that register a device at the same time, one does", async () => {
  const { store, session } = await open();
  const outcomes = await Promise.all(
    ["digest-1", "digest-2"].map((secret) =>
      store.begin(session({ device: "till-1", branch: "north" }), 0, { ...till, secret }, secret, 1),
    ),
  );
  expect(outcomes.sort()).toEqual(["begun", "device_taken"]);
});

test("a released device has no sessions left, and is registered anew in whatever branch, once", async () => {
  const { store, session } = await open();
  const [own, other] = [session({ device: "till-1", branch: "north" }), session({ device: "till-2", branch: "north" })];
  await store.begin(own, 0, till, "token-1", 1);
  await store.begin(other, 0, { ...till, id: "till-2" }, "token-2", 1);
  await store.revoke("t-1", "till-1", 2);
  expect([await store.release("t-1", "no-such-till", 3), await store.release("t-2", "till-1", 3)]).toEqual([
    ...[false, false],
  ]);
  expect(await store.release("t-1", "till-1", 3)).toBe(true);
  expect((await store.standing(own.id))?.session.endedAt).toBe(3);
  expect((await store.standing(other.id))?.session.endedAt).toBeUndefined();
  const anew = session({ device: "till-1", branch: "south" });
  expect(await store.begin(anew, 0, { ...till, secret: "digest-2" }, "token-3", 4)).toBe("begun");
  expect(await store.begin(session({ device: "till-1", branch: "north" }), 0, till, "token-4", 5)).toBe("device_taken");
  expect(await store.device("t-1", "till-1")).toEqual({
    ...{ id: "till-1", name: "Till 1", seenAt: 4, registered: { branch: "south", secret: "digest-2" } },
    ...{ releasedAt: undefined, revokedAt: 2 },
  });
});

test("a step counts once and only forwards; a hash is replaced only if it is still the one that was read", async () => {
  const { store } = await open();
  const secondFactor = { secret: "sealed", confirmedAt: 1, usedStep: 7 };
  await store.changeUser({ id: "u-1", stamp: 0 }, { secondFactor, oneTimeCode: { digest: "d", expiresAt: 9 } }, 1);
  const steps = await Promise.all([6, 7, 8, 8, 9].map((step) => store.useStep("u-1", step)));
  expect(steps.slice(0, 2)).toEqual([false, false]);
  expect(steps.slice(2, 4).filter(Boolean).length).toBeLessThanOrEqual(1);
  expect(await store.useStep("u-1", 9)).toBe(false);
  await store.reseal("u-1", "password", "another", "x");
  await store.reseal("u-1", "secret", "sealed", "sealed anew");
  expect(await store.user("t-1", "u-1")).toMatchObject({
    ...{ password: "none", stamp: 1, oneTimeCode: { digest: "d", expiresAt: 9 } },
    secondFactor: { secret: "sealed anew", confirmedAt: 1, usedStep: 9 },
  });
  expect(await store.user("t-2", "u-1")).toBeUndefined();
});

test("people and tills are listed part by part, each once, in an order that no language changes", async () => {
  const { store, user, session } = await open();
  const ids = ["B", "a", "-1", "_", "b-10", "b-9", "Z"];
  for (const id of ids) {
    expect(await store.addUser({ ...user, id: `u-${id}`, email: `${id.toLowerCase()}@shop.example` }, 1)).toBe(true);
    const device = { tenant: "t-1", id, name: id, secret: "digest" };
    expect(await store.begin(session({ device: id }), 0, device, `token-${id}`, 1)).toBe("begun");
  }
  async function inParts<T>(
    read: (page: { after: string; limit: number }) => Promise<readonly T[]>,
    key: (row: T) => string,
  ) {
    const keys: string[] = [];
    for (let part = ["x"], after = ""; part.length > 0; after = keys.at(-1) ?? "") {
      part = (await read({ after, limit: 3 })).map(key);
      keys.push(...part);
    }
    return keys;
  }
  expect(
    await inParts(
      (page) => store.devices("t-1", page),
      ({ id }) => id,
    ),
  ).toEqual([...ids].sort());
  const emails = [...ids.map((id) => `${id.toLowerCase()}@shop.example`), user.email].sort();
  expect(
    await inParts(
      (page) => store.users("t-1", page),
      ({ email }) => email,
    ),
  ).toEqual(emails);
});
