/** Decodes the rows of either database. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { role } from "../roles.ts";
import type { KnownDevice, Session, User, UserChanges } from "./auth-store.ts";

export type Row = Readonly<Record<string, unknown>>;

export function userOf(row: Row | undefined): User | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    tenant: String(row.tenant),
    email: String(row.email),
    name: String(row.name),
    password: String(row.password),
    roles: z.array(role).parse(JSON.parse(String(row.roles))),
    branch: optional(row.branch, String),
    disabledAt: optional(row.disabled_at, Number),
    stamp: Number(row.stamp),
    oneTimeCode: optional(row.code_digest, (digest) => ({
      digest: String(digest),
      expiresAt: Number(row.code_expires_at),
    })),
    secondFactor: optional(row.totp_secret, (secret) => ({
      secret: String(secret),
      confirmedAt: optional(row.totp_confirmed_at, Number),
      usedStep: Number(row.totp_step),
    })),
  };
}

/** The columns of `auth_users` that a change writes. */
export function columnsOf({ password, oneTimeCode, secondFactor, disabledAt }: UserChanges) {
  const columns: [column: string, value: string | number | null][] = [];
  if (password !== undefined) columns.push(["password", password]);
  if (oneTimeCode !== undefined) {
    columns.push(["code_digest", oneTimeCode?.digest ?? null], ["code_expires_at", oneTimeCode?.expiresAt ?? null]);
  }
  if (secondFactor !== undefined) {
    columns.push(["totp_secret", secondFactor?.secret ?? null], ["totp_step", secondFactor?.usedStep ?? 0]);
    columns.push(["totp_confirmed_at", secondFactor?.confirmedAt ?? null]);
  }
  if (disabledAt !== undefined) columns.push(["disabled_at", disabledAt]);
  return columns;
}

export const RESEALED = { password: "password", secret: "totp_secret" } as const;

export function sessionOf(row: Row | undefined): Session | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    tenant: String(row.tenant),
    user: optional(row.user, String),
    device: optional(row.device, String),
    branch: optional(row.branch, String),
    startedAt: optional(row.started_at, Number),
    endedAt: optional(row.ended_at, Number),
    expiresAt: Number(row.expires_at),
    // A server of before writes none, for as long as it runs beside this one.
    endsAt: Number(row.ends_at ?? row.expires_at),
  };
}

export function deviceOf(row: Row | undefined): KnownDevice | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    name: String(row.name),
    registered: optional(row.secret, (secret) => ({ branch: String(row.branch), secret: String(secret) })),
    releasedAt: optional(row.released_at, Number),
    revokedAt: optional(row.revoked_at, Number),
    seenAt: Number(row.seen_at),
  };
}

export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}

/** Refresh tokens, codes and the secrets of devices are random, so a plain digest reveals nothing about them. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
