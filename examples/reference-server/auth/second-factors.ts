/** The second factor: codes of an authenticator app, and recovery codes for those who have lost it. */
import { randomBytes } from "node:crypto";
import { ProblemError } from "../problem.ts";
import type { Caller } from "../security-log.ts";
import { type AuthParts, changedMeanwhile, entryOf, isOffice, type Person } from "./auth-parts.ts";
import type { SecondFactor, User } from "./auth-store.ts";
import { digestOf, newCode } from "./codes.ts";
import type { Credentials } from "./credentials.ts";
import { base32, otpauthUri, SECRET_BYTES, stepOf } from "./totp.ts";

const RECOVERY_CODES = 10;

export interface Enrolment {
  /** For typing, in base32. Shown once. */
  readonly secret: string;
  /** The same as a link for an authenticator app, or for a QR code. */
  readonly uri: string;
}

export class SecondFactors {
  readonly #parts: AuthParts;
  readonly #credentials: Credentials;

  constructor(parts: AuthParts, credentials: Credentials) {
    this.#parts = parts;
    this.#credentials = credentials;
  }

  /** Whether the person has to set one up, and has not. */
  isMissing(user: User): boolean {
    return this.#parts.secondFactorFor === "office" && isOffice(user.roles) && !isEnrolled(user);
  }

  /** A new secret. It counts once it is confirmed. */
  async enrol(person: Person, password: string): Promise<Enrolment> {
    const { store, box, now } = this.#parts;
    const { user } = person;
    if (isEnrolled(user)) throw alreadyEnrolled();
    await this.#credentials.confirm(person, password);
    const secret = randomBytes(SECRET_BYTES);
    const secondFactor = { secret: box.seal(secret, user.id), confirmedAt: undefined, usedStep: 0 };
    if (!(await store.changeUser(user, { secondFactor }, now()))) throw changedMeanwhile();
    const issuer = (await store.nameOf(user.tenant)) ?? "tillsync";
    return { secret: base32(secret), uri: otpauthUri(secret, issuer, user.email) };
  }

  /** The first code of the app shows that it has the secret. Other sessions end: they were begun without it. */
  async confirm(person: Person, code: string): Promise<readonly string[]> {
    const { store, now, securityLog } = this.#parts;
    const { user, session } = person;
    const { secondFactor } = user;
    if (isEnrolled(user)) throw alreadyEnrolled();
    if (secondFactor === undefined) {
      throw new ProblemError("not_found", "Expected an enrolment: begin with POST /auth/second-factor/enrol");
    }
    const attempt = this.#parts.attempts.secondFactor(user.id);
    const step = this.#stepOf(user, secondFactor, code);
    if (step === undefined) throw wrongCode();
    const codes = Array.from({ length: RECOVERY_CODES }, newCode);
    const confirmed = { ...secondFactor, confirmedAt: now(), usedStep: step };
    const changes = { secondFactor: confirmed, recoveryCodes: codes.map(digestOf) };
    if (!(await store.changeUser(user, changes, now(), { except: session }))) throw changedMeanwhile();
    attempt.forgive();
    securityLog(entryOf("second_factor_enrolled", person));
    return codes;
  }

  /** Asks for the password and a code, and ends the person's other sessions. */
  async remove(person: Person, password: string, code: string): Promise<void> {
    const { store, now, securityLog, secondFactorFor } = this.#parts;
    const { user, session } = person;
    if (secondFactorFor === "office" && isOffice(user.roles)) {
      throw new ProblemError("forbidden", "This server requires a second factor of owners and managers");
    }
    await this.#credentials.confirm(person, password);
    if (isEnrolled(user)) await this.check(user, code, person.caller);
    if (!(await store.changeUser(user, NONE, now(), { except: session }))) throw changedMeanwhile();
    securityLog(entryOf("second_factor_removed", person, { target: user.id }));
  }

  /**
   * Checks a code of the app, or a recovery code. Either is good once.
   *
   * @throws ProblemError `invalid_second_factor`, `throttled`
   */
  async check(user: User, code: string, caller: Caller, device?: string): Promise<void> {
    const { store, attempts, securityLog } = this.#parts;
    const { secondFactor } = user;
    if (secondFactor === undefined) return;
    const who = { tenant: user.tenant, user: user.id, device, ...caller };
    // Counted before it is looked at: of a hundred concurrent guesses, ten are.
    const attempt = attempts.secondFactor(user.id);
    const step = this.#stepOf(user, secondFactor, code);
    const isGood = step === undefined ? false : await store.useStep(user.id, step);
    if (!isGood && !(await store.useRecoveryCode(user.id, digestOf(code)))) {
      securityLog({ event: "second_factor_failed", ...who });
      throw wrongCode();
    }
    attempt.forgive();
    if (!isGood) securityLog({ event: "recovery_code_used", ...who });
  }

  #stepOf({ id }: User, { secret, usedStep }: SecondFactor, code: string): number | undefined {
    const { box, store, now, logger } = this.#parts;
    const opened = box.open(secret, id);
    if (opened === undefined) {
      logger.error("A second factor can't be checked: the key that sealed it is not among the signing keys any more", {
        user: id,
      });
      return undefined;
    }
    if (opened.isOutdated) void store.reseal(id, "secret", secret, box.seal(opened.secret, id)).catch(() => {});
    return stepOf(opened.secret, code, now(), usedStep);
  }
}

/** What remains of a second factor that was removed. */
export const NONE = { secondFactor: null, recoveryCodes: [] } as const;

export function isEnrolled({ secondFactor }: User): boolean {
  return secondFactor?.confirmedAt !== undefined;
}

function wrongCode(): ProblemError {
  const detail =
    "Expected the code that the app shows now, or a recovery code that was not used. Wait for the app's next code if this one was used.";
  return new ProblemError("invalid_second_factor", detail);
}

function alreadyEnrolled(): ProblemError {
  return new ProblemError("second_factor_exists", "Remove the second factor first, with the password and a code");
}
