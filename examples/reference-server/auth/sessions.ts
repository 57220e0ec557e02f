/** Sessions and their tokens. */
import { randomUUID } from "node:crypto";
import type { Principal } from "tillsync/server";
import { ProblemError } from "../problem.ts";
import { type Role, scopesOf } from "../roles.ts";
import type { Caller } from "../security-log.ts";
import type { AuthParts } from "./auth-parts.ts";
import { hashOf } from "./auth-rows.ts";
import type { Begun, Session, Standing, User } from "./auth-store.ts";
import type { Claim } from "./devices.ts";
import type { SecondFactors } from "./second-factors.ts";
import { ACCESS_SECONDS } from "./tokens.ts";

/** If the answer to a refresh was lost, the till still has only the old token. */
const REFRESH_GRACE_MS = 60_000;
export interface TokensAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The lifetime of the access token, in seconds. */
  readonly expiresIn: number;
  readonly tenant: { readonly id: string };
  /** If no one is signed in at a device: the device itself, without roles. */
  readonly user: { readonly id: string; readonly roles: readonly Role[] };
  /** The secret proves at the next sign-in that it is this device. Only in the answer that registers the device. */
  readonly device?: { readonly id: string; readonly secret?: string } | undefined;
  readonly branch?: string | undefined;
  /** What the person has to do before their roles count. */
  readonly required?: "second_factor" | undefined;
}

/** Whom a request's token stands for. */
export interface Identity {
  readonly principal: Principal;
  readonly session: Session;
  /** `undefined`: no one is signed in at the device. */
  readonly user: User | undefined;
  /** Whether the session's device is revoked. */
  readonly isRevoked: boolean;
}

/** Why a token is good for nothing. */
export type Refusal = "invalid" | "expired" | "session_ended" | "account_disabled";

export interface Beginning {
  readonly user: User;
  readonly device: Claim | undefined;
  /** Where the person works. A device has a branch of its own. */
  readonly branch: string | undefined;
}

export class Sessions {
  readonly #parts: AuthParts;
  readonly #secondFactors: SecondFactors;

  constructor(parts: AuthParts, secondFactors: SecondFactors) {
    this.#parts = parts;
    this.#secondFactors = secondFactors;
  }

  /**
   * If there is a device, the tokens are the device's: they name tenant, branch and device. Instead of them: why there
   * are none, if somebody else was faster.
   */
  async begin({ user, device, branch }: Beginning): Promise<TokensAnswer | Exclude<Begun, "begun">> {
    const { store, tokens, now, lifetimes } = this.#parts;
    const at = now();
    const isPerson = device === undefined;
    const session: Session = {
      id: randomUUID(),
      tenant: user.tenant,
      user: user.id,
      device: device?.id,
      branch: isPerson ? branch : device.branch,
      startedAt: at,
      endedAt: undefined,
      expiresAt: at + (isPerson ? Math.min(lifetimes.personIdle, lifetimes.person) : lifetimes.tillIdle),
      endsAt: at + (isPerson ? lifetimes.person : lifetimes.till),
    };
    const refreshToken = tokens.newRefreshToken();
    const known = device && { tenant: user.tenant, id: device.id, name: device.name, secret: hashOf(device.secret) };
    const begun = await store.begin(session, user.stamp, known, refreshToken, at);
    if (begun !== "begun") return begun;
    const isRevoked = (await store.standing(session.id))?.isRevoked === true;
    const answer = await this.#answer({ session, user, isRevoked }, refreshToken);
    return device?.isNew === true ? { ...answer, device: { id: device.id, secret: device.secret } } : answer;
  }

  async refresh(refreshToken: string, caller: Caller): Promise<TokensAnswer> {
    const { store, tokens, now, lifetimes, logger, securityLog } = this.#parts;
    const at = now();
    const known = await store.refreshToken(refreshToken);
    const standing = known === undefined ? "invalid" : await this.#open(known.session);
    if (known === undefined || typeof standing === "string") throw refused();
    const { session } = standing;
    const successor = tokens.successorOf(refreshToken);
    if (known.rotatedAt === undefined) {
      const lifetime = session.device === undefined ? lifetimes.personIdle : lifetimes.tillIdle;
      await store.rotate(refreshToken, successor, session.id, at, Math.min(at + lifetime, session.endsAt));
    } else if (at - known.rotatedAt > REFRESH_GRACE_MS) {
      // Two parties have the token: one has already exchanged it for its successor. Either of them may be a thief.
      await store.end(session.id, at);
      const { tenant, device, user } = session;
      securityLog({ event: "refresh_token_reused", tenant, user, device, ...caller });
      logger.error("A refresh token was used again: its session has ended", { tenant, device, user });
      throw refused();
    }
    return this.#answer(standing, successor);
  }

  /** Ends a person's session. A device's continues without the person. */
  async signOut({ id, device }: Session): Promise<void> {
    const { store, now } = this.#parts;
    if (device === undefined) await store.end(id, now());
    else await store.signOutUser(id);
  }

  async identify(token: string): Promise<Identity | Refusal> {
    const claims = await this.#parts.tokens.verify(token);
    if (typeof claims === "string") return claims;
    const standing = await this.#open(claims.session);
    if (typeof standing === "string") return standing;
    const { session, user, isRevoked } = standing;
    if (session.tenant !== claims.tenant) return "invalid";
    const { tenant, branch, device } = claims;
    // The token's scopes, as far as they still hold: after a person signs out at a till, their rights no longer apply.
    const held = this.#scopesHeld(standing);
    const principal: Principal = {
      tenant,
      ...(branch !== undefined && { branch }),
      // A person's own token belongs to no till: it cannot speak for one, whatever a header says.
      device: device ?? session.id,
      actor: session.user ?? device,
      scopes: claims.scopes.filter((scope) => held.includes(scope)),
      expiresAt: Math.min(claims.expiresAt, session.expiresAt),
    };
    return { principal, session, user, isRevoked };
  }

  async #answer(standing: Standing, refreshToken: string): Promise<TokensAnswer> {
    const { session, user } = standing;
    const { id, tenant, device, branch } = session;
    const sub = user?.id ?? device ?? id;
    const scopes = this.#scopesHeld(standing);
    const accessToken = await this.#parts.tokens.issue({ sub, tenant, branch, device, scopes, session: id });
    return {
      accessToken,
      refreshToken,
      expiresIn: ACCESS_SECONDS,
      tenant: { id: tenant },
      user: { id: sub, roles: user?.roles ?? [] },
      ...(device !== undefined && { device: { id: device } }),
      ...(branch !== undefined && { branch }),
      ...(user !== undefined && this.#secondFactors.isMissing(user) && { required: "second_factor" as const }),
    };
  }

  /** A revoked till can still authenticate: what it sold is quarantined and not lost. */
  #scopesHeld({ session, user, isRevoked }: Standing): readonly string[] {
    if (isRevoked) return [];
    const counts = user !== undefined && !this.#secondFactors.isMissing(user);
    return scopesOf(counts ? user.roles : [], session.device !== undefined);
  }

  async #open(id: string): Promise<Standing | Refusal> {
    const standing = await this.#parts.store.standing(id);
    if (standing === undefined) return "session_ended";
    const { endedAt, expiresAt } = standing.session;
    if (endedAt !== undefined || expiresAt <= this.#parts.now()) return "session_ended";
    // A session that was about to begin when the person was disabled.
    return standing.user?.disabledAt === undefined ? standing : "account_disabled";
  }
}

/** The same error for a token that never existed, was used up, has expired or was signed out. */
function refused(): ProblemError {
  return new ProblemError("invalid_refresh_token", "The refresh token is not valid");
}
