/** A shop to try: an owner, a cashier, a few products. */
import { importRows, type ServerStore } from "tillsync/server";
import type { AuthService } from "./auth/auth-service.ts";
import { ProblemError } from "./problem.ts";
import { shopCollections } from "./server-collections.ts";

/** Everybody knows it: the server offers it to this computer alone. */
export const DEMO = {
  tenant: "demo",
  email: "owner@demo.example",
  cashier: "cashier@demo.example",
  password: "demo-password",
  branch: "main",
} as const;

const categories = [
  { id: "drinks", name: "Drinks", position: 1 },
  { id: "pantry", name: "Pantry", position: 2 },
];

const products = [
  product("cola", "Cola 500 ml", "drinks", 150, 48, "4000000000013"),
  product("water", "Water 1 l", "drinks", 90, 60, "4000000000020"),
  product("coffee", "Coffee beans 500 g", "pantry", 890, 12, "4000000000037"),
  product("sugar", "Sugar 1 kg", "pantry", 139, 30, "4000000000044"),
  product("bread", "Rye bread", "pantry", 320, 8, "4000000000051"),
];

function product(id: string, name: string, categoryId: string, priceCents: number, stock: number, barcode: string) {
  return { id, sku: id.toUpperCase(), name, categoryId, priceCents, stock, barcodes: [barcode], taxRate: 700 };
}

export async function seedDemo(store: ServerStore, auth: AuthService): Promise<void> {
  const { tenant, email, cashier, password, branch } = DEMO;
  const target = { store, collections: shopCollections, tenant, actor: "seed" } as const;
  await importRows({ ...target, collection: "categories", rows: categories });
  await importRows({ ...target, collection: "products", rows: products });
  await importRows({
    ...target,
    collection: "customers",
    rows: [{ id: "ada", name: "Ada Brown", phone: "+10000000001" }],
  });
  // The owner last: a database without one is seeded again.
  try {
    await auth.createTenant({ id: tenant, name: "Demo shop" }, { email, password, name: "Olga Owner" });
  } catch (error) {
    // Two servers have started together on one database, and the other one was first.
    if (error instanceof ProblemError && error.code === "email_taken") return;
    throw error;
  }
  await auth.createUser(tenant, { email: cashier, password, name: "Carl Cashier", roles: ["cashier"], branch });
}
