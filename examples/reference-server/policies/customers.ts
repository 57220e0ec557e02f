/** Customers belong to the whole shop. A till adds and edits them offline; only the owner erases one. */
import type { PolicyFor } from "tillsync/server";
import { SCOPES } from "../roles.ts";
import type { Shop } from "../server-collections.ts";

export const customers: PolicyFor<Shop, "customers"> = {
  scope: "tenant",
  allow: {
    read: "everyone",
    create: SCOPES.editCustomers,
    update: SCOPES.editCustomers,
    delete: SCOPES.eraseCustomers,
    // Points come from sales and refunds alone: their policies give them.
    increment: "nobody",
  },
};
