/** A shop to try: an owner, a cashier, the products of a corner shop. */
import { importRows, type ServerStore } from "tillsync/server";
import type { AuthService } from "./auth/auth-service.ts";
import { categories, products, settings } from "./demo-shop.ts";
import { ProblemError } from "./problem.ts";
import { shopCollections } from "./server-collections.ts";

/** The password is public, so the server offers the demo to this computer only. */
export const DEMO = {
  tenant: "demo",
  email: "owner@demo.example",
  cashier: "cashier@demo.example",
  password: "demo-password",
  branch: "main",
} as const;

export async function seedDemo(store: ServerStore, auth: AuthService): Promise<void> {
  const { tenant, email, cashier, password, branch } = DEMO;
  const target = { store, collections: shopCollections, tenant, actor: "seed" } as const;
  await importRows({ ...target, collection: "categories", rows: categories });
  await importRows({ ...target, collection: "products", rows: products });
  await importRows({ ...target, collection: "settings", rows: settings });
  await importRows({
    ...target,
    collection: "customers",
    rows: [{ id: "ada", name: "Ada Brown", phone: "+10000000001" }],
  });
  // The owner is last: a database without an owner is seeded again.
  try {
    await auth.createTenant({ id: tenant, name: "Demo shop" }, { email, password, name: "Olga Owner" });
  } catch (error) {
    // Two servers started together on one database, and the other one was first.
    if (error instanceof ProblemError && error.code === "email_taken") return;
    throw error;
  }
  await auth.createUser(tenant, { email: cashier, password, name: "Carl Cashier", roles: ["cashier"], branch });
}
