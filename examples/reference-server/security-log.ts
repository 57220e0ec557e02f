/**
 * The security log: who signed in or failed to, and who changed what others may do. An entry has a stable `event`, who it
 * was (tenant, user, device) and where from, and no secret. Nothing in it is free text of a caller: ids have a pattern, and
 * an email address that nobody has may be a password that was typed into the wrong field.
 */

export type SecurityEventCode =
  | "sign_in"
  | "sign_in_failed"
  | "sign_in_throttled"
  | "sign_out"
  | "registered"
  | "registration_refused"
  | "password_changed"
  | "password_rehashed"
  | "password_check_failed"
  | "recovery_code_issued"
  | "recovery_requested"
  | "second_factor_enrolled"
  | "second_factor_failed"
  | "second_factor_removed"
  | "recovery_code_used"
  | "sessions_ended"
  | "user_added"
  | "user_disabled"
  | "user_enabled"
  | "user_signed_out"
  | "device_registered"
  | "device_released"
  | "device_revoked"
  | "refresh_token_reused"
  | "token_refused"
  | "access_denied"
  | "origin_refused"
  | "conflict_resolved"
  | "quarantine_released"
  | "quarantine_discarded";

/** Where a request came from. */
export interface Caller {
  readonly address: string;
  readonly requestId: string;
}

export interface SecurityEvent {
  readonly event: SecurityEventCode;
  readonly tenant?: string | undefined;
  /** Who did it. */
  readonly user?: string | undefined;
  readonly device?: string | undefined;
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
  /** What it was done to: a user, a till, an operation or a conflict. */
  readonly target?: string | undefined;
  /** One of a few words. */
  readonly reason?: string | undefined;
}

export type SecurityLog = (event: SecurityEvent) => void;

const MAX_CHARACTERS = 64;

/** For text that comes from outside: of bounded length, and only characters that no terminal obeys. */
export function bounded(text: string, max = MAX_CHARACTERS): string {
  const plain = text.replace(/[^\x20-\x7e]/g, "?");
  return plain.length <= max ? plain : `${plain.slice(0, max - 1)}~`;
}

/** Bounds every text of an entry, whatever an `addressOf` of the integrator returns. */
export function boundedLog(write: SecurityLog): SecurityLog {
  return (event) => {
    const known = Object.entries(event).filter(([, value]) => value !== undefined);
    write(Object.fromEntries(known.map(([name, value]) => [name, bounded(String(value))])) as unknown as SecurityEvent);
  };
}
