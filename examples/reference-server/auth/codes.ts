/** Codes that a person receives once and uses once: to choose a new password, or in place of a lost second factor. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { hashOf } from "./auth-rows.ts";

/** Crockford's: without letters that look like digits. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 120 bits: nobody guesses one, so a plain digest of it reveals nothing. */
const LENGTH = 24;
const GROUP = 4;

/** `7Q2M-…`: six groups of four, to be read aloud or written down. */
export function newCode(): string {
  // 256 is a multiple of 32: each character is equally likely.
  const characters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]);
  return characters.join("").replace(new RegExp(`(.{${GROUP}})(?=.)`, "g"), "$1-");
}

/** What is stored of a code. However it was typed: in small letters, without hyphens, with an O for a 0. */
export function digestOf(code: string): string {
  return hashOf(code.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1"));
}

export function isCode(code: string, digest: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(code)), Buffer.from(digest));
}
