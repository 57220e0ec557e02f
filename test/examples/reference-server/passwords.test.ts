import { expect, test } from "vitest";
import { hashPassword, isPassword } from "../../../examples/reference-server/auth/passwords.ts";

test("a password is known by its hash, and no other one is", async () => {
  const stored = await hashPassword("a long password");
  expect(await isPassword("a long password", stored)).toBe(true);
  expect(await isPassword("another password", stored)).toBe(false);
  expect(await isPassword("a long password", undefined)).toBe(false);
});

test("of a crowd that signs in at once, two are looked at, 32 wait, and the others are told to come again", async () => {
  const crowd = await Promise.allSettled(Array.from({ length: 40 }, () => isPassword("guess", undefined)));
  const refused = crowd.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(6);
  expect(refused[0]).toMatchObject({ code: "throttled", headers: { "retry-after": "2" } });
  // Afterwards everybody is looked at again.
  expect(await isPassword("guess", undefined)).toBe(false);
});
