import { expect, test } from "vitest";
import { digestOf, isCode, newCode } from "../../../examples/reference-server/auth/codes.ts";
import { keysFromText } from "../../../examples/reference-server/auth/keys.ts";
import { SecretBox } from "../../../examples/reference-server/auth/secret-box.ts";

const [OLD, NEW] = ["an old key of 32 characters or so", "a new key of 32 characters or so!"];
const secret = new TextEncoder().encode("12345678901234567890");

test("what is sealed does not show, and is opened for its owner alone", () => {
  const box = new SecretBox(keysFromText(OLD));
  const sealed = box.seal(secret, "u-1");
  expect(Buffer.from(sealed.split(".")[1] ?? "", "base64url").toString("latin1")).not.toContain("1234567890");
  expect(box.seal(secret, "u-1")).not.toBe(sealed);
  expect(Buffer.from(box.open(sealed, "u-1")?.secret ?? []).toString()).toBe("12345678901234567890");
  expect(box.open(sealed, "u-2")).toBeUndefined();
  expect(box.open(sealed.replace(/.{4}$/, "AAAA"), "u-1")).toBeUndefined();
  expect(box.open("", "u-1")).toBeUndefined();
});

test("a key that is about to be removed opens, and what it sealed is known to be sealed anew", () => {
  const sealed = new SecretBox(keysFromText(OLD)).seal(secret, "u-1");
  expect(new SecretBox(keysFromText(`${NEW},${OLD}`)).open(sealed, "u-1")).toMatchObject({ isOutdated: true });
  expect(new SecretBox(keysFromText(OLD)).open(sealed, "u-1")).toMatchObject({ isOutdated: false });
  expect(new SecretBox(keysFromText(NEW)).open(sealed, "u-1")).toBeUndefined();
});

test("a code has 120 random bits, and is known however it is typed", () => {
  const codes = Array.from({ length: 200 }, newCode);
  expect(new Set(codes).size).toBe(200);
  for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
  expect(new Set(codes.join("").replaceAll("-", "")).size).toBe(32);
  const digest = digestOf("0123-4567-89AB-CDEF-GHJK-MNPQ");
  for (const typed of ["0123456789ABCDEFGHJKMNPQ", "o123 4567 89ab cdef ghjk mnpq", "OI23-4567-89AB-CDEF-GHJK-MNPQ"]) {
    expect(isCode(typed, digest)).toBe(true);
  }
  for (const typed of ["0123-4567-89AB-CDEF-GHJK-MNPR", "", digest]) expect(isCode(typed, digest)).toBe(false);
});
