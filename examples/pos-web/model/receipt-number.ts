/** The till's own numbers for its receipts: printed immediately, also offline. */

const DIGITS = 6;

/**
 * Two tills never share a prefix: the server numbers them. A till without a number yet uses the start of its own id.
 */
export function receiptPrefix(device: { readonly id: string; readonly number: number | undefined }): string {
  return device.number === undefined ? `N${device.id.replace(/[^A-Za-z0-9]/g, "").slice(-6)}-` : `T${device.number}-`;
}

/** `last` is the highest number with this prefix. Numbers have a fixed width, because they are compared as text. */
export function nextReceiptNumber(prefix: string, last: string | undefined): string {
  const used = last?.startsWith(prefix) ? Number(last.slice(prefix.length)) : 0;
  return prefix + String((Number.isSafeInteger(used) ? used : 0) + 1).padStart(DIGITS, "0");
}
