/** Time-based one-time passwords (RFC 6238), as authenticator apps make them: SHA-1, 30 seconds, six digits. */
import { createHmac, timingSafeEqual } from "node:crypto";

const STEP_MS = 30_000;
const DIGITS = 6;
/** A code of the step before or after is good too: clocks differ, and typing takes a while (RFC 6238, 5.2). */
const DRIFT_STEPS = 1;
/** As long as the digest (RFC 4226, 4). */
export const SECRET_BYTES = 20;

export function stepAt(now: number): number {
  return Math.floor(now / STEP_MS);
}

export function totp(secret: Uint8Array, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/**
 * The step that the code belongs to; `undefined` if it is not a good one now.
 *
 * @param used the step of the last code that was accepted: that code and earlier ones are not good any more
 */
export function stepOf(secret: Uint8Array, code: string, now: number, used: number): number | undefined {
  const given = code.replace(/\s/g, "");
  if (!/^\d{6}$/.test(given)) return undefined;
  let found: number | undefined;
  // All of them, whatever was found: how long it takes says nothing.
  for (let step = stepAt(now) - DRIFT_STEPS; step <= stepAt(now) + DRIFT_STEPS; step++) {
    const isEqual = timingSafeEqual(Buffer.from(totp(secret, step)), Buffer.from(given));
    if (isEqual && step > used) found = step;
  }
  return found;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648, without padding: what people type into an authenticator app. */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
}

/** For an authenticator app: as a link, or in a QR code. */
export function otpauthUri(secret: Uint8Array, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`;
}
