/** The storage contract: what `get`, `scan` and `count` return. */
import { get, type Key } from "../../client/ports/storage.ts";
import { compareKeys } from "../../shared/keys.ts";
import { checkEqual, checkRejects } from "../check.ts";
import { contractCase, fruit, ids, one, type Product, put, STRICT, stock, write } from "./kit.ts";

export const reading = [
  contractCase("get returns rows in the order of the keys, and undefined for those that are not there", async (kit) => {
    const connection = await kit.open();
    await stock(connection, fruit);
    const found = await connection.get<Product>("products", ["p3", "none", "p1", "p3"]);
    checkEqual(found, [fruit.p3, undefined, fruit.p1, fruit.p3], "the answer");
    checkEqual(await connection.get("products", []), [], "the answer to no keys");
    checkEqual(await one(connection, "sales", "p1"), undefined, "the same key in another table");
  }),

  contractCase("many keys at once are read like a few, however many of them exist", async (kit) => {
    const connection = await kit.open();
    const keys = Array.from({ length: 300 }, (_, at) => `k${String((at * 7) % 300).padStart(3, "0")}`);
    const isStored = [
      () => false,
      (key: string) => key === "k000" || key === "k299",
      (key: string) => key < "k016",
      (key: string) => key > "k100",
      () => true,
    ];
    let stored = new Set<string>();
    for (const wanted of isStored) {
      const added = keys.filter((key) => wanted(key) && !stored.has(key));
      stored = new Set([...stored, ...added]);
      await write(connection, ...added.map((key) => put("products", key, { name: key })));
      const expected = [...keys, "k000"].map((key) => (stored.has(key) ? { name: key } : undefined));
      const asked = [...keys, "k000"];
      checkEqual(await connection.get<Product>("products", asked), expected, `with ${stored.size} of them stored`);
      const inside = await connection.transact(STRICT, function* () {
        return { value: yield* get<Product>("products", asked), writes: [] };
      });
      checkEqual(inside, expected, `in a transaction, with ${stored.size} of them stored`);
    }
  }),

  contractCase("a scan without an index is in the order of the primary keys, by UTF-16 code units", async (kit) => {
    const connection = await kit.open();
    const keys = ["a", "B", "Z", "ä", "aa", "10", "9", "é", "\u{1f600}", "\uffff", "a\u0000", "~"];
    await write(connection, ...keys.map((key) => put("products", key, { name: key })));
    const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1));
    const rows = await connection.scan<Product>("products", {});
    checkEqual(
      rows,
      sorted.map((key) => ({ key, primary: key, value: { name: key } })),
      "the rows",
    );
    checkEqual(await ids(connection, { direction: "prev" }), [...sorted].reverse(), "the rows backwards");
  }),

  contractCase("a scan of an index is in the order of its keys, and returns the key of each row", async (kit) => {
    const connection = await kit.open();
    await stock(connection, fruit);
    const rows = await connection.scan<Product>("products", { index: "by-name" });
    const names = ["apple", "bag", "banana", "bread", "cherry"];
    checkEqual(
      rows.map(({ key }) => key),
      names,
      "the keys",
    );
    checkEqual(
      rows.map(({ value }) => value.name),
      names,
      "the values",
    );
    checkEqual(await ids(connection, { index: "by-name" }), ["p1", "p5", "p2", "p3", "p4"], "the rows");
  }),

  contractCase("numbers come before strings, and strings before arrays, element by element", async (kit) => {
    const layout = {
      format: 1,
      tables: [{ name: "products", indexes: [{ name: "k", signature: "k", keys: keysOf }] }],
    };
    const connection = await kit.open(layout);
    const keys: Key[] = [
      2,
      10,
      -1,
      0.5,
      Number.NEGATIVE_INFINITY,
      "",
      "10",
      "2",
      "a",
      [],
      ["a"],
      ["a", 1],
      ["a", "1"],
      [1],
      [[1]],
      ["a", []],
    ];
    const writes = keys.map((key, at) => put("products", `row ${at}`, { keys: [key] }));
    await connection.transact({ tables: ["products"], durability: "strict" }, function* () {
      yield [];
      return { value: undefined, writes };
    });
    const rows = await connection.scan("products", { index: "k" });
    checkEqual(
      rows.map(({ key }) => key),
      [...keys].sort(compareKeys),
      "the keys",
    );
  }),

  contractCase("a row has an entry for each of its distinct keys", async (kit) => {
    const connection = await kit.open();
    await stock(connection, { ...fruit, p6: { name: "plum", tags: ["red", "blue", "red"] } });
    const rows = await connection.scan<Product>("products", { index: "tags" });
    const entries = rows.map(({ key, primary, value }) => `${String(key)} ${primary} ${value.name}`);
    const expected = [
      "blue p6 plum",
      "green p1 apple",
      "red p1 apple",
      "red p4 cherry",
      "red p6 plum",
      "yellow p2 banana",
    ];
    checkEqual(entries, expected, "the entries");
    checkEqual(await connection.count("products", { index: "tags" }), 6, "their count");
    const reds = await connection.scan("products", {
      index: "tags",
      range: { lower: "h", upper: "s" },
      direction: "prev",
    });
    checkEqual(
      reds.map(({ key }) => key),
      ["red", "red", "red"],
      "the keys in a range",
    );
    const green = await connection.scan("products", {
      index: "tags",
      range: { lower: "b", upper: "s", upperOpen: true },
      limit: 2,
    });
    checkEqual(
      green.map(({ key, primary }) => [key, primary]),
      [
        ["blue", "p6"],
        ["green", "p1"],
      ],
      "the first two of a range",
    );
  }),

  contractCase("a value without keys is not in the index; an invalid key is left out", async (kit) => {
    const connection = await kit.open();
    await stock(connection, { ...fruit, p6: { name: "nameless", category: "fruit", price: Number.NaN } });
    checkEqual(
      await ids(connection, { index: "category" }),
      ["p3", "p1", "p2", "p4", "p6"],
      "the rows with a category",
    );
    checkEqual(await connection.count("products", { index: "category" }), 5, "their count");
    checkEqual(await connection.count("products", { index: "category/price" }), 4, "the count of those with a price");
    checkEqual(await connection.count("products", {}), 6, "the count of all");
  }),

  contractCase("overwriting a row moves its entries; deleting it takes them away", async (kit) => {
    const connection = await kit.open();
    await stock(connection, fruit);
    await stock(connection, { p1: { name: "zucchini", category: "vegetable", tags: ["green"] } });
    checkEqual(await ids(connection, { index: "by-name", direction: "prev", limit: 1 }), ["p1"], "the last name");
    checkEqual(
      await ids(connection, { index: "category", range: { lower: "fruit", upper: "fruit" } }),
      ["p2", "p4"],
      "its old category",
    );
    checkEqual(await ids(connection, { index: "tags", range: { lower: "red", upper: "red" } }), ["p4"], "its old tag");
    checkEqual(await connection.count("products", { index: "category/price" }), 3, "those with a price");
    const gone = ["p1", "p2", "none"].map((key) => ({ kind: "delete", table: "products", key }) as const);
    await write(connection, ...gone);
    checkEqual(await ids(connection, { index: "by-name" }), ["p5", "p3", "p4"], "the rest");
    checkEqual(await ids(connection, {}), ["p3", "p4", "p5"], "the rest by primary key");
    checkEqual(await one(connection, "products", "p1"), undefined, "the deleted row");
  }),

  contractCase("a table or an index that is not in the layout is a defect of the caller", async (kit) => {
    const connection = await kit.open();
    await checkRejects(connection.get("nothing", ["a"]), "internal", "get");
    await checkRejects(connection.scan("products", { index: "nothing" }), "internal", "scan");
    await checkRejects(connection.count("products", { index: "nothing" }), "internal", "count");
  }),
];

function keysOf(value: unknown): readonly Key[] {
  return (value as { keys: readonly Key[] }).keys;
}
