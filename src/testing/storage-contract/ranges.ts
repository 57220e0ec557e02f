/** The storage contract: which part of an index a scan returns. */
import type { ScanOptions, StorageConnection } from "../../client/ports/storage.ts";
import { prefixRange, stringPrefixRange } from "../../shared/keys.ts";
import { check, checkEqual } from "../check.ts";
import { contractCase, fruit, ids, type Product, stock } from "./kit.ts";

/** All pages of a scan. Each begins after the last entry of the one before. */
async function pages(connection: StorageConnection, options: ScanOptions, limit: number): Promise<string[]> {
  const seen: string[] = [];
  let after: ScanOptions["after"];
  for (;;) {
    const page = await connection.scan("products", { ...options, limit, after });
    check(page.length <= limit, `at most ${limit} rows in a page`);
    seen.push(...page.map(({ key, primary }) => `${JSON.stringify(key)} ${primary}`));
    const last = page.at(-1);
    check(seen.length < 1_000, "an end of the pages");
    if (last === undefined) return seen;
    after = { key: last.key, primary: last.primary };
  }
}

export const ranges = [
  contractCase("ranges: closed, open, half-open, a single key, empty, and impossible", async (kit) => {
    const connection = await kit.open();
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
      checkEqual(
        await connection.count("products", { index: "by-name", range }),
        expected.length,
        `the count of ${what}`,
      );
    }
    checkEqual(
      await ids(connection, { range: { lower: "p2", upper: "p4", upperOpen: true } }),
      ["p2", "p3"],
      "a range of primary keys",
    );
    checkEqual(await connection.count("products", { range: { lower: "p4" } }), 2, "the count of primary keys");
  }),

  contractCase("ranges: prefixes of strings, and of keys that are arrays", async (kit) => {
    const connection = await kit.open();
    await stock(connection, fruit);
    const name = { index: "by-name", range: stringPrefixRange("ba") };
    checkEqual(await ids(connection, name), ["p5", "p2"], "names with a prefix");
    const category = { index: "category/price", range: prefixRange(["fruit"]) };
    const rows = await connection.scan("products", category);
    checkEqual(
      rows.map(({ key }) => key),
      [
        ["fruit", 20],
        ["fruit", 20],
        ["fruit", 30],
      ],
      "keys of a category",
    );
    const cheap = { index: "category/price", range: { lower: ["fruit", 0], upper: ["fruit", 25] } };
    checkEqual((await ids(connection, cheap)).sort(), ["p2", "p4"], "the cheap ones of a category");
    checkEqual(await connection.count("products", category), 3, "the count of a category");
    const last = await ids(connection, { ...category, direction: "prev", limit: 1 });
    checkEqual(last, ["p1"], "the dearest of a category");
  }),

  contractCase("limit: the first ones, none for 0, all if there are fewer", async (kit) => {
    const connection = await kit.open();
    await stock(connection, fruit);
    checkEqual(await ids(connection, { limit: 2 }), ["p1", "p2"], "two");
    checkEqual(await ids(connection, { limit: 2, direction: "prev" }), ["p5", "p4"], "the last two");
    checkEqual(
      await ids(connection, { limit: 2, index: "by-name", range: { lower: "b" } }),
      ["p5", "p2"],
      "two of an index",
    );
    checkEqual(await ids(connection, { limit: 0 }), [], "none");
    checkEqual(await ids(connection, { limit: 0, index: "by-name", direction: "prev" }), [], "none of an index");
    for (const limit of [99, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      checkEqual((await ids(connection, { limit })).length, 5, `all, for the limit ${limit}`);
      checkEqual(
        (await ids(connection, { limit, direction: "prev" })).length,
        5,
        `all backwards, for the limit ${limit}`,
      );
    }
  }),

  contractCase(
    "after: pages meet without a gap or an overlap, also among equal keys, in both directions",
    async (kit) => {
      const connection = await kit.open();
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
          const all = (await connection.scan("products", options)).map(
            ({ key, primary }) => `${JSON.stringify(key)} ${primary}`,
          );
          checkEqual(new Set(all).size, all.length, "every entry once");
          for (const limit of [1, 4, 100]) {
            checkEqual(await pages(connection, options, limit), all, `pages of ${limit} of ${JSON.stringify(options)}`);
          }
        }
      }
    },
  ),

  contractCase("after: the entry need not exist, nor be in the range", async (kit) => {
    const connection = await kit.open();
    await stock(connection, fruit);
    const gone = { key: "b", primary: "zz" };
    checkEqual(await ids(connection, { index: "by-name", after: gone, limit: 2 }), ["p5", "p2"], "after a gap");
    checkEqual(await ids(connection, { index: "by-name", after: gone, direction: "prev" }), ["p1"], "before a gap");
    const below = { index: "by-name", range: { lower: "bread" }, after: { key: "a", primary: "p0" } };
    checkEqual(await ids(connection, below), ["p3", "p4"], "after an entry below the range");
    const above = { index: "by-name", range: { upper: "bag" }, after: { key: "z", primary: "p0" } };
    checkEqual(await ids(connection, above), [], "after an entry above the range");
    checkEqual(await ids(connection, { ...above, direction: "prev" }), ["p5", "p1"], "before an entry above the range");
    checkEqual(
      await ids(connection, { after: { key: "p2x", primary: "p2x" } }),
      ["p3", "p4", "p5"],
      "after a primary key",
    );
    const tie = { index: "category", range: { lower: "fruit" }, after: { key: "fruit", primary: "p2" } };
    checkEqual(await ids(connection, tie), ["p4"], "after one of equal keys");
  }),
];
