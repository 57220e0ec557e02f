/** Decodes the rows of either database. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { role } from "../roles.ts";
import type { Session, User } from "./auth-store.ts";

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
  };
}

export function sessionOf(row: Row | undefined): Session | undefined {
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    tenant: String(row.tenant),
    user: optional(row.user, String),
    device: optional(row.device, String),
    branch: optional(row.branch, String),
    endedAt: optional(row.ended_at, Number),
    expiresAt: Number(row.expires_at),
  };
}

export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}

/** Refresh tokens are random, so a plain digest reveals nothing about them. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
