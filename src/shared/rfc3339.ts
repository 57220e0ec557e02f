/**
 * Moments as text: RFC 3339, UTC, three decimals of a second, `2026-11-20T08:00:00.000Z`.
 *
 * One form only. Text of this form sorts as the moments do, and one moment has one text, so that a hash over it is stable.
 */

const FIRST_MS = -62_167_219_200_000; // 0000-01-01T00:00:00.000Z
const LAST_MS = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z

/** Epoch ms as text. A clock that stands outside the years 0 to 9999 gives the nearest moment that has a text. */
export function rfc3339(epochMs: number): string {
  return new Date(Math.min(Math.max(epochMs, FIRST_MS), LAST_MS)).toISOString();
}

/** Epoch ms, or `undefined` where the text has another form or names a day that does not exist. */
export function parseRfc3339(text: string): number | undefined {
  const epochMs = Date.parse(text);
  // Only the one form comes back as it went. Nor does 30 February, which some engines refuse and some take for 2 March.
  return Number.isFinite(epochMs) && rfc3339(epochMs) === text ? epochMs : undefined;
}
