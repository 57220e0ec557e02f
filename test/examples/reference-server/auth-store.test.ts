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
  expect(await store.begin(session(), 0, undefined, "token-1", 1)).toBe(true);
  expect(await store.changeUser({ id: "u-1", stamp: 0 }, { disabledAt: 5 }, 5)).toBe(true);
  const late = session();
  expect(await store.begin(late, 0, undefined, "token-2", 6)).toBe(false);
  expect([await store.standing(late.id), await store.refreshToken("token-2")]).toEqual([undefined, undefined]);
  expect(await store.begin(session(), 1, undefined, "token-3", 7)).toBe(true);
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
