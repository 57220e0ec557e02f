/** A completed sale: money and goods have changed hands, and the receipt is printed. */
import type { Effect, PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";
import { overRefunded } from "./balance.ts";
import { clockFlags, type Flags, ofAnotherBranch, setAside, sum } from "./facts.ts";
import { nextOrderNumber, ORDERS } from "./order-number.ts";
import { pointsFor } from "./points.ts";

type Sale = Shop["sales"]["~shape"]["record"];

export const sales: PolicyFor<Shop, "sales"> = {
  scope: { branch: (sale) => sale.branchId },
  allow: { read: "everyone", create: SCOPES.sell },
  reads: ({ operation: { data, entityId } }) => ({
    products: data.items.map(({ productId }) => productId),
    customers: data.customerId === undefined ? [] : [data.customerId],
    shifts: data.shiftId === undefined ? [] : [data.shiftId],
    sequences: [ORDERS],
    saleBalances: [entityId],
  }),
  decide(input) {
    const { operation, rows, principal, epoch, acknowledged } = input;
    const sale = operation.data;
    const doubts = ofAnotherBranch(principal, sale.branchId);
    const computed = totalOf(sale);
    // Only the till knows which of the amounts the customer paid, and the server never makes up a price.
    if (computed !== sale.totalCents) {
      doubts.push({ code: "arithmetic", message: `The lines make ${computed}, the total says ${sale.totalCents}` });
    }
    const aside = setAside(input, doubts);
    if (aside !== undefined) return aside;

    const flags: Flags = [...doubts, ...clockFlags(input)];
    for (const item of sale.items) {
      if (!rows.products.has(item.productId)) flags.push({ code: "unknown_product", message: item.productId });
    }
    const given = rows.saleBalances.get(operation.entityId);
    const over = given === undefined ? undefined : overRefunded(sale, given);
    if (over !== undefined) flags.push({ code: "over_refund", message: over });
    const shift = sale.shiftId === undefined ? undefined : rows.shifts.get(sale.shiftId);
    // The sale belongs to the shift in which it was made, even if that was closed long ago.
    if (shift?.closedAt !== undefined) flags.push({ code: "late_arrival", message: shift.id });

    const isUnknownCustomer = sale.customerId !== undefined && !rows.customers.has(sale.customerId);
    if (isUnknownCustomer) flags.push({ code: "unknown_customer", message: `${sale.customerId}` });
    // After a restore the customer may arrive later, from the till that added them.
    const isDropped = isUnknownCustomer && acknowledged === undefined;

    // The number on the customer's receipt stands, and no new one is taken.
    const hasNumber = acknowledged?.assigned?.orderNumber !== undefined;
    const number = hasNumber ? undefined : nextOrderNumber(rows.sequences.get(ORDERS), epoch);
    const points = pointsFor(sale.totalCents);
    const effects: Effect<Shop>[] = [...(number?.effects ?? [])];
    if (sale.customerId !== undefined && !isDropped && points !== 0) {
      effects.push({ collection: "customers", id: sale.customerId, increment: { points } });
    }
    return {
      outcome: "applied",
      ...(number !== undefined && { assigned: { orderNumber: number.orderNumber } }),
      ...(isDropped && { without: ["customerId"] as const }),
      flags,
      effects,
    };
  },
};

function totalOf({ items, discountCents, roundingCents }: Sale): number {
  const lines = items.map(
    (item) => item.quantity * item.unitPriceCents - item.discountCents + (item.taxIncluded ? 0 : item.taxCents),
  );
  return sum(lines) - discountCents + roundingCents;
}
