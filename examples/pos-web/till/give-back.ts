/** A refund: the fact, and the goods that return to stock. */
import type { RefundItem } from "../model/refund.ts";
import type { Refund, Sale, Till } from "./client.ts";

export interface GiveBack {
  readonly refundId: string;
  readonly sale: Sale;
  readonly items: readonly RefundItem[];
  readonly method: "cash" | "card";
  readonly reason: string;
  /** False for spoilt goods, which don't return to stock. */
  readonly isRestocked: boolean;
  readonly cashierId: string | undefined;
}

export function recordRefund(till: Till, given: GiveBack): Promise<Refund> {
  const { refundId, sale, items, method, reason, isRestocked, cashierId } = given;
  return till.transaction(async (tx, { now }) => {
    const refund = tx.refunds.create({
      id: refundId,
      branchId: sale.branchId,
      ...(cashierId !== undefined && { cashierId }),
      saleId: sale.id,
      items: [...items],
      totalCents: items.reduce((sum, item) => sum + item.amountCents, 0),
      method,
      ...(reason !== "" && { reason }),
      refundedAt: now,
    });
    const products = await tx.products.getMany([...new Set(items.map(({ productId }) => productId))]);
    for (const product of isRestocked ? products : []) {
      const back = items.reduce((sum, item) => (item.productId === product?.id ? sum + item.quantity : sum), 0);
      if (product !== undefined) tx.products.increment(product.id, { stock: back });
    }
    return refund;
  });
}
