/** The amounts that have been paid for a sale, and refunded. */
import type { Effect } from "tillsync/server";
import type { Shop } from "../server-collections.ts";
import type { Flags } from "./facts.ts";

export type Balance = Shop["saleBalances"]["~shape"]["record"];
type Refund = Pick<Shop["refunds"]["~shape"]["record"], "items" | "totalCents">;
type Sale = Pick<Shop["sales"]["~shape"]["record"], "items" | "totalCents">;
type Sums = Omit<Balance, "id">;

/**
 * The most that is added up for a sale: ten billion. Beyond it, sums stay what they are. A sum that no integer holds
 * would be refused by the schema, and with it every later payment of the sale, though the money is in the drawer.
 */
const MOST = 1_000_000_000_000;

/**
 * The most lines whose refunds are counted one by one: as many as a sale may have. The balance is read and written with
 * each payment and refund of the sale, so it must not grow with what refunds make up.
 */
const MOST_LINES = 500;
/** Of lines that were refunded too often, as many are named. */
const MOST_NAMED = 5;

function added(sum: number, amount: number): number {
  return sum >= MOST ? sum : Math.min(MOST, sum + amount);
}

const NOTHING: Sums = { paidCents: 0, refundedCents: 0, refunded: [] };

export function withPayment(before: Balance | undefined, amountCents: number): Sums {
  const { paidCents, refundedCents, refunded } = before ?? NOTHING;
  return { paidCents: added(paidCents, amountCents), refundedCents, refunded };
}

export function withRefund(before: Balance | undefined, refund: Refund): Sums {
  const { paidCents, refundedCents, refunded } = before ?? NOTHING;
  const lines = new Map(refunded.map(({ lineId, quantity }) => [lineId, quantity]));
  for (const { lineId, quantity } of refund.items) {
    if (lineId === undefined || (lines.size >= MOST_LINES && !lines.has(lineId))) continue;
    lines.set(lineId, added(lines.get(lineId) ?? 0, quantity));
  }
  const entries = [...lines].map(([lineId, quantity]) => ({ lineId, quantity }));
  return { paidCents, refundedCents: added(refundedCents, refund.totalCents), refunded: entries };
}

/** The lines of which more was refunded than sold; or the amounts, if only they show it. `undefined`: neither. */
export function overRefunded(sale: Sale, { refunded, refundedCents }: Sums): string | undefined {
  const sold = new Map(sale.items.map((item) => [item.lineId, item.quantity]));
  const over = refunded.filter(({ lineId, quantity }) => quantity > (sold.get(lineId) ?? 0));
  if (over.length > 0) {
    const named = over
      .slice(0, MOST_NAMED)
      .map((line) => `${line.lineId}: ${line.quantity} of ${sold.get(line.lineId) ?? 0}`);
    if (over.length > MOST_NAMED) named.push(`${over.length - MOST_NAMED} more`);
    return named.join(", ");
  }
  return refundedCents > sale.totalCents ? `${refundedCents} of ${sale.totalCents}` : undefined;
}

/** Says that the sums of a sale are not added up any further. */
export function balanceFlags(saleId: string, { paidCents, refundedCents, refunded }: Sums): Flags {
  const full = Object.entries({ paidCents, refundedCents }).flatMap(([name, cents]) => (cents >= MOST ? [name] : []));
  if (refunded.length >= MOST_LINES) full.push("refunded");
  return full.map((name) => ({ code: "counter_out_of_range", message: `saleBalances/${saleId}/${name}` }));
}

export function balanceEffect(saleId: string, before: Balance | undefined, after: Sums): Effect<Shop> {
  if (before === undefined) return { collection: "saleBalances", id: saleId, create: after };
  return { collection: "saleBalances", id: saleId, patch: after };
}
