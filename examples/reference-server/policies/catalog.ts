/** Products and their categories. */
import { serverWins } from "tillsync/conflict";
import type { PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";

export const products: PolicyFor<Shop, "products"> = {
  scope: "tenant",
  // A product is archived and never deleted, because receipts and refunds still name it.
  allow: {
    read: "everyone",
    create: SCOPES.editCatalog,
    update: SCOPES.editCatalog,
    delete: "nobody",
    // A sale moves the stock.
    increment: SCOPES.sell,
  },
  // The office sets prices: of two edits of one field the first one stands, and the other one remains visible on the
  // till's desk.
  conflict: serverWins(),
  decide({ operation, current }) {
    if (operation.action !== "increment") return { outcome: "applied" };
    const step = operation.by.stock ?? 0;
    const available = Math.max(0, current?.stock ?? 0);
    // The product was sold: the stock goes below zero, and a person counts the shelf.
    if (step >= 0 || available + step >= 0) return { outcome: "applied" };
    return {
      outcome: "applied",
      flags: [{ code: "stock_discrepancy" }],
      discrepancies: [{ product: operation.entityId, expected: -step, available }],
    };
  },
};

export const categories: PolicyFor<Shop, "categories"> = {
  scope: "tenant",
  allow: { read: "everyone", create: SCOPES.editCatalog, update: SCOPES.editCatalog, delete: SCOPES.editCatalog },
  conflict: serverWins(),
};
