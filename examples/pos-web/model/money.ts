/**
 * Money: integers of the minor unit in the program, text for people. A sale of another till may name anything as its
 * currency, and must still be shown: what is not a currency is written behind the amount.
 */

const formats = new Map<string, Intl.NumberFormat>();

const NO_CURRENCY = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Whether it is written like a code of ISO 4217: `Intl` throws for most of what is not. */
export function isCurrency(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z]{3}$/.test(value);
}

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  if (!isCurrency(currency)) return NO_CURRENCY;
  const made = new Intl.NumberFormat(undefined, { style: "currency", currency });
  formats.set(currency, made);
  return made;
}

/** How many minor units make one: 100 for euros, 1 for yen, 1,000 for dinars. */
export function minorPerMajor(currency: string): number {
  return 10 ** (formatOf(currency).resolvedOptions().maximumFractionDigits ?? 2);
}

export function formatMoney(cents: number, currency: string): string {
  const format = formatOf(currency);
  const amount = format.format(cents / minorPerMajor(currency));
  return format === NO_CURRENCY ? `${amount} ${currency}` : amount;
}

/** The amount that was typed, with a comma or a point: `12,5` is 1,250. `undefined` if it is no amount. */
export function parseMoney(text: string, currency: string): number | undefined {
  const per = minorPerMajor(currency);
  const digits = Math.round(Math.log10(per));
  const match = /^(\d{1,9})(?:[.,](\d*))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, major = "", minor = ""] = match;
  if (minor.length > digits) return undefined;
  // From the digits: 19.99 * 100 is no integer.
  return Number(major) * per + Number(minor.padEnd(digits, "0") || "0");
}
