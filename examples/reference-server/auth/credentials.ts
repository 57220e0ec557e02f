/** How a person proves who they are: with a password, or once with a code that lets them choose one. */
import { ProblemError } from "../problem.ts";
import type { Caller } from "../security-log.ts";
import { type AuthParts, changedMeanwhile, entryOf, type Person } from "./auth-parts.ts";
import type { OneTimeCode, User } from "./auth-store.ts";
import { digestOf, isCode, newCode } from "./codes.ts";
import { weaknessOf } from "./weak-passwords.ts";

export interface Proof {
  readonly by: "password" | "code";
  /** Whether the password's stored hash costs less than a new one. */
  readonly isOutdated: boolean;
}

export class Credentials {
  readonly #parts: AuthParts;

  constructor(parts: AuthParts) {
    this.#parts = parts;
  }

  /**
   * `undefined`: neither the password nor the code is right.
   *
   * @throws ProblemError `throttled`
   */
  async prove(password: string, user: User | undefined): Promise<Proof | undefined> {
    const { isRight, isOutdated } = await this.#parts.passwords.check(password, user?.password);
    if (isRight) return { by: "password", isOutdated };
    const code = user?.oneTimeCode;
    const isGood = code !== undefined && code.expiresAt > this.#parts.now() && isCode(password, code.digest);
    return isGood ? { by: "code", isOutdated: false } : undefined;
  }

  /**
   * For what must not be done by whoever finds a till or a token: the person gives the password again.
   *
   * @throws ProblemError `wrong_password`, `throttled`
   */
  async confirm(person: Person, password: string): Promise<void> {
    const { attempts, passwords, securityLog } = this.#parts;
    const attempt = attempts.password(person.user.email, person.caller.address);
    const { isRight } = await passwords.check(password, person.user.password).catch((error: unknown) => {
      attempt.forgive();
      throw error;
    });
    if (!isRight) {
      securityLog(entryOf("password_check_failed", person));
      throw new ProblemError("wrong_password", "Expected the current password of the person who is signed in");
    }
    attempt.forgive();
  }

  /** @throws ProblemError `weak_password` */
  async checkNew(password: string, { tenant, email }: Pick<User, "tenant" | "email">, shop?: string): Promise<void> {
    const { store, isLeaked } = this.#parts;
    const [local = "", domain = ""] = email.split("@");
    const context = [shop ?? (await store.nameOf(tenant)) ?? "", local, domain.split(".")[0] ?? ""];
    const weakness = weaknessOf(password, context);
    if (weakness !== undefined) throw new ProblemError("weak_password", weakness);
    if ((await isLeaked?.(password)) === true) {
      throw new ProblemError(
        "weak_password",
        "Expected a password that only you know, got one that was published after a break-in elsewhere. Choose another one.",
      );
    }
  }

  /**
   * Sets a password that was checked. All sessions that the person began end, except for one, and the code that they may
   * have is used up. Returns the user as they are now.
   *
   * @throws ProblemError `changed_meanwhile`, `throttled`
   */
  async set(user: User, password: string, caller: Caller, except?: string, device?: string): Promise<User> {
    const { store, passwords, now, securityLog } = this.#parts;
    const hash = await passwords.hash(password);
    if (!(await store.changeUser(user, { password: hash, oneTimeCode: null }, now(), { except })))
      throw changedMeanwhile();
    securityLog({ event: "password_changed", tenant: user.tenant, user: user.id, device, ...caller });
    return { ...user, password: hash, oneTimeCode: undefined, stamp: user.stamp + 1 };
  }

  /** Stores the same password at today's cost. It can wait: if too many sign in at this moment, the next sign-in does it. */
  async rehash(user: User, password: string, caller: Caller): Promise<void> {
    const { store, passwords, securityLog } = this.#parts;
    try {
      await store.reseal(user.id, "password", user.password, await passwords.hash(password));
      securityLog({ event: "password_rehashed", tenant: user.tenant, user: user.id, ...caller });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
  }

  /** A code, and what is stored of it. */
  newCode(lifetimeMs: number): { readonly code: string; readonly stored: OneTimeCode } {
    const code = newCode();
    return { code, stored: { digest: digestOf(code), expiresAt: this.#parts.now() + lifetimeMs } };
  }
}
