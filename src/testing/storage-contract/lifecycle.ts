/** The storage contract: opening, layouts, closing and destroying. */
import { get, type StorageLayout } from "../../client/ports/storage.ts";
import { check, checkEqual, checkRejects } from "../check.ts";
import {
  byCategory,
  byName,
  contractCase,
  ids,
  increment,
  index,
  one,
  type Product,
  put,
  STRICT,
  shop,
  stock,
  write,
  writing,
} from "./kit.ts";

const fruit: Readonly<Record<string, Product>> = {
  p1: { name: "cherry", category: "fruit", price: 1 },
  p2: { name: "apple", category: "fruit" },
  p3: { name: "bread", category: "bakery" },
};

function layoutOf(indexes: StorageLayout["tables"][number]["indexes"], format = 1): StorageLayout {
  return { format, tables: [{ name: "products", indexes }] };
}

export const lifecycle = [
  contractCase("rows are there after the store was opened again", async (kit) => {
    const before = await kit.open();
    await stock(before, fruit);
    await before.close();
    const again = await kit.open();
    checkEqual(await again.get("products", ["p1", "p2", "p3"]), [fruit.p1, fruit.p2, fruit.p3], "the rows");
    checkEqual(await ids(again, { index: "by-name" }), ["p2", "p3", "p1"], "the index");
  }),

  contractCase("stores with different names are independent of each other", async (kit) => {
    const here = await kit.open();
    const there = await kit.open(shop, {}, "another");
    await write(here, put("sales", "s1", 1));
    checkEqual(await one(there, "sales", "s1"), undefined, "the sale in the other store");
    check(kit.adapter.scope("contract") !== kit.adapter.scope("another"), "different scopes");
    checkEqual(kit.adapter.scope("contract"), kit.adapter.scope("contract"), "the same scope");
    check(kit.adapter["~port"] === "storage", "the mark of the port");
    check(kit.adapter.kind.length > 0, "a kind");
  }),

  contractCase(
    "an index that was added, or whose signature changed, is built from the rows when the store is opened",
    async (kit) => {
      const before = await kit.open(layoutOf([byName]));
      await before.transact({ tables: ["products"], durability: "strict" }, () =>
        writing(...Object.entries(fruit).map(([id, product]) => put("products", id, product))),
      );
      await before.close();
      const added = await kit.open(layoutOf([byName, byCategory]));
      checkEqual(await ids(added, { index: "category" }), ["p3", "p1", "p2"], "the added index");
      checkEqual(await ids(added, { index: "by-name" }), ["p2", "p3", "p1"], "the index that was there");
      await added.close();
      const reversed = index("by-name", "reversed", ({ name }) => [[...name].reverse().join("")]);
      const changed = await kit.open(layoutOf([reversed, byCategory]));
      const rows = await changed.scan("products", { index: "by-name" });
      checkEqual(
        rows.map(({ key }) => key),
        ["daerb", "elppa", "yrrehc"],
        "the changed index",
      );
      checkEqual(await ids(changed, { index: "category" }), ["p3", "p1", "p2"], "the index that was left alone");
    },
  ),

  contractCase("an index that is no longer in the layout is gone, and is built again if it returns", async (kit) => {
    const before = await kit.open(layoutOf([byName, byCategory]));
    await before.close();
    const without = await kit.open(layoutOf([byCategory]));
    await without.transact({ tables: ["products"], durability: "strict" }, () =>
      writing(put("products", "p1", fruit.p1)),
    );
    await checkRejects(without.scan("products", { index: "by-name" }), "internal", "a scan of it");
    await without.close();
    const back = await kit.open(layoutOf([byName, byCategory]));
    checkEqual(await ids(back, { index: "by-name" }), ["p1"], "the index that came back");
  }),

  contractCase("a table that the layout does not name keeps its rows", async (kit) => {
    const before = await kit.open();
    await stock(before, fruit);
    await write(before, put("sales", "s1", { total: 5 }));
    await before.close();
    const without = await kit.open({ format: 1, tables: [{ name: "later", indexes: [] }] });
    await checkRejects(without.get("sales", ["s1"]), "internal", "a read of it");
    await without.close();
    const back = await kit.open();
    checkEqual(await one(back, "sales", "s1"), { total: 5 }, "the sale");
    checkEqual(await ids(back, { index: "by-name" }), ["p2", "p3", "p1"], "the index of the other table");
  }),

  contractCase("a store in a newer format is refused, and not changed", async (kit) => {
    const newer: StorageLayout = { ...shop, format: 3 };
    const before = await kit.open(newer);
    await stock(before, fruit);
    const old: StorageLayout = {
      format: 2,
      tables: [
        { name: "products", indexes: [] },
        { name: "others", indexes: [] },
      ],
    };
    const error = await checkRejects(kit.open(old), "storage_newer", "opening it with an older one");
    checkEqual((error as { details?: unknown }).details, { stored: 3, supported: 2 }, "the details");
    await before.close();
    await checkRejects(kit.open(old), "storage_newer", "opening it again");
    const again = await kit.open(newer);
    checkEqual(await ids(again, { index: "by-name" }), ["p2", "p3", "p1"], "the rows");
  }),

  contractCase("a store in an older format is opened, and refused by older versions from then on", async (kit) => {
    const before = await kit.open({ ...shop, format: 1 });
    await stock(before, fruit);
    await before.close();
    const after = await kit.open({ ...shop, format: 2 });
    checkEqual(await one(after, "products", "p1"), fruit.p1, "a row");
    await after.close();
    await checkRejects(kit.open({ ...shop, format: 1 }), "storage_newer", "the older one");
  }),

  contractCase("a connection is notified and closed if another one changes the layout", async (kit) => {
    let superseded = 0;
    const old = await kit.open(layoutOf([byName]), { onSuperseded: () => superseded++ });
    const same = await kit.open(layoutOf([byName]));
    checkEqual(superseded, 0, "how often it was notified about the same layout");
    const begun = old.transact({ tables: ["products"], durability: "strict" }, () =>
      writing(put("products", "p1", fruit.p1)),
    );
    const changed = await kit.open(layoutOf([byName, byCategory]));
    await begun;
    checkEqual(superseded, 1, "how often it was notified");
    await checkRejects(old.get("products", ["p1"]), "storage_unavailable", "a read through the old one");
    await checkRejects(same.count("products", {}), "storage_unavailable", "a read through another old one");
    checkEqual(await ids(changed, { index: "category" }), ["p1"], "what began before, through the new one");
  }),

  contractCase("close waits for what has begun; afterwards every call is refused", async (kit) => {
    const connection = await kit.open();
    const begun = [increment(connection, "n"), increment(connection, "n"), one(connection, "counters", "n")];
    await connection.close();
    const ends = await Promise.allSettled(begun);
    check(
      ends.every(({ status }) => status === "fulfilled"),
      "everything that had begun to succeed",
    );
    await connection.close();
    await checkRejects(connection.get("counters", ["n"]), "client_closed", "get");
    await checkRejects(connection.scan("counters", {}), "client_closed", "scan");
    await checkRejects(connection.count("counters", {}), "client_closed", "count");
    await checkRejects(increment(connection, "n"), "client_closed", "transact");
    await checkRejects(connection.estimate(), "client_closed", "estimate");
    await checkRejects(connection.destroy(), "client_closed", "destroy");
    checkEqual(await one(await kit.open(), "counters", "n"), 2, "the counter");
  }),

  contractCase("destroy empties the store, whatever its layout was, and closes all connections to it", async (kit) => {
    let superseded = 0;
    const connection = await kit.open({ ...shop, format: 5 });
    const other = await kit.open({ ...shop, format: 5 }, { onSuperseded: () => superseded++ });
    await write(connection, put("sales", "s1", 1));
    await connection.destroy();
    await checkRejects(connection.get("sales", ["s1"]), "client_closed", "a read after it");
    checkEqual(superseded, 1, "how often another connection was notified");
    await checkRejects(other.get("sales", ["s1"]), "storage_unavailable", "a read through another connection");
    const fresh = await kit.open(shop);
    checkEqual(await fresh.count("sales", {}), 0, "the rows of a new store");
  }),

  contractCase("estimate returns what is known about the space, and nothing else", async (kit) => {
    const connection = await kit.open();
    const { persisted, usedBytes, quotaBytes } = await connection.estimate();
    check(typeof persisted === "boolean", "persisted to be a boolean");
    for (const bytes of [usedBytes, quotaBytes])
      check(bytes === undefined || bytes >= 0, "a number of bytes, or undefined");
  }),

  contractCase("a script may read any number of times, and no other script runs in between", async (kit) => {
    const connection = await kit.open();
    const slow = connection.transact(STRICT, function* () {
      let sum = 0;
      for (let n = 0; n < 200; n++) {
        const [value = 0] = yield* get<number>("counters", ["n"]);
        sum += value;
      }
      return { value: sum, writes: [put("counters", "n", 1)] };
    });
    const others = [increment(connection, "n"), write(await kit.open(), put("sales", "s", 1))];
    checkEqual(await slow, 0, "the sum of what it saw");
    await Promise.all(others);
    checkEqual(await one(connection, "counters", "n"), 2, "the counter");
  }),
];
