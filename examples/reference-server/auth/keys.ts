/** The keys that sign tokens: from the environment, or created at the first start and stored beside the database. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { checkPrivate } from "../private-file.ts";

export const KEYS_VARIABLE = "TILLSYNC_JWT_SECRET";

export interface SigningKey {
  /** Part of each token's header: it says which of several keys signed it. */
  readonly id: string;
  readonly secret: Uint8Array;
}
/** The first one signs, and all are accepted: a key can be replaced while tokens signed with the old one are valid. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/** A key could be guessed, or read by others. The server does not start with such a key. */
export class WeakKeyError extends Error {
  override readonly name = "WeakKeyError";
}

const MIN_CHARACTERS = 32;
/** The probability that 32 random hexadecimal characters have fewer than 8 different ones is about one in 10^12. */
const MIN_DIFFERENT = 8;

/** @throws WeakKeyError */
export function keysFromText(text: string): SigningKeys {
  const [first, ...more] = text.split(",").map((part) => keyOf(part.trim()));
  if (first === undefined) throw tooShort(0);
  return [first, ...more];
}

function keyOf(secret: string): SigningKey {
  if (secret.length < MIN_CHARACTERS) throw tooShort(secret.length);
  if (new Set(secret).size < MIN_DIFFERENT) {
    throw new WeakKeyError(`Expected a random ${KEYS_VARIABLE}, got one that repeats a few characters. ${HINT}`);
  }
  const id = createHash("sha256").update(`tillsync key ${secret}`).digest("hex").slice(0, 8);
  return { id, secret: new TextEncoder().encode(secret) };
}

const HINT = "Create one with `openssl rand -hex 32`, or leave it out: the server then creates its own.";

function tooShort(length: number): WeakKeyError {
  return new WeakKeyError(
    `Expected ${KEYS_VARIABLE} to have at least ${MIN_CHARACTERS} characters, got ${length}. ${HINT}`,
  );
}

/**
 * The key of a database, created with it.
 *
 * @throws WeakKeyError, ExposedFileError
 */
export function keysBeside(database: string): SigningKeys {
  if (database === ":memory:") return keysFromText(newKey());
  const path = `${database}.key`;
  try {
    // `wx`: of two servers that start together, one creates the file and the other reads it.
    writeFileSync(path, newKey(), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  checkPrivate(
    path,
    "Anyone who can read it can create tokens. Remove it to have a new one created (every user signs in again), or run " +
      "`chmod 600` if no one has read it.",
  );
  return keysFromText(readFileSync(path, "utf8").trim());
}

export function newKey(): string {
  return randomBytes(32).toString("hex");
}
