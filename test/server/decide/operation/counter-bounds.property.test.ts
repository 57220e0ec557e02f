/** Whatever the counters of a record are, the server judges an edit on the fields that it names [H4]. */
import fc from "fast-check";
import { memoryStore } from "tillsync/server/memory";
import { expect, test } from "vitest";
import { importRows } from "../../../../src/server/admin/import-rows.ts";
import { isTillSyncError } from "../../../../src/shared/errors.ts";
import { accepts, drawn, name } from "../../../support/bounded-counters.ts";
import { times } from "../../../support/property.ts";
import { collections } from "../../support/shop.ts";
import { edit, product, ServerWorld } from "../../support/world.ts";

test("a create, an update and a create after a deletion are judged on their fields", async () => {
  const holds = fc.asyncProperty(drawn, name, async ({ definition, counters }, to) => {
    const world = await ServerWorld.open({}, { ...collections, products: definition } as never);
    const till = world.till();
    const by = Object.fromEntries(Object.entries(counters).filter(([, value]) => Number(value) !== 0));
    const counted = { action: "increment", collection: "products", entityId: "p-1", by };
    const remove = { action: "delete", collection: "products", entityId: "p-1", baseVersion: 9 };
    const sketches = [
      ...(Object.keys(by).length > 0 ? [counted] : []),
      product("p-1", { name: "Cola" }),
      edit("p-1", 0, { name: to }),
      remove,
      product("p-1", { name: to }),
    ];
    const results = await till.push(...sketches);
    const expected = accepts(to) ? { status: "applied" } : { status: "rejected", error: { code: "validation_failed" } };
    expect(results.slice(-4)).toMatchObject([{ status: "applied" }, expected, { status: "applied" }, expected]);
    const row = await world.row("products", "p-1");
    if (accepts(to)) expect(row).toMatchObject({ state: "live", data: { name: to.trim() } });
    expect(row?.counters).toEqual(by);
  });
  await fc.assert(holds, times(150));
});

test("an import is judged on its fields, and takes the counters that it names", async () => {
  const holds = fc.asyncProperty(drawn, name, fc.boolean(), async ({ definition, counters }, to, named) => {
    const store = memoryStore();
    const products = { collections: { products: definition }, tenant: "shop", collection: "products", store } as const;
    await importRows({ ...products, rows: [{ id: "p-1", name: "Cola", ...counters }] });
    const again = importRows({ ...products, rows: [{ id: "p-1", name: to, ...(named && counters) }] });
    const error = await again.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (accepts(to)) expect(error).toBeUndefined();
    else expect(isTillSyncError(error, "validation_failed"), String(error)).toBe(true);
    const [row] = await store.read("shop", function* () {
      const [rows] = yield [{ kind: "records", keys: [{ collection: "products", id: "p-1" }] }];
      return rows as { data: object; counters: object }[];
    });
    expect(row).toMatchObject({ data: { name: accepts(to) ? to.trim() : "Cola" }, counters });
  });
  await fc.assert(holds, times(150));
});
