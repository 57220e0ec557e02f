/** Cash: whether it is enough, the change, and what people usually hand over. */
import { minorPerMajor } from "./money.ts";

export type Tender =
  | { readonly kind: "short"; readonly missingCents: number }
  | { readonly kind: "enough"; readonly changeCents: number };

export function tender(totalCents: number, givenCents: number): Tender {
  return givenCents < totalCents
    ? { kind: "short", missingCents: totalCents - givenCents }
    : { kind: "enough", changeCents: givenCents - totalCents };
}

const NOTES = [5, 10, 20, 50, 100, 200, 500];
const SUGGESTIONS = 4;

/** The exact amount, the next whole one, then the notes that cover it. At most four, each more than the one before. */
export function usualTenders(totalCents: number, currency: string): readonly number[] {
  const per = minorPerMajor(currency);
  const whole = Math.ceil(totalCents / per) * per;
  const five = Math.ceil(totalCents / (5 * per)) * 5 * per;
  const notes = NOTES.map((note) => note * per).filter((note) => note >= totalCents);
  const all = [...new Set([totalCents, whole, five, ...notes])].sort((a, b) => a - b);
  return all.slice(0, SUGGESTIONS);
}
