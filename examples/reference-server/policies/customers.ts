/** Customers are the whole shop's. A till enters and edits them offline; to erase one is a matter for the owner. */
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
  },
};
