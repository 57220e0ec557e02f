import { expect, test } from "vitest";
import { NO_PASSWORD, Passwords } from "../../../examples/reference-server/auth/passwords.ts";
import { CHEAP } from "./support.ts";

const cheap = new Passwords(CHEAP);

test("a password is known by its hash, and no other one is; what is stored has OWASP's cost", async () => {
  const passwords = new Passwords();
  const stored = await passwords.hash("a long password");
  // As strong as N = 2^17 with p = 1, in a quarter of its memory (OWASP, Password Storage Cheat Sheet).
  expect(stored).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
  expect(await passwords.check("a long password", stored)).toEqual({ isRight: true, isOutdated: false });
  expect(await passwords.check("another password", stored)).toEqual({ isRight: false, isOutdated: false });
  expect(await passwords.check("a long password", undefined)).toMatchObject({ isRight: false });
});

test("whoever has no password yet signs in with none, not even with what is stored in its place", async () => {
  for (const guess of [NO_PASSWORD, "", "undefined"]) {
    expect(await cheap.check(guess, NO_PASSWORD)).toMatchObject({ isRight: false });
  }
});

test("the hash of an earlier version is good, and known to be too cheap; a dearer one is left as it is", async () => {
  const before = await cheap.hash("a long password");
  expect(await new Passwords().check("a long password", before)).toEqual({ isRight: true, isOutdated: true });
  const dearer = await new Passwords({ ...CHEAP, p: 2 }).hash("a long password");
  expect(await cheap.check("a long password", dearer)).toEqual({ isRight: true, isOutdated: false });
});

test("of a crowd that signs in at once, two are looked at, 32 wait, and the others are told to come again", async () => {
  const crowd = await Promise.allSettled(Array.from({ length: 40 }, () => cheap.check("guess", undefined)));
  const refused = crowd.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(6);
  expect(refused[0]).toMatchObject({ code: "throttled", headers: { "retry-after": "2" } });
  // Afterwards everybody is looked at again.
  expect(await cheap.check("guess", undefined)).toMatchObject({ isRight: false });
});
