import { expect, test } from "vitest";
import { COMMON_WORDS } from "../../../examples/reference-server/auth/common-words.ts";
import { weaknessOf } from "../../../examples/reference-server/auth/weak-passwords.ts";

const SHOP = ["Corner Shop", "olga.owner", "cornershop"];
const reasonOf = (password: string, context: readonly string[] = SHOP) =>
  /got one (.+?)\. Use several words/.exec(weaknessOf(password, context) ?? "")?.[1];

test.each([
  "1234567890",
  "0987654321",
  "aaaaaaaaaaaa",
  "abababababa",
  "abcabcabcabc",
  "abcdefghijkl",
  "qwertyuiop",
  "poiuytrewq12",
  "1qaz2wsx3edc",
  "Asdfghjkl123",
  "111222333444",
])("repeated or neighbouring characters: %s", (password) => {
  expect(reasonOf(password)).toBe("of repeated or neighbouring characters");
});

test.each([
  "CornerShop1",
  "corner-shop-2026",
  "olga.owner1999",
  "OlgaOwner!!",
  "tillsync-2026",
  "Tillsync#123",
  "C0rn3rSh0p!",
])("what somebody who guesses knows of the shop, its owner and the product: %s", (password) => {
  expect(reasonOf(password)).toBe("made of the shop's name, the email address or the product's name");
  // Elsewhere nobody would guess it.
  if (!/tillsync/i.test(password)) expect(reasonOf(password, []) ?? "").not.toContain("the shop's name");
});

test.each([
  "password123",
  "Password2026!",
  "P@ssw0rd!!!!",
  "iloveyou1999",
  "welcome12345",
  "football2024",
  "letmein-77",
])("what is used most: %s", (password) => {
  expect(reasonOf(password, [])).toBe("like the most common ones");
});

test("each common word is refused with a year after it, however it is written", () => {
  const ends = ["2024", "_2025!", "12345678"];
  const tried = COMMON_WORDS.flatMap((word) => ends.map((end) => `${word[0]?.toUpperCase()}${word.slice(1)}${end}`));
  expect(tried.filter((password) => password.length >= 10 && weaknessOf(password, []) === undefined)).toEqual([]);
  expect(tried.length).toBeGreaterThan(1_000);
});

test.each([
  "correct horse battery",
  "velvet anchor tomato",
  "Xk7#mQ9wLp",
  "der Hase im Regen",
  "зелёный чайник у окна",
  "an expert baker in Corner Street",
  "6d1f0c8e2b7a4935",
])("what nobody guesses is let in, without rules about characters: %s", (password) => {
  expect(weaknessOf(password, SHOP)).toBeUndefined();
});

test("the reason says what to do, and does not repeat the password", () => {
  const weakness = weaknessOf("CornerShop1", SHOP) ?? "";
  expect(weakness).toContain("Use several words that have nothing to do with each other");
  expect(weakness.toLowerCase()).not.toContain("cornershop1");
});
