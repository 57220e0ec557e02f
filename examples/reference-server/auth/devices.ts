/**
 * A device is what it was registered as. Its first sign-in registers it with a branch and with a secret that it keeps;
 * every later one proves with the secret that it is this device, and gets tokens of this branch. Otherwise whoever may
 * sign in anywhere in the tenant could be any of its tills, and take it to another branch.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { ProblemError } from "../problem.ts";
import type { Caller } from "../security-log.ts";
import { attemptOr } from "./attempts.ts";
import { type AuthParts, checkOwner, entryOf, type Person } from "./auth-parts.ts";
import { hashOf } from "./auth-rows.ts";
import type { KnownDevice, Page, User } from "./auth-store.ts";
import { partOf } from "./lists.ts";

export const DEFAULT_BRANCH = "main";
/** 256 bits. */
const SECRET_BYTES = 32;
/** What a device may choose by itself: 22 of these characters have 132 bits if they are random. */
const CHOSEN = /^[A-Za-z0-9_-]{22,128}$/;

/** A device as a sign-in names it. */
export interface NamedDevice {
  readonly id: string;
  readonly name?: string | undefined;
  readonly secret?: string | undefined;
}

/** What a sign-in registers, or has proven. */
export interface Claim {
  readonly id: string;
  readonly name: string;
  readonly branch: string;
  readonly secret: string;
  /** Whether the sign-in registers it. */
  readonly isNew: boolean;
}

/** What an owner sees of a device. */
export interface DeviceAnswer {
  readonly id: string;
  readonly name: string;
  /** Of a registered one. */
  readonly branch?: string | undefined;
  /** If not, the next sign-in that names it registers it. */
  readonly isRegistered: boolean;
  readonly isRevoked: boolean;
  /** Its last sign-in, epoch ms. */
  readonly seenAt: number;
}

export class Devices {
  readonly #parts: AuthParts;

  constructor(parts: AuthParts) {
    this.#parts = parts;
  }

  /**
   * For a person who has proven who they are. The session begins only if this still holds then: see `begin` of the store.
   *
   * @param branch where the person works, or wants to; `undefined`: wherever the device belongs
   * @throws ProblemError `device_taken`, `forbidden`, `throttled`
   */
  async claim(user: User, named: NamedDevice, branch: string | undefined, caller: Caller): Promise<Claim> {
    const { id, name = id } = named;
    const known = await this.#parts.store.device(user.tenant, id);
    const registered = registrationOf(known);
    if (registered === undefined) {
      const secret = secretFor(named.secret, known);
      return { id, name, branch: branch ?? DEFAULT_BRANCH, secret, isNew: true };
    }
    const secret = this.#proven(user, named, registered.secret, caller);
    if (branch !== undefined && branch !== registered.branch) {
      this.#logRefusal("another_branch", user, id, caller);
      throw new ProblemError(
        "forbidden",
        "The device belongs to another branch. The owner can release it, and then the next sign-in registers it anew.",
      );
    }
    return { id, name, branch: registered.branch, secret, isNew: false };
  }

  /** Counted like a wrong password, and before it is looked at. */
  #proven(user: User, { id, secret }: NamedDevice, digest: string, caller: Caller): string {
    const { attempts, securityLog } = this.#parts;
    const attempt = attemptOr(
      () => attempts.password(user.email, caller.address),
      () => securityLog({ event: "sign_in_throttled", tenant: user.tenant, user: user.id, device: id, ...caller }),
    );
    if (secret === undefined || !isSecret(secret, digest)) throw this.taken(user, id, caller);
    attempt.forgive();
    return secret;
  }

  /** The same error, whether the secret is missing or wrong: neither the branch nor anything else of the device is said. */
  taken(user: User, device: string, caller: Caller): ProblemError {
    this.#logRefusal("device_taken", user, device, caller);
    return new ProblemError(
      "device_taken",
      "A device with this id is registered, and its secret is missing or wrong. " +
        "Sign in with another id, or ask the owner to release the device.",
    );
  }

  #logRefusal(reason: string, { tenant, id }: User, device: string, caller: Caller): void {
    this.#parts.securityLog({ event: "sign_in_failed", reason, tenant, user: id, device, ...caller });
  }

  /** @param after empty, or the `next` of the part before */
  async list(
    owner: Person,
    after: string,
  ): Promise<{ readonly devices: readonly DeviceAnswer[]; readonly next?: string }> {
    checkOwner(owner, "Only the owner sees the tills");
    const read = (page: Page) => this.#parts.store.devices(owner.user.tenant, page);
    const { rows, next } = await partOf(read, after, ({ id }) => id);
    return { devices: rows.map(answerOf), ...(next !== undefined && { next }) };
  }

  /** Its sessions end: the till signs in again, and keeps what it has not sent until then. A revoked till stays revoked. */
  async release(owner: Person, device: string): Promise<void> {
    const { store, now, securityLog } = this.#parts;
    checkOwner(owner, "Only the owner releases a till");
    if (!(await store.release(owner.user.tenant, device, now()))) throw noSuchDevice();
    securityLog(entryOf("device_released", owner, { target: device }));
  }

  async revoke(owner: Person, device: string): Promise<void> {
    const { store, now, revokeInSync, securityLog } = this.#parts;
    checkOwner(owner, "Only the owner revokes a till");
    if (!(await store.revoke(owner.user.tenant, device, now()))) throw noSuchDevice();
    await revokeInSync(owner.user.tenant, device);
    securityLog(entryOf("device_revoked", owner, { target: device }));
  }
}

function registrationOf(known: KnownDevice | undefined): KnownDevice["registered"] {
  return known?.releasedAt === undefined ? known?.registered : undefined;
}

/**
 * The one that the device has chosen: if the answer is lost, it signs in with it again. Not the one that it had before it
 * was released, which may be the reason why it was.
 */
function secretFor(chosen: string | undefined, known: KnownDevice | undefined): string {
  const before = known?.registered?.secret;
  if (chosen === undefined || (before !== undefined && isSecret(chosen, before))) {
    return randomBytes(SECRET_BYTES).toString("base64url");
  }
  if (CHOSEN.test(chosen)) return chosen;
  throw new ProblemError(
    "malformed",
    "device.secret: Expected 22 to 128 random characters of A-Z, a-z, 0-9, - and _. Without a secret, the answer has one.",
  );
}

function isSecret(secret: string, digest: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(digest));
}

function answerOf(known: KnownDevice): DeviceAnswer {
  const { id, name, seenAt, revokedAt } = known;
  const registered = registrationOf(known);
  return {
    ...{ id, name },
    ...(registered !== undefined && { branch: registered.branch }),
    isRegistered: registered !== undefined,
    isRevoked: revokedAt !== undefined,
    seenAt,
  };
}

function noSuchDevice(): ProblemError {
  return new ProblemError("not_found", "There is no such device");
}
