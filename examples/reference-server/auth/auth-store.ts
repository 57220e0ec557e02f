/**
 * What the token issuer keeps: tenants, users, devices, sessions, hashes of refresh tokens, and which devices are revoked. A port:
 * ./sqlite-auth-store.ts keeps it in a file, ./postgres-auth-store.ts where any number of servers share it.
 *
 * A shop's data that is put back from a backup must not bring back a stolen till: where that matters, keep this in a database of
 * its own (`--auth-database`), and restore only the other one. At each start the revocations are told to the sync store again.
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
}
export interface Device {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
}
export interface Session {
  readonly id: string;
  readonly tenant: string;
  readonly user: string | undefined;
  readonly device: string | undefined;
  readonly branch: string | undefined;
  readonly endedAt: number | undefined;
  readonly expiresAt: number;
}
export interface RefreshToken {
  readonly session: string;
  readonly rotatedAt: number | undefined;
}

/** A session, and what a token of it stands for now. */
export interface Standing {
  readonly session: Session;
  /** Undefined where nobody is signed in at the device. */
  readonly user: User | undefined;
  /** Of its device. */
  readonly isRevoked: boolean;
}

/** Every call is on disk when it resolves, and is seen by every server from then on. */
export interface AuthStore {
  hasTenants(): Promise<boolean>;
  /** `false`: the email address, or the id, is in use. */
  addTenant(tenant: { readonly id: string; readonly name: string }, owner: User, at: number): Promise<boolean>;
  /** `false`: the email address is in use. */
  addUser(user: User, at: number): Promise<boolean>;
  userByEmail(email: string): Promise<User | undefined>;
  /** The device's earlier sessions stay: should this answer be lost, the till still has their tokens and no others. */
  begin(session: Session, device: Device | undefined, refreshToken: string, at: number): Promise<void>;
  standing(session: string): Promise<Standing | undefined>;
  end(session: string, at: number): Promise<void>;
  /** The device goes on without the user. */
  signOutUser(session: string): Promise<void>;
  refreshToken(token: string): Promise<RefreshToken | undefined>;
  /** Two that come at once with one token give it the same successor, once. */
  rotate(token: string, successor: string, session: string, at: number, expiresAt: number): Promise<void>;
  /** `false`: there is no such device. */
  revoke(tenant: string, device: string, at: number): Promise<boolean>;
  revocations(): Promise<readonly { readonly tenant: string; readonly device: string }[]>;
  close(): Promise<void>;
}

/** Rotated refresh tokens are kept this long, in ms: one that comes again later is as unknown as any other. */
export const KEEP_ROTATED_MS = 7 * 24 * 60 * 60 * 1_000;
