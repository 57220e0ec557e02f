/** Passwords: scrypt with a salt per user, compared in constant time. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ProblemError } from "../problem.ts";
import { Turns } from "./turns.ts";

/** How much one hash costs: 128 · N · r bytes of memory, and time in proportion to N · r · p. Stored with each hash. */
export interface PasswordCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/**
 * One of the settings that OWASP's Password Storage Cheat Sheet lists as equally strong. N = 2^17 with p = 1 costs as
 * much time and 128 MiB each. This one takes 32 MiB: with two at once, 64 of the 640 MiB within which the process stays.
 */
const OWASP: PasswordCost = { N: 2 ** 15, r: 8, p: 3 };
const KEY_BYTES = 32;

/** Stands for a person's password before they have chosen one. No password matches it. */
export const NO_PASSWORD = "none";

export interface Checked {
  readonly isRight: boolean;
  /** Whether the stored hash costs less than a new one does: whoever steals it guesses faster. */
  readonly isOutdated: boolean;
}

export class Passwords {
  readonly #cost: PasswordCost;
  readonly #nobody: string;

  /** @param cost less than the default only in tests */
  constructor(cost: PasswordCost = OWASP) {
    this.#cost = cost;
    this.#nobody = ["scrypt", cost.N, cost.r, cost.p, "A".repeat(22), "A".repeat(43)].join("$");
  }

  /** @throws ProblemError `throttled` if too many wait already */
  async hash(password: string): Promise<string> {
    const { N, r, p } = this.#cost;
    const salt = randomBytes(16);
    const key = await derive(password, salt, this.#cost);
    return ["scrypt", N, r, p, salt.toString("base64url"), key.toString("base64url")].join("$");
  }

  /**
   * `stored` is `undefined` if there is no such user. That takes as long as for an existing user, so timing reveals
   * nothing. (Until the first sign-in after the cost was raised, a user's old hash takes less time.)
   *
   * @throws ProblemError `throttled` if too many wait already
   */
  async check(password: string, stored: string | undefined): Promise<Checked> {
    const known = stored !== undefined && stored !== NO_PASSWORD;
    const [, n, r, p, salt = "", key = ""] = (known ? stored : this.#nobody).split("$");
    const cost: PasswordCost = { N: Number(n), r: Number(r), p: Number(p) };
    const given = await derive(password, Buffer.from(salt, "base64url"), cost);
    const isRight = timingSafeEqual(given, Buffer.from(key, "base64url")) && known;
    return { isRight, isOutdated: workOf(cost) < workOf(this.#cost) };
  }
}

function workOf({ N, r, p }: PasswordCost): number {
  return N * r * p;
}

/**
 * Each takes a thread of Node's pool, a processor and 32 MiB. The pool has four threads, and unpacks the pushes of the
 * tills too: a crowd at the sign-in must not hold up a sale. The pool is the process's, and so is this bound.
 */
const turns = new Turns({ atOnce: 2, waiting: 32 });
const RETRY_SECONDS = "2";

async function derive(password: string, salt: Buffer, cost: PasswordCost): Promise<Buffer> {
  const turn = turns.take();
  if (turn === undefined)
    throw new ProblemError("throttled", "Too many people sign in at this moment", { "retry-after": RETRY_SECONDS });
  await turn.begun;
  try {
    return await scryptOf(password, salt, cost);
  } finally {
    turn.end();
  }
}

function scryptOf(password: string, salt: Buffer, cost: PasswordCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // NFKC: the same password typed on two keyboards has the same bytes.
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, { ...cost, maxmem: 256 * cost.N * cost.r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
