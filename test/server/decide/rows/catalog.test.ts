import { expect, test } from "vitest";
import { product, ServerWorld } from "../../support/world.ts";

const allow = { read: "everyone", create: "nobody", update: "everyone", delete: "everyone" } as const;

test("what nobody may do, a token whose scope is called so may not do either (L9)", async () => {
  const world = await ServerWorld.open({ products: { scope: "tenant", allow } });
  for (const till of [world.till("a"), world.till("b", { scopes: ["nobody", "create", "everyone"] })]) {
    expect(await till.send(product("p-1"))).toMatchObject({ status: "rejected", error: { code: "not_permitted" } });
  }
});
