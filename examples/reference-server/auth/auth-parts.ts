/** What the parts of the token issuer share. */
import type { Logger } from "tillsync";
import { ProblemError } from "../problem.ts";
import { type Role, SCOPES } from "../roles.ts";
import type { Caller, SecurityEvent, SecurityEventCode, SecurityLog } from "../security-log.ts";
import type { Attempts } from "./attempts.ts";
import type { AuthStore, User } from "./auth-store.ts";
import type { Passwords } from "./passwords.ts";
import type { SecretBox } from "./secret-box.ts";
import type { Tokens } from "./tokens.ts";

export type PublicUser = Pick<User, "id" | "tenant" | "name" | "roles" | "branch"> & { readonly isActive: boolean };

/** How long sessions live, in ms. */
export interface Lifetimes {
  /** A person's own session, after its last refresh. */
  readonly personIdle: number;
  /** A person's own session, however often it is refreshed. */
  readonly person: number;
  /** A till's, after its last refresh: it may be offline for weeks, and then syncs again without a password. */
  readonly tillIdle: number;
  /** A till's, however often it is refreshed. Each sign-in at the till begins a new one. */
  readonly till: number;
}

/** Whose sign-in needs a second factor. The office: owners and managers. */
export type SecondFactorFor = "nobody" | "office";

/** Sends a person the code with which they choose a new password. It must not be logged, nor be in the message's subject. */
export type SendRecovery = (message: RecoveryMessage) => Promise<void>;
export interface RecoveryMessage {
  readonly email: string;
  readonly name: string;
  readonly code: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** Whether a new password is on a list of leaked ones: one of your own, or a service's. */
export type IsLeaked = (password: string) => Promise<boolean>;

export interface AuthParts {
  readonly store: AuthStore;
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly box: SecretBox;
  readonly attempts: Attempts;
  /** Publishes a user's name to the tills. */
  readonly announceUser: (user: PublicUser) => Promise<void>;
  /** Revokes the device in the sync store: from now on its work is quarantined. */
  readonly revokeInSync: (tenant: string, device: string) => Promise<void>;
  readonly securityLog: SecurityLog;
  readonly logger: Logger;
  readonly now: () => number;
  readonly lifetimes: Lifetimes;
  readonly secondFactorFor: SecondFactorFor;
  readonly sendRecovery: SendRecovery | undefined;
  readonly isLeaked: IsLeaked | undefined;
}

/** A signed-in person, and the request that they make. */
export interface Person {
  readonly user: User;
  /** The session that the request belongs to. */
  readonly session: string;
  readonly device: string | undefined;
  /** What the token and the person's roles allow now. */
  readonly scopes: readonly string[];
  readonly caller: Caller;
}

/** An entry of the security log about what a person did. */
export function entryOf(
  event: SecurityEventCode,
  { user, device, caller }: Person,
  more: Partial<SecurityEvent> = {},
): SecurityEvent {
  return { event, tenant: user.tenant, user: user.id, device, ...caller, ...more };
}

/** @throws ProblemError `forbidden` */
export function checkOwner({ scopes }: Person, what: string): void {
  if (!scopes.includes(SCOPES.manageUsers)) throw new ProblemError("forbidden", what);
}

export function isOffice(roles: readonly Role[]): boolean {
  return roles.some((name) => name !== "cashier");
}

export function changedMeanwhile(): ProblemError {
  return new ProblemError(
    "changed_meanwhile",
    "The account was changed by another request at the same time: try again",
  );
}
