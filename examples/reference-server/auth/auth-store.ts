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

/** A session, and what its tokens stand for now. */
export interface Standing {
  readonly session: Session;
  /** `undefined`: no one is signed in at the device. */
  readonly user: User | undefined;
  /** Whether the session's device is revoked. */
  readonly isRevoked: boolean;
}

/** The effect of every call is on disk when it resolves, and visible to every server from then on. */
export interface AuthStore {
  hasTenants(): Promise<boolean>;
  /** `false`: the email address, or the id, is in use. */
  addTenant(tenant: { readonly id: string; readonly name: string }, owner: User, at: number): Promise<boolean>;
  /** `false`: the email address is in use. */
  addUser(user: User, at: number): Promise<boolean>;
  userByEmail(email: string): Promise<User | undefined>;
  /** Starts a session. The device's earlier sessions stay: if this answer is lost, the till has only their tokens. */
  begin(session: Session, device: Device | undefined, refreshToken: string, at: number): Promise<void>;
  standing(session: string): Promise<Standing | undefined>;
  end(session: string, at: number): Promise<void>;
  /** The device's session continues without the user. */
  signOutUser(session: string): Promise<void>;
  refreshToken(token: string): Promise<RefreshToken | undefined>;
  /** Two concurrent calls with the same token store the same successor, once. */
  rotate(token: string, successor: string, session: string, at: number, expiresAt: number): Promise<void>;
  /** `false`: there is no such device. */
  revoke(tenant: string, device: string, at: number): Promise<boolean>;
  revocations(): Promise<readonly { readonly tenant: string; readonly device: string }[]>;
  close(): Promise<void>;
}

/** How long rotated refresh tokens are kept, in ms. One that is used again later is treated as unknown. */
export const KEEP_ROTATED_MS = 7 * 24 * 60 * 60 * 1_000;
