/** What this shop's server decides about the operations of its tills: one policy per collection. */
import type { Policies } from "tillsync/server";
import { categories, products } from "./policies/catalog.ts";
import { customers } from "./policies/customers.ts";
import { payments } from "./policies/payments.ts";
import { refunds } from "./policies/refunds.ts";
import { sales } from "./policies/sales.ts";
import { settings, users } from "./policies/settings.ts";
import { shiftEvents, shifts } from "./policies/shifts.ts";
import { purchases, stockMovements } from "./policies/stock.ts";
import type { Shop } from "./server-collections.ts";

const closed = {
  scope: "tenant",
  allow: { read: "nobody", create: "nobody", update: "nobody", delete: "nobody" },
} as const;

export const policies: Policies<Shop> = {
  products,
  categories,
  customers,
  sales,
  payments,
  refunds,
  stockMovements,
  purchases,
  users,
  shiftEvents,
  shifts,
  settings,
  sequences: {
    ...closed,
    // An increment needs no scope, so a till's is quarantined here. Only effects count, which ask no policy.
    decide: () => ({ outcome: "quarantined", code: "not_permitted", message: "Only the server counts here" }),
  },
  saleBalances: closed,
};
