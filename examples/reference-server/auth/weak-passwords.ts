/** Passwords that are guessed first. */
import { COMMON_WORDS, ROWS } from "./common-words.ts";

/** Shorter parts of a row occur in words: "ert" is in "expert". */
const MIN_ROW = 4;
const MIN_REPEATS = 3;
/** A shorter part of a shop's name would also be found in other words. */
const MIN_CONTEXT = 4;
/** A password of letters from a few keys, such as "abababababab". */
const MIN_DIFFERENT = 5;
/** What must be left of a password without its predictable parts. A letter counts one, anything else half. */
const MIN_OWN = 6;

const ADVICE = "Use several words that have nothing to do with each other, or let a password manager choose one.";

/**
 * What is wrong with a new password, and what to do, in words that don't repeat it. `undefined` if nothing is wrong.
 *
 * It is not compared with a list as it is: "Password2026!" would be in none. Instead its predictable parts are taken out,
 * and what is left must be long enough.
 *
 * @param context words that somebody who guesses knows: the shop's name, the email address
 */
export function weaknessOf(password: string, context: readonly string[]): string | undefined {
  const text = password.normalize("NFKC").toLowerCase();
  const spellings = [text, unmasked(text)];
  const weakWithout = (words: readonly string[]) => spellings.some((spelling) => ownOf(spelling, words) < MIN_OWN);
  if (new Set(text).size < MIN_DIFFERENT || weakWithout([])) {
    return `Expected a password that is hard to guess, got one of repeated or neighbouring characters. ${ADVICE}`;
  }
  const known = contextWords(context);
  if (weakWithout(known)) {
    return `Expected a password that is hard to guess, got one made of the shop's name, the email address or the product's name. ${ADVICE}`;
  }
  if (weakWithout([...known, ...COMMON_WORDS])) {
    return `Expected a password that is hard to guess, got one like the most common ones. ${ADVICE}`;
  }
  return undefined;
}

const PRODUCT = ["tillsync", "till"];

/** Each text, its words, and its words in one: of "Corner Shop" the words "corner", "shop" and "cornershop". */
function contextWords(context: readonly string[]): readonly string[] {
  const texts = [...PRODUCT, ...context].map((text) => text.normalize("NFKC").toLowerCase());
  const words = texts.flatMap((text) => {
    const parts = text.split(/[^\p{L}\p{N}]+/u);
    return [text, ...parts, parts.join("")];
  });
  return [...new Set(words)].filter((word) => word.length >= MIN_CONTEXT);
}

const MASKS: Readonly<Record<string, string>> = { "@": "a", "4": "a", "3": "e", "1": "i", "0": "o", $: "s", "5": "s" };

/** "P@ssw0rd" as it is meant. */
function unmasked(text: string): string {
  return text.replace(/[@431$50]/g, (character) => MASKS[character] ?? character);
}

/** How much of the text is not predictable. */
function ownOf(text: string, words: readonly string[]): number {
  // One unit, however often it is repeated.
  let rest = text.replace(/^(.+?)\1+$/u, "$1");
  for (const word of [...words].sort((a, b) => b.length - a.length)) rest = rest.replaceAll(word, " ");
  rest = withoutRows(rest);
  let own = 0;
  for (const character of rest) own += /\p{L}/u.test(character) ? 1 : character === " " ? 0 : 0.5;
  return own;
}

function withoutRows(text: string): string {
  const repeats = new RegExp(`(.)\\1{${MIN_REPEATS - 1},}`, "gu");
  let rest = "";
  for (let at = 0; at < text.length; ) {
    const length = longestRow(text, at);
    rest += length < MIN_ROW ? text[at] : " ";
    at += Math.max(1, length < MIN_ROW ? 1 : length);
  }
  return rest.replace(repeats, " ");
}

const BOTH_WAYS = ROWS.flatMap((row) => [row, [...row].reverse().join("")]);

function longestRow(text: string, at: number): number {
  let length = 0;
  while (at + length < text.length && BOTH_WAYS.some((row) => row.includes(text.slice(at, at + length + 1))))
    length += 1;
  return length;
}
