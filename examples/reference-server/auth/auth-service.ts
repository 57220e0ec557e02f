/** The token issuer: who may sign in, and which tokens they receive. */
import { randomUUID } from "node:crypto";
import type { Logger } from "tillsync";
import type { Principal } from "tillsync/server";
import { ProblemError } from "../problem.ts";
import type { Caller, SecurityLog } from "../security-log.ts";
import { Attempts, type AuthLimits, attemptOr } from "./attempts.ts";
import {
  type AuthParts,
  entryOf,
  type IsLeaked,
  isOffice,
  type Lifetimes,
  type Person,
  type PublicUser,
  type SecondFactorFor,
  type SendRecovery,
} from "./auth-parts.ts";
import type { AuthStore, NewUser, Session, User } from "./auth-store.ts";
import { Credentials } from "./credentials.ts";
import { DEFAULT_BRANCH, Devices } from "./devices.ts";
import type { SigningKeys } from "./keys.ts";
import { type PasswordCost, Passwords } from "./passwords.ts";
import { emailTaken, People } from "./people.ts";
import type { LoginRequest, NewUserRequest, RegisterRequest } from "./requests.ts";
import { isEnrolled, SecondFactors } from "./second-factors.ts";
import { SecretBox } from "./secret-box.ts";
import { type Beginning, type Identity, type Refusal, Sessions, type TokensAnswer } from "./sessions.ts";
import { Tokens } from "./tokens.ts";

/** Who may register a shop: anybody, whoever is first in an empty database, or nobody. */
export type Registration = "open" | "first" | "closed";

/** What an operator decides. */
export interface AuthPolicy {
  /** @default "open" */
  readonly registration?: Registration | undefined;
  /** @default "nobody" */
  readonly secondFactorFor?: SecondFactorFor | undefined;
  readonly lifetimes?: Partial<Lifetimes> | undefined;
  readonly limits?: Partial<AuthLimits> | undefined;
  /** Without it, a person who has forgotten their password asks the owner for a one-time code. @default none */
  readonly sendRecovery?: SendRecovery | undefined;
  /** @default none: only passwords that are guessed first are refused */
  readonly isLeaked?: IsLeaked | undefined;
  /** @default OWASP's for scrypt */
  readonly passwordCost?: PasswordCost | undefined;
}

export interface AuthServiceOptions extends AuthPolicy {
  readonly store: AuthStore;
  readonly keys: SigningKeys;
  readonly announceUser: (user: PublicUser) => Promise<void>;
  readonly revokeInSync: (tenant: string, device: string) => Promise<void>;
  readonly securityLog: SecurityLog;
  readonly logger: Logger;
  readonly now: () => number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const LIFETIMES: Lifetimes = {
  personIdle: 12 * HOUR_MS,
  person: DAY_MS,
  tillIdle: 90 * DAY_MS,
  till: 180 * DAY_MS,
};
/** A message can be read by others on its way, so its code is not good for long. */
const MESSAGE_MS = 10 * MINUTE_MS;

export class AuthService {
  readonly people: People;
  readonly devices: Devices;
  readonly secondFactors: SecondFactors;
  readonly #registration: Registration;
  readonly #parts: AuthParts;
  readonly #credentials: Credentials;
  readonly #sessions: Sessions;
  readonly #seen = new WeakMap<Request, Identity | Refusal>();
  readonly #sending = new Set<Promise<void>>();

  constructor(options: AuthServiceOptions) {
    const { keys, now } = options;
    this.#registration = options.registration ?? "open";
    this.#parts = {
      ...options,
      tokens: new Tokens(keys, now),
      passwords: new Passwords(options.passwordCost),
      box: new SecretBox(keys),
      attempts: new Attempts(options.limits ?? {}, now),
      lifetimes: { ...LIFETIMES, ...options.lifetimes },
      secondFactorFor: options.secondFactorFor ?? "nobody",
      sendRecovery: options.sendRecovery,
      isLeaked: options.isLeaked,
    };
    this.#credentials = new Credentials(this.#parts);
    this.secondFactors = new SecondFactors(this.#parts, this.#credentials);
    this.people = new People(this.#parts, this.#credentials);
    this.devices = new Devices(this.#parts);
    this.#sessions = new Sessions(this.#parts, this.secondFactors);
  }

  /** Creates a tenant with its owner. */
  async register({ tenant, email, password }: RegisterRequest, caller: Caller): Promise<TokensAnswer> {
    const { store, attempts, securityLog } = this.#parts;
    const isFirst = this.#registration === "first" && !(await store.hasTenants());
    if (this.#registration !== "open" && !isFirst) throw this.#closed(caller);
    attempts.registration(caller.address);
    const id = randomUUID();
    await this.#credentials.checkNew(password, { tenant: id, email }, tenant.name);
    const owner = { email, password, name: tenant.name };
    const user = await this.#addTenant({ id, name: tenant.name }, owner, this.#registration === "first");
    if (user === undefined) throw this.#closed(caller);
    securityLog({ event: "registered", tenant: id, user: user.id, ...caller });
    return this.#begin({ user, device: undefined, branch: undefined }, caller);
  }

  #closed(caller: Caller): ProblemError {
    this.#parts.securityLog({ event: "registration_refused", ...caller });
    return new ProblemError(
      "registration_closed",
      "This server registers no further shops. The person who runs it can start it with --registration open.",
    );
  }

  async createTenant(
    tenant: { readonly id: string; readonly name: string },
    owner: { readonly email: string; readonly password: string; readonly name: string },
  ): Promise<void> {
    await this.#addTenant(tenant, owner, false);
  }

  createUser(tenant: string, request: NewUserRequest): Promise<NewUser> {
    return this.people.create(tenant, request);
  }

  /** `undefined`: it had to be the first, and is not. */
  async #addTenant(
    tenant: { readonly id: string; readonly name: string },
    owner: { readonly email: string; readonly password: string; readonly name: string },
    mustBeFirst: boolean,
  ): Promise<User | undefined> {
    const { store, passwords, now, announceUser } = this.#parts;
    const password = await passwords.hash(owner.password);
    const about = { tenant: tenant.id, roles: ["owner"] as const, branch: undefined, oneTimeCode: undefined };
    const user: NewUser = { ...owner, ...about, id: randomUUID(), password };
    const outcome = await store.addTenant(tenant, user, now(), mustBeFirst);
    if (outcome === "taken") throw emailTaken();
    if (outcome === "not_first") return undefined;
    await announceUser({ ...user, isActive: true });
    return { ...user, disabledAt: undefined, stamp: 0, secondFactor: undefined };
  }

  async login(request: LoginRequest, caller: Caller): Promise<TokensAnswer> {
    const { securityLog } = this.#parts;
    const { password, newPassword, code, device } = request;
    const user = await this.#proven(request, caller);
    const { proof } = user;
    const who = { tenant: user.tenant, user: user.id, device: device?.id, ...caller };
    if (user.disabledAt !== undefined) {
      securityLog({ event: "sign_in_failed", reason: "account_disabled", ...who });
      throw new ProblemError("account_disabled", "The account was disabled. Ask the owner of the shop.");
    }
    const branch = branchOf(user, request.branch);
    if (proof.by === "code" && newPassword === undefined) {
      throw new ProblemError(
        "password_change_required",
        "The code is good once, to choose a password: send the same request with a newPassword",
      );
    }
    if (newPassword !== undefined) await this.#credentials.checkNew(newPassword, user);
    if (isEnrolled(user)) {
      if (code === undefined) {
        throw new ProblemError(
          "second_factor_required",
          "Send the same request with the code of the authenticator app",
        );
      }
      await this.secondFactors.check(user, code, caller, device?.id);
    }
    // Last of what is checked: who may not sign in is not told which tills there are.
    const claim = device && (await this.devices.claim(user, device, branch, caller));
    let current: User = user;
    if (newPassword !== undefined) {
      current = await this.#credentials.set(user, newPassword, caller, undefined, device?.id);
    } else if (proof.isOutdated) {
      await this.#credentials.rehash(user, password, caller);
    }
    const answer = await this.#begin({ user: current, device: claim, branch }, caller);
    if (claim?.isNew === true) securityLog({ event: "device_registered", ...who });
    securityLog({ event: "sign_in", ...who, ...(isEnrolled(user) && { reason: "second_factor" }) });
    return answer;

    function branchOf({ branch, roles }: User, asked: string | undefined): string | undefined {
      // Cashiers that were added without a branch, by an earlier version, must not choose one.
      const own = branch ?? (isOffice(roles) ? undefined : DEFAULT_BRANCH);
      if (own === undefined || asked === undefined || asked === own) return own ?? asked;
      securityLog({ event: "sign_in_failed", reason: "another_branch", ...who });
      throw new ProblemError("forbidden", "The user belongs to another branch");
    }
  }

  /** The user whose password or one-time code it is. */
  async #proven({ email, password, device }: LoginRequest, caller: Caller) {
    const { store, attempts, securityLog } = this.#parts;
    const from = { device: device?.id, ...caller };
    const attempt = attemptOr(
      () => attempts.password(email, caller.address),
      () => securityLog({ event: "sign_in_throttled", ...from }),
    );
    const user = await store.userByEmail(email);
    const proof = await this.#credentials.prove(password, user).catch((error: unknown) => {
      // Nobody has looked at the password.
      attempt.forgive();
      throw error;
    });
    if (proof === undefined || user === undefined) {
      const reason = user === undefined ? "unknown_account" : "password";
      securityLog({ event: "sign_in_failed", reason, tenant: user?.tenant, user: user?.id, ...from });
      throw new ProblemError("invalid_credentials", "No user has this email and password");
    }
    attempt.forgive();
    return { ...user, proof };
  }

  async #begin(beginning: Beginning, caller: Caller): Promise<TokensAnswer> {
    const answer = await this.#sessions.begin(beginning);
    if (typeof answer !== "string") return answer;
    const { user, device } = beginning;
    // Another sign-in has registered the device since it was looked at.
    if (answer === "device_taken" && device !== undefined) throw this.devices.taken(user, device.id, caller);
    throw new ProblemError("invalid_credentials", "The password was changed at the same time: use the new one");
  }

  refresh(refreshToken: string, caller: Caller): Promise<TokensAnswer> {
    return this.#sessions.refresh(refreshToken, caller);
  }

  async logout({ session, user }: Identity, caller: Caller): Promise<void> {
    await this.#sessions.signOut(session);
    const { tenant, device } = session;
    this.#parts.securityLog({ event: "sign_out", tenant, user: user?.id, device, ...caller });
  }

  /** Ends the person's other sessions too: who knew the old password may have begun one. */
  async changePassword(person: Person, currentPassword: string, newPassword: string): Promise<void> {
    await this.#credentials.confirm(person, currentPassword);
    await this.#credentials.checkNew(newPassword, person.user);
    await this.#credentials.set(person.user, newPassword, person.caller, person.session, person.device);
  }

  /**
   * Sends a code, if there is such a person. The answer is the same if there is not, and does not wait: it must not say
   * who has an account.
   */
  requestRecovery(email: string, caller: Caller): void {
    const { attempts, sendRecovery, logger } = this.#parts;
    if (sendRecovery === undefined) {
      throw new ProblemError(
        "not_found",
        "This server sends no messages. Ask the owner of the shop for a one-time code.",
      );
    }
    attempts.recovery(email, caller.address);
    const sent = this.#sendCode(email, sendRecovery, caller).catch((error: unknown) => {
      logger.error("A recovery message could not be sent", {
        requestId: caller.requestId,
        cause: error instanceof Error ? error.name : "unknown",
      });
    });
    this.#sending.add(sent);
    void sent.finally(() => this.#sending.delete(sent));
  }

  async #sendCode(email: string, send: SendRecovery, caller: Caller): Promise<void> {
    const { store, now, securityLog } = this.#parts;
    const user = await store.userByEmail(email);
    if (user === undefined || user.disabledAt !== undefined) return;
    const { code, stored } = this.#credentials.newCode(MESSAGE_MS);
    if (!(await store.changeUser(user, { oneTimeCode: stored }, now()))) return;
    securityLog({ event: "recovery_requested", tenant: user.tenant, target: user.id, ...caller });
    await send({ email, name: user.name, code, expiresAt: stored.expiresAt });
  }

  /** Resolves when no message is being sent any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending);
  }

  sessionsOf({ user }: Person): Promise<readonly Session[]> {
    return this.#parts.store.sessionsOf(user.id, this.#parts.now());
  }

  async endOtherSessions(person: Person, currentPassword: string): Promise<void> {
    const { store, now, securityLog } = this.#parts;
    await this.#credentials.confirm(person, currentPassword);
    await store.changeUser(person.user, {}, now(), { except: person.session });
    securityLog(entryOf("sessions_ended", person));
  }

  /** Whom a request's token stands for. `undefined`: it has none, or it is good for nothing. */
  async identify(request: Request): Promise<Identity | undefined> {
    const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return undefined;
    const found = await this.#sessions.identify(token);
    this.#seen.set(request, found);
    return typeof found === "string" ? undefined : found;
  }

  /** What `identify` has found out about a request, for the log. */
  seen(request: Request): Identity | Refusal | undefined {
    return this.#seen.get(request);
  }

  /** The `authenticate` of the sync handler. */
  async authenticate(request: Request): Promise<Principal | undefined> {
    return (await this.identify(request))?.principal;
  }
}
