/**
 * Moments as text: RFC 3339, UTC, three decimals of a second, as in `2026-11-20T08:00:00.000Z`.
 *
 * This is the only form. Texts of this form sort as their moments do, and a moment has exactly one text, so a hash of
 * it is stable.
 */

const FIRST_MS = -62_167_219_200_000; // 0000-01-01T00:00:00.000Z
const LAST_MS = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z

/** Epoch ms as text. A moment outside of the years 0 to 9999 becomes the nearest one inside. */
export function rfc3339(epochMs: number): string {
  return new Date(Math.min(Math.max(epochMs, FIRST_MS), LAST_MS)).toISOString();
}

/** Epoch ms, or `undefined` if the text has another form or names a day that does not exist. */
export function parseRfc3339(text: string): number | undefined {
  const epochMs = Date.parse(text);
  // Any other form would be written differently. So would 30 February, which some engines take for 2 March.
  return Number.isFinite(epochMs) && rfc3339(epochMs) === text ? epochMs : undefined;
}
