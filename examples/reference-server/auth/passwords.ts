/** Passwords: scrypt with a salt per user, compared in constant time. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ProblemError } from "../problem.ts";
import { Turns } from "./turns.ts";

/** 32 MiB and about 50 ms per guess. Stored with each hash, so they can be raised later. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const KEY_BYTES = 32;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ["scrypt", COST.N, COST.r, COST.p, salt.toString("base64url"), key.toString("base64url")].join("$");
}

/**
 * `stored` is `undefined` if there is no such user. That takes as long as for an existing user, so timing reveals
 * nothing.
 */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, n, r, p, salt = "", key = ""] = (stored ?? NOBODY).split("$");
  const expected = Buffer.from(key, "base64url");
  const given = await derive(password, Buffer.from(salt, "base64url"), { N: Number(n), r: Number(r), p: Number(p) });
  return timingSafeEqual(given, expected) && stored !== undefined;
}

const NOBODY = `scrypt$${COST.N}$${COST.r}$${COST.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

/**
 * Each takes a thread of Node's pool, a processor and 32 MiB. The pool has four threads, and unpacks the pushes of the
 * tills too: a crowd at the sign-in must not hold up a sale. The pool is the process's, and so is this bound.
 */
const turns = new Turns({ atOnce: 2, waiting: 32 });
const RETRY_SECONDS = "2";

/** @throws ProblemError `throttled` if too many wait already */
async function derive(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
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

function scryptOf(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // NFKC: the same password typed on two keyboards has the same bytes.
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, { ...cost, maxmem: 256 * cost.N * cost.r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
