/** The storage contract: what `get`, `scan` and `count` answer. (testing) */
import type { Key, ScanOptions, StorageConnection } from "../../client/ports/storage.ts";
import type { Product } from "./kit.ts";
import { compareKeys, prefixRange, stringPrefixRange } from "../../shared/keys.ts";
import { check, checkEqual, checkRejects } from "./check.ts";
import { contractCase, ids, one, put, stock, write } from "./kit.ts";

const fruit: Readonly<Record<string, Product>> = {
  p1: { name: "apple", category: "fruit", price: 30, tags: ["red", "green"] },
  p2: { name: "banana", category: "fruit", price: 20, tags: ["yellow"] },
  p3: { name: "bread", category: "bakery", price: 250 },
  p4: { name: "cherry", category: "fruit", price: 20, tags: ["red"] },
  p5: { name: "bag" },
};

/** Every page of a scan, each begun behind the last entry of the one before. */
async function pages(connection: StorageConnection, options: ScanOptions, limit: number): Promise<string[]> {
  const seen: string[] = [];
  let after: ScanOptions["after"];
  for (;;) {
    const page = await connection.scan("products", { ...options, limit, after });
    check(page.length <= limit, `at most ${limit} rows in a page`);
    seen.push(...page.map(({ key, primary }) => `${JSON.stringify(key)} ${primary}`));
    const last = page.at(-1);
    if (last === undefined) return seen;
    after = { key: last.key, primary: last.primary };
  }
}

export const reading = [
  contractCase("get answers in the order of the keys, undefined for what is not there", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    const found = await connection.get<Product>("products", ["p3", "none", "p1", "p3"]);
    checkEqual(found, [fruit.p3, undefined, fruit.p1, fruit.p3], "the answer");
    checkEqual(await connection.get("products", []), [], "the answer to no keys");
    checkEqual(await one(connection, "sales", "p1"), undefined, "the same key in another table");
  }),

  contractCase("a scan without an index is in the order of the primary keys, by UTF-16 code units", async (world) => {
    const connection = await world.open();
    const keys = ["a", "B", "Z", "ä", "aa", "10", "9", "é", "\u{1f600}", "\uffff", "a\u0000", "~"];
    await write(connection, ...keys.map((key) => put("products", key, { name: key })));
    const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1));
    const rows = await connection.scan<Product>("products", {});
    checkEqual(rows, sorted.map((key) => ({ key, primary: key, value: { name: key } })), "the rows");
    checkEqual(await ids(connection, { direction: "prev" }), [...sorted].reverse(), "the rows backwards");
  }),

  contractCase("a scan of an index is in the order of its keys, and says under which key each row was found", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    const rows = await connection.scan<Product>("products", { index: "by-name" });
    const names = ["apple", "bag", "banana", "bread", "cherry"];
    checkEqual(rows.map(({ key }) => key), names, "the keys");
    checkEqual(rows.map(({ value }) => value.name), names, "the values");
    checkEqual(await ids(connection, { index: "by-name" }), ["p1", "p5", "p2", "p3", "p4"], "the rows");
  }),

  contractCase("numbers come before strings, and strings before arrays, element by element", async (world) => {
    const layout = { format: 1, tables: [{ name: "products", indexes: [{ name: "k", signature: "k", keys: keysOf }] }] };
    const connection = await world.open(layout);
    const keys: Key[] = [2, 10, -1, 0.5, Number.NEGATIVE_INFINITY, "", "10", "2", "a", [], ["a"], ["a", 1], ["a", "1"], [1], [[1]], ["a", []]];
    const writes = keys.map((key, at) => put("products", `row ${at}`, { keys: [key] }));
    await connection.transact({ tables: ["products"], durability: "strict" }, function* () {
      yield [];
      return { value: undefined, writes };
    });
    const rows = await connection.scan("products", { index: "k" });
    checkEqual(rows.map(({ key }) => key), [...keys].sort(compareKeys), "the keys");
  }),

  contractCase("a row has an entry for each of its distinct keys", async (world) => {
    const connection = await world.open();
    await stock(connection, { ...fruit, p6: { name: "plum", tags: ["red", "blue", "red"] } });
    const rows = await connection.scan<Product>("products", { index: "tags" });
    const entries = rows.map(({ key, primary, value }) => `${String(key)} ${primary} ${value.name}`);
    const expected = ["blue p6 plum", "green p1 apple", "red p1 apple", "red p4 cherry", "red p6 plum", "yellow p2 banana"];
    checkEqual(entries, expected, "the entries");
    checkEqual(await connection.count("products", { index: "tags" }), 6, "their count");
    const reds = await connection.scan("products", { index: "tags", range: { lower: "h", upper: "s" }, direction: "prev" });
    checkEqual(reds.map(({ key }) => key), ["red", "red", "red"], "the keys in a range");
    const green = await connection.scan("products", { index: "tags", range: { lower: "b", upper: "s", upperOpen: true }, limit: 2 });
    checkEqual(green.map(({ key, primary }) => [key, primary]), [["blue", "p6"], ["green", "p1"]], "the first two of a range");
  }),

  contractCase("a value without keys is not in the index; what is no key is left out", async (world) => {
    const connection = await world.open();
    await stock(connection, { ...fruit, p6: { name: "nameless", category: "fruit", price: Number.NaN } });
    checkEqual(await ids(connection, { index: "category" }), ["p3", "p1", "p2", "p4", "p6"], "the rows with a category");
    checkEqual(await connection.count("products", { index: "category" }), 5, "their count");
    checkEqual(await connection.count("products", { index: "category/price" }), 4, "the count of those with a price");
    checkEqual(await connection.count("products", {}), 6, "the count of all");
  }),

  contractCase("ranges: closed, open, half-open, a single key, empty, and impossible", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    const cases: [ScanOptions["range"], string[]][] = [
      [{ lower: "bag", upper: "bread" }, ["p5", "p2", "p3"]],
      [{ lower: "bag", lowerOpen: true, upper: "bread", upperOpen: true }, ["p2"]],
      [{ lower: "banana" }, ["p2", "p3", "p4"]],
      [{ lower: "banana", lowerOpen: true }, ["p3", "p4"]],
      [{ upper: "banana" }, ["p1", "p5", "p2"]],
      [{ upper: "banana", upperOpen: true }, ["p1", "p5"]],
      [{ lower: "bag", upper: "bag" }, ["p5"]],
      [{ lower: "bag", upper: "bag", upperOpen: true }, []],
      [{ lower: "x", upper: "y" }, []],
      [{ lower: "y", upper: "b" }, []],
      [{}, ["p1", "p5", "p2", "p3", "p4"]],
    ];
    for (const [range, expected] of cases) {
      const what = JSON.stringify(range);
      checkEqual(await ids(connection, { index: "by-name", range }), expected, what);
      const backwards = await ids(connection, { index: "by-name", range, direction: "prev" });
      checkEqual(backwards, [...expected].reverse(), `${what} backwards`);
      checkEqual(await connection.count("products", { index: "by-name", range }), expected.length, `the count of ${what}`);
    }
    checkEqual(await ids(connection, { range: { lower: "p2", upper: "p4", upperOpen: true } }), ["p2", "p3"], "a range of primary keys");
    checkEqual(await connection.count("products", { range: { lower: "p4" } }), 2, "the count of primary keys");
  }),

  contractCase("ranges: prefixes of strings, and of keys that are arrays", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    const name = { index: "by-name", range: stringPrefixRange("ba") };
    checkEqual(await ids(connection, name), ["p5", "p2"], "names with a prefix");
    const category = { index: "category/price", range: prefixRange(["fruit"]) };
    const rows = await connection.scan("products", category);
    checkEqual(rows.map(({ key }) => key), [["fruit", 20], ["fruit", 20], ["fruit", 30]], "keys of a category");
    const cheap = { index: "category/price", range: { lower: ["fruit", 0], upper: ["fruit", 25] } };
    checkEqual((await ids(connection, cheap)).sort(), ["p2", "p4"], "the cheap ones of a category");
    checkEqual(await connection.count("products", category), 3, "the count of a category");
    const last = await ids(connection, { ...category, direction: "prev", limit: 1 });
    checkEqual(last, ["p1"], "the dearest of a category");
  }),

  contractCase("limit: the first ones, none for 0, all where there are fewer", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    checkEqual(await ids(connection, { limit: 2 }), ["p1", "p2"], "two");
    checkEqual(await ids(connection, { limit: 2, direction: "prev" }), ["p5", "p4"], "the last two");
    checkEqual(await ids(connection, { limit: 2, index: "by-name", range: { lower: "b" } }), ["p5", "p2"], "two of an index");
    checkEqual(await ids(connection, { limit: 0 }), [], "none");
    checkEqual(await ids(connection, { limit: 0, index: "by-name", direction: "prev" }), [], "none of an index");
    for (const limit of [99, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      checkEqual((await ids(connection, { limit })).length, 5, `all, for the limit ${limit}`);
      checkEqual((await ids(connection, { limit, direction: "prev" })).length, 5, `all backwards, for the limit ${limit}`);
    }
  }),

  contractCase("after: pages meet without a gap or an overlap, also among equal keys, in both directions", async (world) => {
    const connection = await world.open();
    const many = Array.from({ length: 23 }, (_, n): [string, Product] => [
      `q${String(n).padStart(2, "0")}`,
      { name: `name ${n % 7}`, category: n % 5 === 0 ? "few" : "many", price: n % 3, tags: ["all", `t${n % 2}`] },
    ]);
    await stock(connection, { ...fruit, ...Object.fromEntries(many) });
    const scans: ScanOptions[] = [
      {},
      { range: { lower: "p3", upper: "q11" } },
      { index: "category" },
      { index: "category", range: { lower: "many", upper: "many" } },
      { index: "tags" },
      { index: "tags", range: { lower: "b", upper: "t1", upperOpen: true } },
      { index: "category/price", range: prefixRange(["many"]) },
    ];
    for (const scan of scans) {
      for (const direction of ["next", "prev"] as const) {
        const options = { ...scan, direction };
        const all = (await connection.scan("products", options)).map(({ key, primary }) => `${JSON.stringify(key)} ${primary}`);
        checkEqual(new Set(all).size, all.length, "every entry once");
        for (const limit of [1, 4, 100]) {
          checkEqual(await pages(connection, options, limit), all, `pages of ${limit} of ${JSON.stringify(options)}`);
        }
      }
    }
  }),

  contractCase("after: the entry need not be there any more, nor in the range", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    const gone = { key: "b", primary: "zz" };
    checkEqual(await ids(connection, { index: "by-name", after: gone, limit: 2 }), ["p5", "p2"], "after a gap");
    checkEqual(await ids(connection, { index: "by-name", after: gone, direction: "prev" }), ["p1"], "before a gap");
    const below = { index: "by-name", range: { lower: "bread" }, after: { key: "a", primary: "p0" } };
    checkEqual(await ids(connection, below), ["p3", "p4"], "after an entry below the range");
    const above = { index: "by-name", range: { upper: "bag" }, after: { key: "z", primary: "p0" } };
    checkEqual(await ids(connection, above), [], "after an entry above the range");
    checkEqual(await ids(connection, { ...above, direction: "prev" }), ["p5", "p1"], "before an entry above the range");
    checkEqual(await ids(connection, { after: { key: "p2x", primary: "p2x" } }), ["p3", "p4", "p5"], "after a primary key");
    const tie = { index: "category", range: { lower: "fruit" }, after: { key: "fruit", primary: "p2" } };
    checkEqual(await ids(connection, tie), ["p4"], "after one of equal keys");
  }),

  contractCase("overwriting a row moves its entries; deleting it takes them away", async (world) => {
    const connection = await world.open();
    await stock(connection, fruit);
    await stock(connection, { p1: { name: "zucchini", category: "vegetable", tags: ["green"] } });
    checkEqual(await ids(connection, { index: "by-name", direction: "prev", limit: 1 }), ["p1"], "the last name");
    checkEqual(await ids(connection, { index: "category", range: { lower: "fruit", upper: "fruit" } }), ["p2", "p4"], "its old category");
    checkEqual(await ids(connection, { index: "tags", range: { lower: "red", upper: "red" } }), ["p4"], "its old tag");
    checkEqual(await connection.count("products", { index: "category/price" }), 3, "those with a price");
    const gone = ["p1", "p2", "none"].map((key) => ({ kind: "delete", table: "products", key }) as const);
    await write(connection, ...gone);
    checkEqual(await ids(connection, { index: "by-name" }), ["p5", "p3", "p4"], "the rest");
    checkEqual(await ids(connection, {}), ["p3", "p4", "p5"], "the rest by primary key");
    checkEqual(await one(connection, "products", "p1"), undefined, "the deleted row");
  }),

  contractCase("a table or an index that the layout does not have is a defect of the caller", async (world) => {
    const connection = await world.open();
    await checkRejects(connection.get("nothing", ["a"]), "internal", "get");
    await checkRejects(connection.scan("products", { index: "nothing" }), "internal", "scan");
    await checkRejects(connection.count("products", { index: "nothing" }), "internal", "count");
  }),
];

function keysOf(value: unknown): readonly Key[] {
  return (value as { keys: readonly Key[] }).keys;
}
