/** Refunds: what can still be refunded of each line, and the amount. */

export interface SoldLine {
  readonly lineId: string;
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
  readonly discountCents: number;
  readonly taxCents: number;
  readonly taxIncluded: boolean;
}
export interface GivenBack {
  readonly items: readonly {
    readonly lineId?: string | undefined;
    readonly quantity: number;
    readonly amountCents: number;
  }[];
}
export interface RefundableLine {
  readonly line: SoldLine;
  readonly left: number;
}
export interface RefundItem {
  readonly lineId: string;
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly amountCents: number;
}

/** As far as this till knows: another one that is offline may have refunded the same. The server then flags it. */
export function refundable(lines: readonly SoldLine[], before: readonly GivenBack[]): readonly RefundableLine[] {
  return lines.map((line) => ({ line, left: Math.max(0, line.quantity - given(line, before).quantity) }));
}

/** The last piece gets the rest, so the parts never add up to more or less than the line. */
export function refundItem(line: SoldLine, quantity: number, before: readonly GivenBack[]): RefundItem {
  const { lineId, productId, name } = line;
  const paid = line.quantity * line.unitPriceCents - line.discountCents + (line.taxIncluded ? 0 : line.taxCents);
  const already = given(line, before);
  const isRest = already.quantity + quantity >= line.quantity;
  const amountCents = isRest ? Math.max(0, paid - already.amountCents) : Math.round((paid * quantity) / line.quantity);
  return { lineId, productId, name, quantity, amountCents };
}

function given({ lineId }: SoldLine, before: readonly GivenBack[]): { quantity: number; amountCents: number } {
  const items = before.flatMap((refund) => refund.items.filter((item) => item.lineId === lineId));
  return {
    quantity: items.reduce((sum, item) => sum + item.quantity, 0),
    amountCents: items.reduce((sum, item) => sum + item.amountCents, 0),
  };
}
