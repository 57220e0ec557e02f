/**
 * Money given back. Two offline tills can refund the same line twice: both refunds stand, with a flag for a manager.
 */
import type { Effect, PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";
import { balanceEffect, balanceFlags, overRefunded, withRefund } from "./balance.ts";
import { clockFlags, type Flags, ofAnotherBranch, setAside, sum } from "./facts.ts";
import { pointsFor } from "./points.ts";

export const refunds: PolicyFor<Shop, "refunds"> = {
  scope: { branch: (refund) => refund.branchId },
  allow: { read: "everyone", create: SCOPES.refund },
  reads: ({ operation: { data } }) => ({
    products: data.items.map(({ productId }) => productId),
    sales: data.saleId === undefined ? [] : [data.saleId],
    saleBalances: data.saleId === undefined ? [] : [data.saleId],
  }),
  decide(input) {
    const { operation, rows, principal } = input;
    const { saleId, items, totalCents, branchId } = operation.data;
    const doubts = ofAnotherBranch(principal, branchId);
    const computed = sum(items.map(({ amountCents }) => amountCents));
    if (computed !== totalCents) {
      doubts.push({ code: "arithmetic", message: `The lines make ${computed}, the total says ${totalCents}` });
    }
    const aside = setAside(input, doubts);
    if (aside !== undefined) return aside;

    const flags: Flags = [...doubts, ...clockFlags(input)];
    for (const { productId } of items) {
      if (!rows.products.has(productId)) flags.push({ code: "unknown_product", message: productId });
    }
    if (saleId === undefined) return { outcome: "applied", flags: [...flags, { code: "without_sale" }] };

    const before = rows.saleBalances.get(saleId);
    const after = withRefund(before, operation.data);
    flags.push(...balanceFlags(saleId, after));
    const effects: Effect<Shop>[] = [balanceEffect(saleId, before, after)];
    const sale = rows.sales.get(saleId);
    // The sale may still be on an offline till: its own policy checks again when it arrives.
    if (sale === undefined)
      return { outcome: "applied", flags: [...flags, { code: "unknown_sale", message: saleId }], effects };
    const over = overRefunded(sale, after);
    if (over !== undefined) flags.push({ code: "over_refund", message: over });
    const points = pointsFor(-totalCents);
    if (sale.customerId !== undefined && points !== 0) {
      effects.push({ collection: "customers", id: sale.customerId, increment: { points } });
    }
    return { outcome: "applied", flags, effects };
  },
};
