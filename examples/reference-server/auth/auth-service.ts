/** The token issuer: who may sign in, and which tokens they receive. */
import { randomUUID } from "node:crypto";
import type { Logger } from "tillsync";
import type { Principal } from "tillsync/server";
import { networkOf } from "../caller.ts";
import { ProblemError } from "../problem.ts";
import { type Role, SCOPES, scopesOf } from "../roles.ts";
import type { AuthStore, Session, Standing, User } from "./auth-store.ts";
import { hashPassword, isPassword } from "./passwords.ts";
import { type RateLimit, RateLimiter } from "./rate-limit.ts";
import type { LoginRequest, NewUserRequest, RegisterRequest } from "./requests.ts";
import { ACCESS_SECONDS, type Tokens } from "./tokens.ts";

export interface AuthServiceOptions {
  readonly store: AuthStore;
  readonly tokens: Tokens;
  /** Publishes a new user's name to the tills. */
  readonly announceUser: (user: PublicUser) => Promise<void>;
  /** Revokes the device in the sync store: from now on its work is quarantined. */
  readonly revokeInSync: (tenant: string, device: string) => Promise<void>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly limits?: Partial<AuthLimits> | undefined;
}
export type PublicUser = Pick<User, "id" | "tenant" | "name" | "roles" | "branch">;

/** The limits on failed sign-ins, and on registrations. */
export interface AuthLimits {
  /** For one account from one address, or one /64 of IPv6: a person mistypes a password a few times. */
  readonly account: RateLimit;
  /**
   * For one account from everywhere. Generous: otherwise anyone who knows a cashier's email address could lock them
   * out.
   */
  readonly accountAnywhere: RateLimit;
  /** The part of `accountAnywhere` that one address can use up, or one /48 of IPv6. */
  readonly accountShare: RateLimit;
  /** For one address, or one /64 of IPv6. It may be that of a whole shop. */
  readonly address: RateLimit;
  readonly registration: RateLimit;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const LIMITS: AuthLimits = {
  account: { attempts: 5, windowMs: MINUTE_MS },
  accountAnywhere: { attempts: 100, windowMs: HOUR_MS },
  accountShare: { attempts: 10, windowMs: HOUR_MS },
  address: { attempts: 50, windowMs: MINUTE_MS },
  registration: { attempts: 20, windowMs: HOUR_MS },
};

/** A till may be offline for weeks, and then syncs again without a password. */
const DEVICE_SESSION_MS = 90 * DAY_MS;
const PERSON_SESSION_MS = 12 * HOUR_MS;
/** If the answer to a refresh was lost, the till still has only the old token. */
const REFRESH_GRACE_MS = MINUTE_MS;
const DEFAULT_BRANCH = "main";

export interface TokensAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The lifetime of the access token, in seconds. */
  readonly expiresIn: number;
  readonly tenant: { readonly id: string };
  /** If no one is signed in at a device: the device itself, without roles. */
  readonly user: { readonly id: string; readonly roles: readonly Role[] };
  readonly device?: { readonly id: string } | undefined;
  readonly branch?: string | undefined;
}

export class AuthService {
  readonly #options: AuthServiceOptions;
  readonly #failures: Readonly<Record<"account" | "accountAnywhere" | "accountShare" | "address", RateLimiter>>;
  readonly #registrations: RateLimiter;

  constructor(options: AuthServiceOptions) {
    this.#options = options;
    const { now } = options;
    const limits = { ...LIMITS, ...options.limits };
    this.#failures = {
      account: new RateLimiter(limits.account, now),
      accountAnywhere: new RateLimiter(limits.accountAnywhere, now),
      accountShare: new RateLimiter(limits.accountShare, now),
      address: new RateLimiter(limits.address, now),
    };
    this.#registrations = new RateLimiter(limits.registration, now);
  }

  /** Creates a tenant with its owner. */
  async register({ tenant, email, password }: RegisterRequest, address: string): Promise<TokensAnswer> {
    const network = networkOf(address, 64);
    throttle([[this.#registrations, network]]);
    this.#registrations.count(network);
    const tenantId = randomUUID();
    const user = await this.createTenant({ id: tenantId, name: tenant.name }, { email, password, name: tenant.name });
    return this.#begin(user, undefined, undefined);
  }

  async createTenant(
    tenant: { readonly id: string; readonly name: string },
    owner: { readonly email: string; readonly password: string; readonly name: string },
  ): Promise<User> {
    const { store, now, announceUser } = this.#options;
    const password = await hashPassword(owner.password);
    const user: User = { ...owner, id: randomUUID(), tenant: tenant.id, password, roles: ["owner"], branch: undefined };
    if (!(await store.addTenant(tenant, user, now()))) throw emailTaken();
    await announceUser(user);
    return user;
  }

  async addUser(principal: Principal, request: NewUserRequest): Promise<User> {
    if (!principal.scopes.includes(SCOPES.manageUsers))
      throw new ProblemError("forbidden", "Only the owner adds users");
    return this.createUser(principal.tenant, request);
  }

  async createUser(tenant: string, { email, password, name = email, roles, branch }: NewUserRequest): Promise<User> {
    const { store, now, announceUser } = this.#options;
    const hash = await hashPassword(password);
    const user: User = { id: randomUUID(), tenant, email, name, password: hash, roles, branch };
    if (!(await store.addUser(user, now()))) throw emailTaken();
    await announceUser(user);
    return user;
  }

  async login({ email, password, device, branch }: LoginRequest, address: string): Promise<TokensAnswer> {
    const { account, accountAnywhere, accountShare, address: fromAddress } = this.#failures;
    const here = `${email} ${networkOf(address, 64)}`;
    const around = `${email} ${networkOf(address, 48)}`;
    const anywhere = [accountAnywhere, email] as const;
    const guards: Guard[] = [
      [account, here],
      [fromAddress, networkOf(address, 64)],
    ];
    throttle([...guards, anywhere]);
    // An address is held back by its own limits. It must not use up those of all addresses: a person elsewhere could
    // not sign in for an hour.
    if (accountShare.waitFor(around) === 0) guards.push([accountShare, around], anywhere);
    // Counted before the password is checked, which takes a while: of a hundred concurrent guesses, five are checked.
    for (const [limiter, key] of guards) limiter.count(key);
    const forgive = () => {
      for (const [limiter, key] of guards) limiter.forgive(key);
    };
    const user = await this.#options.store.userByEmail(email);
    const isRight = await isPassword(password, user?.password).catch((error: unknown) => {
      // Nobody has looked at the password.
      forgive();
      throw error;
    });
    if (!isRight || user === undefined) {
      throw new ProblemError("invalid_credentials", "No user has this email and password");
    }
    forgive();
    if (user.branch !== undefined && branch !== undefined && branch !== user.branch) {
      throw new ProblemError("forbidden", "The user belongs to another branch");
    }
    return this.#begin(user, device, user.branch ?? branch);
  }

  /** If there is a device, the tokens are the device's: they name tenant, branch and device. */
  async #begin(user: User, device: LoginRequest["device"], branch: string | undefined): Promise<TokensAnswer> {
    const { store, tokens, now } = this.#options;
    const at = now();
    const session: Session = {
      id: randomUUID(),
      tenant: user.tenant,
      user: user.id,
      device: device?.id,
      branch: branch ?? (device === undefined ? undefined : DEFAULT_BRANCH),
      endedAt: undefined,
      expiresAt: at + (device === undefined ? PERSON_SESSION_MS : DEVICE_SESSION_MS),
    };
    const refreshToken = tokens.newRefreshToken();
    await store.begin(
      session,
      device && { ...device, name: device.name ?? device.id, tenant: user.tenant },
      refreshToken,
      at,
    );
    return this.#answer({ session, user, isRevoked: await this.#isRevoked(session.id) }, refreshToken);
  }

  async refresh(refreshToken: string): Promise<TokensAnswer> {
    const { store, tokens, now, logger } = this.#options;
    const at = now();
    const known = await store.refreshToken(refreshToken);
    const standing = known === undefined ? undefined : await this.#openSession(known.session);
    if (known === undefined || standing === undefined) throw refused();
    const { session } = standing;
    const successor = tokens.successorOf(refreshToken);
    if (known.rotatedAt === undefined) {
      const lifetime = session.device === undefined ? PERSON_SESSION_MS : DEVICE_SESSION_MS;
      await store.rotate(refreshToken, successor, session.id, at, at + lifetime);
    } else if (at - known.rotatedAt > REFRESH_GRACE_MS) {
      // Two parties have the token: one has already exchanged it for its successor. Either of them may be a thief.
      await store.end(session.id, at);
      logger.error("A refresh token was used again: its session has ended", {
        tenant: session.tenant,
        device: session.device,
      });
      throw refused();
    }
    return this.#answer(standing, successor);
  }

  /** Ends a person's session. A device's session continues without the person: it still pushes what was sold. */
  async logout(session: string): Promise<void> {
    const { store, now } = this.#options;
    const standing = await store.standing(session);
    if (standing?.session.device === undefined) await store.end(session, now());
    else await store.signOutUser(session);
  }

  async revokeDevice(principal: Principal, device: string): Promise<void> {
    const { store, now, revokeInSync } = this.#options;
    if (!principal.scopes.includes(SCOPES.manageUsers))
      throw new ProblemError("forbidden", "Only the owner revokes a till");
    if (!(await store.revoke(principal.tenant, device, now())))
      throw new ProblemError("not_found", "There is no such device");
    await revokeInSync(principal.tenant, device);
  }

  /** The `authenticate` of the sync handler. */
  async authenticate(request: Request): Promise<(Principal & { readonly session: string }) | undefined> {
    const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const claims = token === undefined ? undefined : await this.#options.tokens.verify(token);
    const standing = claims === undefined ? undefined : await this.#openSession(claims.session);
    if (claims === undefined || standing === undefined || standing.session.tenant !== claims.tenant) return undefined;
    const { session } = standing;
    const { tenant, branch, device } = claims;
    // The token's scopes, as far as they still hold: after a person signs out at a till, their rights no longer apply.
    const held = scopesHeld(standing);
    return {
      tenant,
      ...(branch !== undefined && { branch }),
      // A person's own token belongs to no till: it cannot speak for one, whatever a header says.
      device: device ?? session.id,
      actor: session.user ?? device,
      scopes: claims.scopes.filter((scope) => held.includes(scope)),
      session: session.id,
      expiresAt: Math.min(claims.expiresAt, session.expiresAt),
    };
  }

  async #answer(standing: Standing, refreshToken: string): Promise<TokensAnswer> {
    const { session, user } = standing;
    const { id, tenant, device, branch } = session;
    const sub = user?.id ?? device ?? id;
    const scopes = scopesHeld(standing);
    const accessToken = await this.#options.tokens.issue({ sub, tenant, branch, device, scopes, session: id });
    return {
      accessToken,
      refreshToken,
      expiresIn: ACCESS_SECONDS,
      tenant: { id: tenant },
      user: { id: sub, roles: user?.roles ?? [] },
      ...(device !== undefined && { device: { id: device } }),
      ...(branch !== undefined && { branch }),
    };
  }

  async #isRevoked(session: string): Promise<boolean> {
    return (await this.#options.store.standing(session))?.isRevoked === true;
  }

  async #openSession(id: string): Promise<Standing | undefined> {
    const standing = await this.#options.store.standing(id);
    if (standing === undefined) return undefined;
    const { endedAt, expiresAt } = standing.session;
    return endedAt !== undefined || expiresAt <= this.#options.now() ? undefined : standing;
  }
}

/** A revoked till can still authenticate: what it sold is quarantined and not lost. */
function scopesHeld({ session, user, isRevoked }: Standing): readonly string[] {
  return isRevoked ? [] : scopesOf(user?.roles ?? [], session.device !== undefined);
}

type Guard = readonly [limiter: RateLimiter, key: string];

function throttle(guards: readonly Guard[]): void {
  const waitMs = Math.max(...guards.map(([limiter, key]) => limiter.waitFor(key)));
  if (waitMs <= 0) return;
  throw new ProblemError("throttled", "Too many attempts", { "retry-after": String(Math.ceil(waitMs / 1_000)) });
}

function emailTaken(): ProblemError {
  return new ProblemError("email_taken", "A user with this email address exists");
}

/** The same error for a token that never existed, was used up, has expired or was signed out. */
function refused(): ProblemError {
  return new ProblemError("invalid_refresh_token", "The refresh token is not valid");
}
