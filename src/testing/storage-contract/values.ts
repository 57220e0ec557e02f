/** The storage contract: what is read is what was written. */
import type { TransactOptions } from "../../client/ports/storage.ts";
import { check, checkEqual } from "../check.ts";
import { contractCase, one, type Product, put, STRICT, stock, write, writing } from "./kit.ts";

const RELAXED: TransactOptions = { ...STRICT, durability: "relaxed" };

export const values = [
  contractCase("a connection that is opened later sees every write that has resolved", async (kit) => {
    const connection = await kit.open();
    await write(connection, put("sales", "s1", { total: 100 }));
    const fresh = await kit.open();
    checkEqual(await one(fresh, "sales", "s1"), { total: 100 }, "the sale");
  }),

  contractCase("stored values are not the writer's objects", async (kit) => {
    const connection = await kit.open();
    const value = { name: "apple", tags: ["red"] };
    await stock(connection, { p1: value });
    value.name = "changed";
    value.tags.push("changed");
    checkEqual(await one(connection, "products", "p1"), { name: "apple", tags: ["red"] }, "the row");
    checkEqual(await connection.count("products", { index: "tags" }), 1, "its entries");
  }),

  contractCase("unusual values and keys are returned as they were written", async (kit) => {
    const connection = await kit.open();
    const values: Record<string, unknown> = {
      nothing: null,
      empty: {},
      list: [[], [[1], null], {}],
      zero: -0,
      infinity: Number.NEGATIVE_INFINITY,
      large: Number.MAX_SAFE_INTEGER,
      small: 5e-324,
      text: "ünïcödé \u{1f9fe} \u0000 \u2028 \ud800",
      void: { here: undefined },
      inherited: { constructor: 1, toString: "x", hasOwnProperty: false },
      deep: Array.from({ length: 30 }).reduce<unknown>((inner) => ({ inner }), "bottom"),
      prototype: JSON.parse('{"__proto__": {"polluted": true}}'),
      "\u{1f9fe}": "a key beyond the basic plane",
      constructor: "a key that every object has",
      " ": "a space",
      ["x".repeat(2_000)]: "a long key",
    };
    const keys = Object.keys(values);
    await write(connection, ...keys.map((key) => put("sales", key, values[key])));
    const fresh = await kit.open();
    checkEqual(
      await fresh.get("sales", keys),
      keys.map((key) => values[key]),
      "the values",
    );
  }),

  contractCase("5,000 rows in one transaction", async (kit) => {
    const connection = await kit.open();
    const rows = Array.from({ length: 5_000 }, (_, n): [string, Product] => [
      `p${String((n * 7919) % 5_000).padStart(4, "0")}`,
      { name: `name ${n}`, category: `c${n % 50}`, price: n, tags: ["all"] },
    ]);
    await connection.transact(RELAXED, () => writing(...rows.map(([id, product]) => put("products", id, product))));
    checkEqual(await connection.count("products", {}), 5_000, "the rows");
    checkEqual(
      await connection.count("products", { index: "category", range: { lower: "c7", upper: "c7" } }),
      100,
      "a category",
    );
    const page = await connection.scan("products", {
      index: "tags",
      after: { key: "all", primary: "p2499" },
      limit: 3,
    });
    checkEqual(
      page.map(({ primary }) => primary),
      ["p2500", "p2501", "p2502"],
      "a page in the middle of equal keys",
    );
    const all = await connection.scan("products", {});
    check(
      all.every(({ primary }, n) => primary === `p${String(n).padStart(4, "0")}`),
      "all rows in order",
    );
  }),
];
