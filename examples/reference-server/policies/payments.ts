/**
 * Money received. A payment is never quarantined for its amounts: the money is in the drawer, or charged to the card.
 */
import type { PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";
import { balanceEffect, balanceFlags, withPayment } from "./balance.ts";
import { clockFlags, type Flags, ofAnotherBranch, setAside } from "./facts.ts";

export const payments: PolicyFor<Shop, "payments"> = {
  scope: { branch: (payment) => payment.branchId },
  allow: { read: "everyone", create: SCOPES.sell },
  reads: ({ operation: { data } }) => ({ sales: [data.saleId], saleBalances: [data.saleId] }),
  decide(input) {
    const { operation, rows, principal } = input;
    const { saleId, amountCents, tenderedCents, changeCents, branchId } = operation.data;
    const doubts = ofAnotherBranch(principal, branchId);
    const aside = setAside(input, doubts);
    if (aside !== undefined) return aside;

    const flags: Flags = [...doubts, ...clockFlags(input)];
    if (tenderedCents !== undefined && tenderedCents - changeCents !== amountCents) {
      flags.push({ code: "arithmetic", message: `${tenderedCents} less ${changeCents} is not ${amountCents}` });
    }
    const before = rows.saleBalances.get(saleId);
    const after = withPayment(before, amountCents);
    flags.push(...balanceFlags(saleId, after));
    const sale = rows.sales.get(saleId);
    // Two tills took the money for one order: both payments stand, and a person refunds one.
    if (sale !== undefined && after.paidCents > sale.totalCents) {
      flags.push({ code: "overpaid", message: `${after.paidCents} of ${sale.totalCents}` });
    }
    return { outcome: "applied", flags, effects: [balanceEffect(saleId, before, after)] };
  },
};
