/** The keys that tokens are signed with: from the environment, or made at the first start and kept beside the database. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";

export const KEYS_VARIABLE = "TILLSYNC_JWT_SECRET";

export interface SigningKey {
  /** Goes into each token's header: says which of several it was signed with. */
  readonly id: string;
  readonly secret: Uint8Array;
}
/** The first one signs; all of them are accepted, so that a key can be replaced while tokens of the old one live. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/** A key that could be guessed, or read by others. The server does not start with one. */
export class WeakKeyError extends Error {
  override readonly name = "WeakKeyError";
}

const MIN_CHARACTERS = 32;
/** 32 random characters of hexadecimal have fewer than 8 different ones once in a million million. */
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

const HINT = "Make one with `openssl rand -hex 32`, or leave it out: the server then makes its own.";

function tooShort(length: number): WeakKeyError {
  return new WeakKeyError(
    `Expected ${KEYS_VARIABLE} to have at least ${MIN_CHARACTERS} characters, got ${length}. ${HINT}`,
  );
}

/**
 * The key of a database, made with it.
 *
 * @throws WeakKeyError
 */
export function keysBeside(database: string): SigningKeys {
  if (database === ":memory:") return keysFromText(newKey());
  const path = `${database}.key`;
  try {
    // `wx`: of two servers that start together, one makes it and the other reads it.
    writeFileSync(path, newKey(), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const { mode } = statSync(path);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new WeakKeyError(
      `Expected ${path} to be readable by its owner only, got mode ${(mode & 0o777).toString(8)}. Who can read it can make ` +
        `tokens: remove it, so that a new one is made (everybody signs in again), or run \`chmod 600\` if nobody has read it.`,
    );
  }
  return keysFromText(readFileSync(path, "utf8").trim());
}

export function newKey(): string {
  return randomBytes(32).toString("hex");
}
