/** A customer that two tills edited at once. */
import { expect } from "vitest";
import { RuleShop } from "./rule-shop.ts";
import type { RuleTill } from "./rule-till.ts";

export const ann = { id: "c-1", name: "Ann", phone: "1" };

export interface InConflict {
  readonly shop: RuleShop;
  readonly a: RuleTill;
  readonly b: RuleTill;
}

/** Till `a` has changed Ann's phone to "3", which is in conflict with the "2" of till `b`, which the server has. */
export async function inConflict(): Promise<InConflict> {
  const shop = new RuleShop();
  await shop.seed("customers", ann);
  const a = await shop.openTill();
  const b = await shop.openTill();
  await b.data.customers.update("c-1", { phone: "2" });
  await b.sync();
  await a.data.customers.update("c-1", { phone: "3" });
  await a.sync();
  expect(a.operationOn("c-1").state).toBe("conflict");
  return { shop, a, b };
}
