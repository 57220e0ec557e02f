/** Access tokens: short-lived JWTs with one fixed algorithm. */
import { createHmac, randomBytes } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import type { SigningKeys } from "./keys.ts";

const ALGORITHM = "HS256";
const TYPE = "at+jwt";
const ISSUER = "tillsync-reference-server";
const AUDIENCE = "tillsync";
export const ACCESS_SECONDS = 15 * 60;
const CLOCK_TOLERANCE_SECONDS = 5;

export interface Claims {
  /** The user; if no one is signed in, the device. */
  readonly sub: string;
  readonly tenant: string;
  readonly branch?: string | undefined;
  readonly device?: string | undefined;
  readonly scopes: readonly string[];
  /** The session that the token belongs to: the token ends with it. */
  readonly session: string;
}

/** The claims of a token that was verified. */
export interface VerifiedClaims extends Claims {
  /** From when on the token is refused, epoch ms. */
  readonly expiresAt: number;
}

export class Tokens {
  readonly #keys: SigningKeys;
  readonly #now: () => number;

  constructor(keys: SigningKeys, now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  issue({ sub, tenant, branch, device, scopes, session }: Claims): Promise<string> {
    const [key] = this.#keys;
    const issuedAt = Math.floor(this.#now() / 1_000);
    return new SignJWT({ tenant, branch, device, scope: scopes.join(" "), sid: session })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: key.id })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(sub)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ACCESS_SECONDS)
      .sign(key.secret);
  }

  /** Why not, if the text is not a valid token of this server. For the log: the caller is not told. */
  async verify(token: string): Promise<VerifiedClaims | "invalid" | "expired"> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#secretOf(kid), {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["sub", "tenant", "scope", "sid", "iat", "exp"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#now()),
      });
      const { sub = "", tenant, branch, device, scope, sid, exp = 0 } = payload;
      if (typeof tenant !== "string" || typeof scope !== "string" || typeof sid !== "string") return "invalid";
      return {
        sub,
        tenant,
        ...(typeof branch === "string" && { branch }),
        ...(typeof device === "string" && { device }),
        scopes: scope.split(" ").filter((name) => name !== ""),
        session: sid,
        expiresAt: (exp + CLOCK_TOLERANCE_SECONDS) * 1_000,
      };
    } catch (error) {
      // Looked at after the signature: it is one that this server gave out.
      if (error instanceof errors.JWTExpired) return "expired";
      if (error instanceof errors.JOSEError) return "invalid";
      throw error;
    }
  }

  #secretOf(id: string | undefined): Uint8Array {
    const key = this.#keys.find((known) => known.id === id);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key.secret;
  }

  newRefreshToken(): string {
    return randomBytes(32).toString("base64url");
  }

  /**
   * The successor of a refresh token. It is derived from the token and the key, so a repeated call returns the same
   * successor although the database has only hashes.
   */
  successorOf(refreshToken: string): string {
    return createHmac("sha256", this.#keys[0].secret).update(`refresh ${refreshToken}`).digest("base64url");
  }
}
