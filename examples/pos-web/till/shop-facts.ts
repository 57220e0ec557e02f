/** What the till knows about the shop: its name on the receipt, its currency. */
import { isCurrency } from "../model/money.ts";
import type { Till } from "./client.ts";

export interface ShopFacts {
  readonly name: string;
  readonly currency: string;
}

/** Rows of `settings`; each has a default, in case the shop has no such row. */
export async function readShopFacts(till: Till, tenant: string): Promise<ShopFacts> {
  const [name, currency] = await till.collections.settings.getMany(["shopName", "currency"]);
  return {
    name: typeof name?.value === "string" ? name.value : tenant,
    currency: isCurrency(currency?.value) ? currency.value : "EUR",
  };
}
