/** The storage contract: what `transact` promises. */
import {
  get,
  readAll,
  type ScannedRow,
  type StorageRead,
  scan,
  type TransactOptions,
} from "../../client/ports/storage.ts";
import { check, checkEqual, checkRejects } from "../check.ts";
import { contractCase, increment, one, type Product, put, STRICT, stock, write, writing } from "./kit.ts";

const RELAXED: TransactOptions = { ...STRICT, durability: "relaxed" };

export const transactions = [
  contractCase("a script receives the answers in the order of its reads, and its value is the result", async (kit) => {
    const connection = await kit.open();
    await stock(connection, { p1: { name: "apple", tags: ["red"] }, p2: { name: "bread" } });
    const seen = await connection.transact(STRICT, function* () {
      const [p1, none] = yield* get<Product>("products", ["p1", "p9"]);
      const rows = yield* scan<Product>("products", { index: "by-name", direction: "prev" });
      const reads: StorageRead[] = [
        { kind: "count", table: "products", options: {} },
        { kind: "get", table: "products", keys: ["p2"] },
        { kind: "count", table: "products", options: { index: "tags" } },
      ];
      const together = yield* readAll(reads);
      const nothing = yield* get("products", []);
      return { value: { p1, none, names: rows.map(({ key }) => key), together, nothing }, writes: [] };
    });
    const expected = {
      p1: { name: "apple", tags: ["red"] },
      none: undefined,
      names: ["bread", "apple"],
      together: [2, [{ name: "bread" }], 1],
      nothing: [],
    };
    checkEqual(seen, expected, "what the script saw");
  }),

  contractCase("all of a script's writes are stored, in their order, in all of its tables", async (kit) => {
    const connection = await kit.open();
    await write(connection, put("counters", "gone", 1));
    const gone = { kind: "delete", table: "counters", key: "gone" } as const;
    await write(connection, put("sales", "s1", "first"), put("counters", "n", 1), gone, put("sales", "s1", "second"));
    checkEqual(await connection.get("sales", ["s1"]), ["second"], "the sale");
    checkEqual(await connection.get("counters", ["n", "gone"]), [1, undefined], "the counters");
  }),

  contractCase(
    "an error that a script throws reaches its caller unchanged, and nothing of the script is stored",
    async (kit) => {
      const connection = await kit.open();
      await write(connection, put("counters", "n", 7));
      const reason = new RangeError("out of stock");
      const error = await connection
        .transact(STRICT, function* () {
          yield* get("counters", ["n"]);
          throw reason;
        })
        .catch((caught: unknown) => caught);
      check(error === reason, "the very error that was thrown");
      checkEqual(await one(connection, "counters", "n"), 7, "the counter");
    },
  ),

  contractCase(
    "a script that throws contributes nothing, and doesn't disturb scripts that run beside it",
    async (kit) => {
      const connection = await kit.open();
      const results = await Promise.allSettled(
        Array.from({ length: 30 }, (_, n) =>
          connection.transact(STRICT, function* () {
            const [count = 0] = yield* get<number>("counters", ["sold"]);
            if (n % 3 === 0) throw new Error(`refused ${n}`);
            return { value: n, writes: [put("counters", "sold", count + 1), put("sales", `s${n}`, count)] };
          }),
        ),
      );
      results.forEach((result, n) => {
        checkEqual(result.status, n % 3 === 0 ? "rejected" : "fulfilled", `the end of script ${n}`);
        if (result.status === "fulfilled") checkEqual(result.value, n, `the value of script ${n}`);
      });
      checkEqual(await one(connection, "counters", "sold"), 20, "the counter");
      checkEqual(await connection.count("sales", {}), 20, "the sales");
    },
  ),

  contractCase("a value that can't be stored fails all of its own script, and no other", async (kit) => {
    const connection = await kit.open();
    const bad = connection.transact(STRICT, () =>
      writing(put("counters", "half", 1), put("counters", "bad", { f: () => 1 })),
    );
    const good = [increment(connection, "n"), increment(connection, "n")];
    await checkRejects(bad, "internal", "a function as a value");
    checkEqual((await Promise.all(good)).sort(), [1, 2], "the others");
    checkEqual(await connection.get("counters", ["half", "bad", "n"]), [undefined, undefined, 2], "the rows");
  }),

  contractCase("keys that can't be computed fail all of their own script, and no other", async (kit) => {
    const connection = await kit.open();
    const bad = connection.transact(STRICT, () => writing(put("counters", "half", 1), put("products", "bad", null)));
    const good = increment(connection, "n");
    check(
      await bad.then(
        () => false,
        () => true,
      ),
      "a rejection",
    );
    checkEqual(await good, 1, "the other");
    checkEqual(await connection.get("counters", ["half", "n"]), [undefined, 1], "the rows");
    checkEqual(await one(connection, "products", "bad"), undefined, "the bad row");
  }),

  contractCase("100 concurrent scripts that read, add and write add up to 100", async (kit) => {
    const connection = await kit.open();
    const values = await Promise.all(
      Array.from({ length: 100 }, (_, n) => increment(connection, "n", n % 7 === 0 ? RELAXED : STRICT)),
    );
    checkEqual(await one(connection, "counters", "n"), 100, "the sum");
    checkEqual(
      values.sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, n) => n + 1),
      "the values on the way",
    );
  }),

  contractCase(
    "scripts through two connections to one store take turns, and each sees the other's commits",
    async (kit) => {
      const first = await kit.open();
      const second = await kit.open();
      await Promise.all(Array.from({ length: 60 }, (_, n) => increment(n % 2 === 0 ? first : second, "n")));
      checkEqual(await one(first, "counters", "n"), 60, "the sum, through the first");
      await write(second, put("counters", "n", -1));
      checkEqual(await one(first, "counters", "n"), -1, "what the second wrote, through the first");
    },
  ),

  contractCase("scripts of one connection run in the order of the calls", async (kit) => {
    const connection = await kit.open();
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        connection
          .transact(n % 5 === 0 ? RELAXED : STRICT, function* () {
            yield* get("counters", ["n"]);
            return { value: n, writes: [] };
          })
          .then((value) => order.push(value)),
      ),
    );
    checkEqual(
      order,
      Array.from({ length: 20 }, (_, n) => n),
      "the order",
    );
  }),

  contractCase("a script sees the rows of all tables as of one moment", async (kit) => {
    const connection = await kit.open();
    const other = await kit.open();
    const writers = Array.from({ length: 20 }, (_, n) => write(other, put("counters", "a", n), put("sales", "a", n)));
    const readers = Array.from({ length: 20 }, () =>
      connection.transact(STRICT, function* () {
        const [counter] = yield* get("counters", ["a"]);
        yield* scan("products", {});
        const [sale] = yield* get("sales", ["a"]);
        return { value: [counter, sale], writes: [] };
      }),
    );
    for (const [counter, sale] of await Promise.all(readers)) checkEqual(sale, counter, "both halves");
    await Promise.all(writers);
  }),

  contractCase("a script reads the writes of all scripts before it, and not its own", async (kit) => {
    const connection = await kit.open();
    await write(connection, put("sales", "s1", { total: 1 }));
    const both = await Promise.all([
      connection.transact(STRICT, () => writing(put("sales", "s2", { total: 2 }))),
      connection.transact(STRICT, function* () {
        const rows: readonly ScannedRow<unknown>[] = yield* scan("sales", {});
        return { value: rows.map(({ primary }) => primary), writes: [put("sales", "s3", { total: 3 })] };
      }),
    ]);
    checkEqual(both[1], ["s1", "s2"], "the sales that were seen");
  }),

  contractCase("a script that reads or writes a table that it has not declared fails", async (kit) => {
    const connection = await kit.open();
    const options: TransactOptions = { tables: ["counters"], durability: "strict" };
    // If an adapter joins it with them, it has declared the table that they have not.
    const neighbour = increment(connection, "n");
    const reading = connection.transact(options, function* () {
      const [sale] = yield* get("sales", ["s1"]);
      return { value: sale, writes: [] };
    });
    const writes = connection.transact(options, () => writing(put("counters", "half", 1), put("sales", "s1", 1)));
    await checkRejects(reading, "internal", "a read");
    await checkRejects(writes, "internal", "a write");
    await checkRejects(
      connection.transact({ ...options, tables: ["none"] }, () => writing()),
      "internal",
      "no such table",
    );
    checkEqual(await neighbour, 1, "the neighbour");
    checkEqual(await connection.get("counters", ["half", "n"]), [undefined, 1], "the rows");
  }),
];
