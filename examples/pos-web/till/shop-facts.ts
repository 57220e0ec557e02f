/** What the shop says of itself: its name on the receipt, its currency. */
import type { Till } from "./client.ts";

export interface ShopFacts {
  readonly name: string;
  readonly currency: string;
}

/** Rows of `settings`; each has a default, since a shop need not have any. */
export async function readShopFacts(till: Till, tenant: string): Promise<ShopFacts> {
  const [name, currency] = await till.collections.settings.getMany(["shopName", "currency"]);
  return {
    name: typeof name?.value === "string" ? name.value : tenant,
    currency: typeof currency?.value === "string" && /^[A-Z]{3}$/.test(currency.value) ? currency.value : "EUR",
  };
}
