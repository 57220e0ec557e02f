/**
 * What the token issuer keeps: tenants, users, devices, sessions, hashes of refresh tokens, and which devices are
 * revoked. A port: ./sqlite-auth-store.ts keeps it in a file, ./postgres-auth-store.ts in a database that any number
 * of servers share.
 *
 * Restoring a shop's data from a backup must not un-revoke a stolen till. If that matters, keep these tables in a
 * separate database (`--auth-database`) and restore only the other one. At each start the server applies the
 * revocations to the sync store again.
 */
import type { Role } from "../roles.ts";

export interface User {
  readonly id: string;
  readonly tenant: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly roles: readonly Role[];
  readonly branch: string | undefined;
  readonly disabledAt: number | undefined;
  /** Counts the changes of what proves who the person is: each of `UserChanges`. */
  readonly stamp: number;
  readonly oneTimeCode: OneTimeCode | undefined;
  readonly secondFactor: SecondFactor | undefined;
}

/** With it, a person chooses a new password. */
export interface OneTimeCode {
  readonly digest: string;
  readonly expiresAt: number;
}

export interface SecondFactor {
  /** Sealed: see ./secret-box.ts. */
  readonly secret: string;
  /** `undefined`: not yet, so it is not asked for. */
  readonly confirmedAt: number | undefined;
  /** The step of the last code that was accepted. */
  readonly usedStep: number;
}

export type NewUser = Omit<User, "disabledAt" | "stamp" | "secondFactor">;

/** What is left out stays as it is; `null` removes it. */
export interface UserChanges {
  readonly password?: string;
  readonly oneTimeCode?: OneTimeCode | null;
  readonly secondFactor?: SecondFactor | null;
  /** Digests. They replace those that are there. */
  readonly recoveryCodes?: readonly string[];
  readonly disabledAt?: number | null;
}

/** A sealed secret or a hash that was made anew for the same password: nobody notices. */
export type Resealed = "password" | "secret";

/** A till as it signs in. Its branch is the session's. */
export interface Device {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  /** A digest of the secret that proves that it is this till. */
  readonly secret: string;
}

/** A till as it is known. */
export interface KnownDevice {
  readonly id: string;
  readonly name: string;
  /** `undefined`: it has not signed in since devices have secrets. */
  readonly registered: { readonly branch: string; readonly secret: string } | undefined;
  /** Since then, the next sign-in registers it anew. */
  readonly releasedAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly seenAt: number;
}

/** `changed`: what proves who the user is, since the user was read. `device_taken`: the till is registered otherwise. */
export type Begun = "begun" | "changed" | "device_taken";

export interface Session {
  readonly id: string;
  readonly tenant: string;
  readonly user: string | undefined;
  readonly device: string | undefined;
  readonly branch: string | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Moves with each refresh, up to `endsAt`. */
  readonly expiresAt: number;
  readonly endsAt: number;
}
export interface RefreshToken {
  readonly session: string;
  readonly rotatedAt: number | undefined;
}

/** A session, and what its tokens stand for now. */
export interface Standing {
  readonly session: Session;
  /** `undefined`: no one is signed in at the device. */
  readonly user: User | undefined;
  /** Whether the session's device is revoked. */
  readonly isRevoked: boolean;
}

export interface Tenant {
  readonly id: string;
  readonly name: string;
}

/** Which of a person's sessions end with a change. */
export interface Ends {
  readonly except?: string | undefined;
}

/** A part of a list. `after`: where the part before it has ended; empty at the start. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** The effect of every call is on disk when it resolves, and visible to every server from then on. */
export interface AuthStore {
  hasTenants(): Promise<boolean>;
  /** `taken`: the email address, or the id, is in use. `not_first`: it had to be the first tenant, and is not. */
  addTenant(tenant: Tenant, owner: NewUser, at: number, mustBeFirst: boolean): Promise<"added" | "taken" | "not_first">;
  /** The tenant's name. */
  nameOf(tenant: string): Promise<string | undefined>;
  /** `false`: the email address is in use. */
  addUser(user: NewUser, at: number): Promise<boolean>;
  /** By email address, from the one after `after`. */
  users(tenant: string, page: Page): Promise<readonly User[]>;
  user(tenant: string, id: string): Promise<User | undefined>;
  userByEmail(email: string): Promise<User | undefined>;
  /**
   * Changes what proves who a person is, and with `ends` ends all sessions that they began, except for one. `false`: it
   * was changed since the user was read, and nothing is done.
   */
  changeUser(user: Pick<User, "id" | "stamp">, changes: UserChanges, at: number, ends?: Ends): Promise<boolean>;
  /** Does nothing if it is not what `from` says any more. */
  reseal(user: string, what: Resealed, from: string, to: string): Promise<void>;
  /** `false`: a code of this step or a later one was used before. */
  useStep(user: string, step: number): Promise<boolean>;
  /** `false`: there is no such code, or it was used. */
  useRecoveryCode(user: string, digest: string): Promise<boolean>;
  /**
   * Starts a session. A device that is not registered, or was released, is registered with this branch and this secret;
   * any other must have been registered with both. The device's earlier sessions of the same branch stay: if this answer
   * is lost, the till has only their tokens. Those of another branch end: they may be somebody else's.
   */
  begin(session: Session, stamp: number, device: Device | undefined, refreshToken: string, at: number): Promise<Begun>;
  /** Those that a person began and that are still open, the newest first. */
  sessionsOf(user: string, at: number): Promise<readonly Session[]>;
  standing(session: string): Promise<Standing | undefined>;
  end(session: string, at: number): Promise<void>;
  /** The device's session continues without the user. */
  signOutUser(session: string): Promise<void>;
  refreshToken(token: string): Promise<RefreshToken | undefined>;
  /** Two concurrent calls with the same token store the same successor, once. */
  rotate(token: string, successor: string, session: string, at: number, expiresAt: number): Promise<void>;
  /** By id, from the one after `after`. */
  devices(tenant: string, page: Page): Promise<readonly KnownDevice[]>;
  device(tenant: string, id: string): Promise<KnownDevice | undefined>;
  /** Ends the device's sessions, and lets the next sign-in register it. `false`: there is no such device. */
  release(tenant: string, device: string, at: number): Promise<boolean>;
  /** `false`: there is no such device. */
  revoke(tenant: string, device: string, at: number): Promise<boolean>;
  revocations(): Promise<readonly { readonly tenant: string; readonly device: string }[]>;
  close(): Promise<void>;
}

/** How long rotated refresh tokens are kept, in ms. One that is used again later is treated as unknown. */
export const KEEP_ROTATED_MS = 7 * 24 * 60 * 60 * 1_000;
