/** The names of the client's events: JavaScript callers get past the compiler. */
import type { SyncEvents } from "../types/events.ts";

/** An object, so that the compiler finds one that is missing. */
const EVENTS: Readonly<Record<keyof SyncEvents, true>> = {
  status: true,
  queued: true,
  applied: true,
  rejected: true,
  quarantined: true,
  conflict: true,
  pulled: true,
  auth_required: true,
  device_revoked: true,
  epoch_changed: true,
  identity_forked: true,
  storage_lost: true,
  storage_at_risk: true,
  skew: true,
  error: true,
};

export const EVENT_NAMES: readonly string[] = Object.keys(EVENTS);
