import { expect, test } from "vitest";
import { memory } from "../../src/storage/memory/memory.ts";
import { saleOf, tea } from "../support/shop.ts";
import { bothCounts, World, metaIn, operationsIn, rowIn, listen } from "./support/world.ts";

test("pruning", async () => {
  await using world = new World();
  await world.seed("products", { ...tea, stock: 10 });
  const storage = memory();
  const till = await world.open({ storage });
  till.on("error", (e) => console.log(e, e.cause));
  world.rejectNext("products");
  await till.transaction((tx) => { tx.products.update("p-1", {name: "Y"}); tx.sales.create(saleOf(1, 2)); });
  await world.clock.advance(1000);
  console.log(operationsIn(storage).map(o => [o.collection, o.action, o.state]));
  await till.close();
  await world.clock.advance(15 * 24 * 3600_000);
  const again = await world.open({storage});
  console.log(operationsIn(storage).map(o => [o.collection, o.action, o.state]), again.status);
  expect(bothCounts(storage).stored).toEqual(bothCounts(storage).counted);
}, 60000);
