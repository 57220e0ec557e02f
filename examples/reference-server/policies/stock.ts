/**
 * Goods that were received, removed or counted. The till's increments move the stock; these facts record the reason.
 */
import type { PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";
import { clockFlags, type Flags, ofAnotherBranch, setAside, sum } from "./facts.ts";

export const stockMovements: PolicyFor<Shop, "stockMovements"> = {
  scope: { branch: (movement) => movement.branchId },
  allow: { read: "everyone", create: SCOPES.moveStock },
  reads: ({ operation: { data } }) => ({ products: [data.productId] }),
  decide(input) {
    const { productId, branchId } = input.operation.data;
    const doubts = ofAnotherBranch(input.principal, branchId);
    const aside = setAside(input, doubts);
    if (aside !== undefined) return aside;
    const flags: Flags = [...doubts, ...clockFlags(input)];
    if (!input.rows.products.has(productId)) flags.push({ code: "unknown_product", message: productId });
    return { outcome: "applied", flags };
  },
};

export const purchases: PolicyFor<Shop, "purchases"> = {
  scope: { branch: (purchase) => purchase.branchId },
  allow: { read: SCOPES.buy, create: SCOPES.buy },
  decide(input) {
    const { items, totalCents, branchId } = input.operation.data;
    const doubts = ofAnotherBranch(input.principal, branchId);
    const aside = setAside(input, doubts);
    if (aside !== undefined) return aside;
    const flags: Flags = [...doubts, ...clockFlags(input)];
    const computed = sum(items.map(({ quantity, unitCostCents }) => quantity * unitCostCents));
    // The supplier's invoice may include freight and discounts: worth a flag, but no reason to quarantine the purchase.
    if (computed !== totalCents) flags.push({ code: "arithmetic", message: `The lines make ${computed}` });
    return { outcome: "applied", flags };
  },
};
