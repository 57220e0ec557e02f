/** The amounts that have been paid for a sale, and refunded. */
import type { Effect } from "tillsync/server";
import type { Shop } from "../server-collections.ts";

export type Balance = Shop["saleBalances"]["~shape"]["record"];
type Refund = Pick<Shop["refunds"]["~shape"]["record"], "items" | "totalCents">;
type Sale = Pick<Shop["sales"]["~shape"]["record"], "items" | "totalCents">;
type Sums = Omit<Balance, "id">;

const NOTHING: Sums = { paidCents: 0, refundedCents: 0, refunded: [] };

export function withPayment(before: Balance | undefined, amountCents: number): Sums {
  const { paidCents, refundedCents, refunded } = before ?? NOTHING;
  return { paidCents: paidCents + amountCents, refundedCents, refunded };
}

export function withRefund(before: Balance | undefined, refund: Refund): Sums {
  const { paidCents, refundedCents, refunded } = before ?? NOTHING;
  const lines = new Map(refunded.map(({ lineId, quantity }) => [lineId, quantity]));
  for (const { lineId, quantity } of refund.items) {
    if (lineId !== undefined) lines.set(lineId, (lines.get(lineId) ?? 0) + quantity);
  }
  const entries = [...lines].map(([lineId, quantity]) => ({ lineId, quantity }));
  return { paidCents, refundedCents: refundedCents + refund.totalCents, refunded: entries };
}

/** The lines of which more was refunded than sold; or the amounts, if only they show it. `undefined`: neither. */
export function overRefunded(sale: Sale, { refunded, refundedCents }: Sums): string | undefined {
  const sold = new Map(sale.items.map((item) => [item.lineId, item.quantity]));
  const over = refunded.filter(({ lineId, quantity }) => quantity > (sold.get(lineId) ?? 0));
  if (over.length > 0) {
    return over.map(({ lineId, quantity }) => `${lineId}: ${quantity} of ${sold.get(lineId) ?? 0}`).join(", ");
  }
  return refundedCents > sale.totalCents ? `${refundedCents} of ${sale.totalCents}` : undefined;
}

export function balanceEffect(saleId: string, before: Balance | undefined, after: Sums): Effect<Shop> {
  if (before === undefined) return { collection: "saleBalances", id: saleId, create: after };
  return { collection: "saleBalances", id: saleId, patch: after };
}
