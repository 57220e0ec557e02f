/** The taxes of a sale, by rate, as receipts show them. */

export interface TaxedLine {
  readonly taxRate: number;
  readonly taxCents: number;
}

/** Lowest rate first; untaxed lines are not listed. */
export function taxByRate(lines: readonly TaxedLine[]): readonly { readonly rate: number; readonly cents: number }[] {
  const sums = new Map<number, number>();
  for (const { taxRate, taxCents } of lines) sums.set(taxRate, (sums.get(taxRate) ?? 0) + taxCents);
  return [...sums]
    .filter(([rate]) => rate > 0)
    .sort(([a], [b]) => a - b)
    .map(([rate, cents]) => ({ rate, cents }));
}
