/**
 * Moments and durations, in words for people. A record of another till may name a moment that no calendar has, and must
 * still be shown.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long something has lasted, in its largest unit. */
export function lasting(ms: number): string {
  if (ms < MINUTE_MS) return "less than a minute";
  if (ms < HOUR_MS) return counted(Math.floor(ms / MINUTE_MS), "minute");
  if (ms < 2 * DAY_MS) return counted(Math.floor(ms / HOUR_MS), "hour");
  return counted(Math.floor(ms / DAY_MS), "day");
}

export function ago(at: number | undefined, now: number): string {
  if (at === undefined) return "never";
  const ms = Math.max(0, now - at);
  return ms < MINUTE_MS ? "just now" : `${lasting(ms)} ago`;
}

/** The time until the next attempt: `in 12 s`, never negative. */
export function until(at: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((at - now) / SECOND_MS));
  return seconds === 0 ? "now" : `in ${seconds}\u00a0s`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

const UNKNOWN = "No date";

function isMoment(at: number): boolean {
  return !Number.isNaN(new Date(at).getTime());
}

/** Midnight at the beginning of the day, in the till's time zone; 0 for what is no moment, so that two are one day. */
export function dayOf(at: number): number {
  return isMoment(at) ? new Date(at).setHours(0, 0, 0, 0) : 0;
}

export function dayName(at: number, now: number): string {
  if (!isMoment(at)) return UNKNOWN;
  const days = Math.round((dayOf(now) - dayOf(at)) / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return new Date(at).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
}

export function clockTime(at: number): string {
  if (!isMoment(at)) return UNKNOWN;
  return new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

export function dateAndTime(at: number): string {
  if (!isMoment(at)) return UNKNOWN;
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
