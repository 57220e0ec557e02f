/** Rows by their keys: many at once, unknown keys, repeated keys. */
import { equal, sameRows } from "../assertions.ts";
import { read, upTo, write } from "../calls.ts";
import { type ContractCase, contractCase } from "../contract-case.ts";
import {
  commitRow,
  conflictRow,
  deviceRow,
  epochRow,
  incarnationRow,
  operationRow,
  quarantinedRow,
  recordRow,
} from "../rows.ts";

const END = Number.MAX_SAFE_INTEGER;

export const keyCases: readonly ContractCase[] = [
  contractCase(
    "rows: two thousand keys in one read; unknown keys are left out, and a repeated key counts once",
    async ({ store }) => {
      const count = 2_000;
      const records = upTo(count).map((n) =>
        recordRow(`row-${n}`, n, { collection: n % 2 === 0 ? "products" : "customers" }),
      );
      const operations = upTo(count).map((n) => operationRow(`operation-${n}`, n));
      const commits = upTo(count).map((n) => commitRow(`commit-${n}`, n));
      const devices = upTo(count).map((n) => deviceRow(`device-${n}`));
      const conflicts = upTo(count).map((n) => conflictRow(`conflict-${n}`, n));
      await write(store, { records, operations, commits, devices, conflicts });

      const twice = <T>(keys: readonly T[], unknown: T): readonly T[] => [...keys, unknown, ...keys.slice(0, 3)];
      const swapped = { collection: "products", id: "row-1" }; // this id is in `customers`
      sameRows(
        await read(store, { kind: "records", keys: twice<{ collection: string; id: string }>(records, swapped) }),
        records,
        "records",
      );
      sameRows(
        await read(store, {
          kind: "operations",
          ids: twice(
            operations.map(({ id }) => id),
            "?",
          ),
        }),
        operations,
        "operations",
      );
      sameRows(
        await read(store, {
          kind: "commits",
          ids: twice(
            commits.map(({ id }) => id),
            "?",
          ),
        }),
        commits,
        "commits",
      );
      sameRows(
        await read(store, {
          kind: "devices",
          ids: twice(
            devices.map(({ id }) => id),
            "?",
          ),
        }),
        devices,
        "devices",
      );
      sameRows(
        await read(store, {
          kind: "conflicts",
          ids: twice(
            conflicts.map(({ id }) => id),
            "?",
          ),
        }),
        conflicts,
        "conflicts",
      );
      sameRows(
        await read(store, {
          kind: "conflictsOf",
          operationIds: twice(
            conflicts.map((row) => row.operationId),
            "?",
          ),
        }),
        conflicts,
        "conflicts of operations",
      );
      const sequences = await read(store, {
        kind: "sequences",
        incarnation: "incarnation-1",
        sequences: twice(upTo(count), count + 1),
      });
      sameRows(
        sequences,
        operations.map(({ id, sequence }) => ({ id, sequence })),
        "sequences",
      );
    },
  ),

  contractCase("rows: epochs, and the incarnations of a device", async ({ store }) => {
    const epochs = [epochRow(1), epochRow(2, { reason: "restored" }), epochRow(3, { reason: "announced", start: END })];
    const mine = [
      incarnationRow("incarnation-1"),
      incarnationRow("incarnation-2", { number: 2, firstSequence: 7, lastSequence: 9, received: 2 }),
    ];
    // A device that claims another device's incarnation must not overwrite its row.
    const claimed = incarnationRow("incarnation-1", { device: "device-2", number: 3 });
    await write(store, { epochs, incarnations: [...mine, claimed] });
    sameRows(await read(store, { kind: "epochs" }), epochs, "epochs");
    sameRows(
      await read(store, { kind: "incarnations", device: "device-1", limit: 10 }),
      mine,
      "the incarnations of a device",
    );
    sameRows(
      await read(store, { kind: "incarnations", device: "device-2", limit: 10 }),
      [claimed],
      "the incarnations of another device",
    );
    const names = async (limit: number, incarnation?: string) => {
      const request = { kind: "incarnations", device: "device-1", limit } as const;
      const found = await read(store, incarnation === undefined ? request : { ...request, incarnation });
      return found.map((row) => row.incarnation).sort();
    };
    equal(await names(1), ["incarnation-2"], "the newest one");
    equal(await names(1, "incarnation-1"), ["incarnation-1", "incarnation-2"], "the newest one, and the named one");
    equal(await names(1, "incarnation-2"), ["incarnation-2"], "the named one is the newest");
    equal(await names(0, "incarnation-1"), ["incarnation-1"], "only the named one");
    equal(await names(0, "incarnation-9"), [], "one that does not exist");
  }),

  contractCase("rows: the first members of a device's transaction, by position, and no others", async ({ store }) => {
    const [sale, payment] = [
      operationRow("sale", 1, { transaction: "basket" }),
      quarantinedRow("payment", 5, { transaction: "basket" }),
    ];
    const theirs = operationRow("theirs", 2, { transaction: "basket", device: "device-2" });
    const others = [operationRow("alone", 3), operationRow("other", 4, { transaction: "other" })];
    await write(store, { operations: [payment, theirs, ...others, sale] });
    const members = (transaction: string, device: string, limit = 10) =>
      read(store, { kind: "members", transaction, device, limit });
    equal(await members("basket", "device-1"), [sale, payment], "members");
    equal(await members("basket", "device-2"), [theirs], "members that another device sent");
    equal(await members("basket", "device-1", 1), [sale], "the first of them");
    equal(await members("?", "device-1"), [], "members of an unknown transaction");
  }),
];
