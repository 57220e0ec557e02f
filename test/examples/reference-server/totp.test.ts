import { expect, test } from "vitest";
import { base32, otpauthUri, stepAt, stepOf, totp } from "../../../examples/reference-server/auth/totp.ts";

const SECRET = new TextEncoder().encode("12345678901234567890");

// RFC 6238, appendix B: those of SHA-1, with eight digits.
test.each([
  [59, "94287082"],
  [1_111_111_109, "07081804"],
  [1_111_111_111, "14050471"],
  [1_234_567_890, "89005924"],
  [2_000_000_000, "69279037"],
  [20_000_000_000, "65353130"],
])("at second %i the code is %s", (seconds, code) => {
  expect(totp(SECRET, stepAt(seconds * 1_000), 8)).toBe(code);
  // An app shows its last six.
  expect(totp(SECRET, stepAt(seconds * 1_000))).toBe(code.slice(2));
});

// RFC 4226, appendix D.
const COUNTED = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split(" ");

test.each(COUNTED.map((code, counter) => [counter, code] as const))("counter %i has the code %s", (counter, code) => {
  expect(totp(SECRET, counter)).toBe(code);
});

test("a code is good from one step before to one step after, and never after it or a later one was used", () => {
  const now = 1_111_111_111_000;
  const step = stepAt(now);
  const found = (offset: number, used = 0) => stepOf(SECRET, totp(SECRET, step + offset), now, used);
  expect([-2, -1, 0, 1, 2].map((offset) => found(offset))).toEqual([undefined, step - 1, step, step + 1, undefined]);
  expect([-1, 0, 1].map((offset) => found(offset, step))).toEqual([undefined, undefined, step + 1]);
});

test("a code may have a space in it, and nothing else", () => {
  const [now, used] = [59_000, 0];
  expect(stepOf(SECRET, "287 082", now, used)).toBe(1);
  for (const code of ["28708", "2870822", "28708２", "", "abcdef"])
    expect(stepOf(SECRET, code, now, used)).toBeUndefined();
});

// RFC 4648, section 10, without padding.
test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("%j in base32 is %j", (text, encoded) => {
  expect(base32(new TextEncoder().encode(text))).toBe(encoded);
});

test("the link for an app names the shop and the person, whatever is in their names", () => {
  const uri = new URL(otpauthUri(SECRET, "Käse & Co: 1/2", "o@shop.example"));
  expect(uri.href).toMatch(/^otpauth:\/\/totp\//);
  expect(decodeURIComponent(uri.pathname)).toBe("/Käse & Co: 1/2:o@shop.example");
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    issuer: "Käse & Co: 1/2",
  });
});
