/**
 * A barcode scanner is a keyboard: it types digits, faster than a person, and presses Enter. It is told apart from a
 * person by the time between two keys.
 */

export interface ScannerState {
  readonly digits: string;
  readonly lastAt: number;
}
export interface ScannerStep {
  readonly state: ScannerState;
  /** The whole code, when Enter is pressed. */
  readonly code: string | undefined;
}

export const NOTHING_SCANNED: ScannerState = { digits: "", lastAt: Number.NEGATIVE_INFINITY };

/** Scanners need 1 to 20 ms for a key; slow Bluetooth ones up to 60. */
const KEY_GAP_MS = 80;
const MIN_DIGITS = 6;
const MAX_DIGITS = 64;

export function scannerKey({ digits, lastAt }: ScannerState, key: string, at: number): ScannerStep {
  const isNext = at - lastAt <= KEY_GAP_MS;
  const typed = isNext ? digits : "";
  if (/^\d$/.test(key)) {
    return { state: { digits: (typed + key).slice(-MAX_DIGITS), lastAt: at }, code: undefined };
  }
  const isCode = key === "Enter" && typed.length >= MIN_DIGITS;
  return { state: NOTHING_SCANNED, code: isCode ? typed : undefined };
}
