/** A sale: the fact, its payment and the stock, together or not at all. */
import { type Cart, lineTax, totalsOf } from "../model/cart.ts";
import { nextReceiptNumber, receiptPrefix } from "../model/receipt-number.ts";
import type { Sale, Till } from "./client.ts";

export interface Deal {
  /** Made when the checkout opens: the same sale can't be recorded twice. */
  readonly saleId: string;
  readonly cart: Cart;
  readonly method: "cash" | "card";
  /** The cash that the customer has given. */
  readonly tenderedCents: number;
  readonly currency: string;
  readonly branchId: string;
  readonly cashierId: string | undefined;
}

/** Resolves when the sale is on disk: only then is the receipt printed. */
export async function recordSale(till: Till, deal: Deal): Promise<Sale> {
  const { cart, method, tenderedCents, currency, branchId, cashierId } = deal;
  const { totalCents } = totalsOf(cart);
  const prefix = receiptPrefix(await till.device());
  const place = { branchId, ...(cashierId !== undefined && { cashierId }) };
  return till.transaction(async (tx, { now }) => {
    // If another tab has taken the same number meanwhile, this runs again.
    const last = await tx.sales.first({ index: "receipt", startsWith: prefix, reverse: true });
    const sale = tx.sales.create({
      id: deal.saleId,
      ...place,
      receiptNumber: nextReceiptNumber(prefix, last?.receiptNumber),
      currency,
      items: cart.lines.map((line) => ({ ...line, taxCents: lineTax(line) })),
      totalCents,
      soldAt: now,
    });
    const cash = method === "cash" ? { tenderedCents, changeCents: tenderedCents - totalCents } : {};
    tx.payments.create({ ...place, saleId: sale.id, method, amountCents: totalCents, ...cash, paidAt: now });
    const pieces = new Map<string, number>();
    for (const { productId, quantity } of cart.lines) pieces.set(productId, (pieces.get(productId) ?? 0) + quantity);
    // A product that was deleted meanwhile has no stock to move. It was sold anyway.
    const known = await tx.products.getMany([...pieces.keys()]);
    for (const product of known) {
      if (product !== undefined) tx.products.increment(product.id, { stock: -(pieces.get(product.id) ?? 0) });
    }
    return sale;
  });
}
