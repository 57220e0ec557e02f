/** What is sold. */
import { serverWins } from "tillsync/conflict";
import type { PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";

export const products: PolicyFor<Shop, "products"> = {
  scope: "tenant",
  // Archived, never deleted: receipts and refunds go on naming it.
  allow: { read: "everyone", create: SCOPES.editCatalog, update: SCOPES.editCatalog, delete: "nobody" },
  // A price is the office's: of two edits of one field the first stands, and the other one stays on the till's desk to be seen.
  conflict: serverWins(),
  decide({ operation, current }) {
    if (operation.action !== "increment") return { outcome: "applied" };
    const step = operation.by.stock ?? 0;
    const available = Math.max(0, current?.stock ?? 0);
    // It has been sold: stock goes below zero, and somebody counts the shelf.
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
