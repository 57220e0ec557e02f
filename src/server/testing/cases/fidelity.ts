/** What is read is what was stored, to the last digit. */

import type { FinalResult, WireOperation } from "../../../protocol/types.ts";
import type { JsonObject } from "../../../shared/json.ts";
import { check, equal, sameRows } from "../assertions.ts";
import { read, write } from "../calls.ts";
import { type ContractCase, contractCase } from "../contract-case.ts";
import { changeOf, clockRow, conflictRow, operationRow, recordRow, resultRow } from "../rows.ts";

const END = Number.MAX_SAFE_INTEGER;

const hard: JsonObject = {
  text: "Käse, 北京, 👩‍👩‍👧, \u2028, \\ \" ' ; --",
  composed: "\u00e9",
  decomposed: "e\u0301",
  largest: END,
  smallest: -END,
  tiny: 1e-7,
  fraction: 0.1 + 0.2,
  zero: 0,
  nothing: null,
  yes: true,
  no: false,
  empty: { list: [], object: {}, text: "" },
  deep: [[[[{ a: [1, [2, [3, { b: null }]]] }]]]],
  'a key with spaces, "quotes" and ünicode': 1,
  "10": "a key that looks like an index",
};

export const fidelityCases: readonly ContractCase[] = [
  contractCase("fidelity: JSON is returned as it was stored", async ({ store }) => {
    const record = recordRow("tea", 1, {
      data: hard,
      counters: { stock: -END, weight: "12345678901234567890.123456789" },
      fields: { text: [END, "x"] },
    });
    const result: FinalResult = {
      id: "sale",
      status: "applied",
      version: 1,
      data: hard,
      assigned: { number: "ORD-000123" },
    };
    const sent: WireOperation = {
      id: "sale",
      sequence: 1,
      collection: "sales",
      entityId: "e",
      schemaVersion: 1,
      occurredAt: "",
      action: "create",
      data: hard,
    };
    const conflict = conflictRow("conflict", 1, { client: hard, server: { version: 3, deleted: true }, fields: [] });
    await write(store, {
      records: [record],
      operations: [operationRow("sale", 1, { result, operation: sent })],
      conflicts: [conflict],
    });

    equal(await read(store, { kind: "records", keys: [record] }), [record], "a record");
    const [operation] = await read(store, { kind: "operations", ids: ["sale"] });
    equal(operation, operationRow("sale", 1, { result, operation: sent }), "an operation");
    equal(
      JSON.stringify(operation?.result),
      JSON.stringify(result),
      "the text of a result: it is returned forever [H9]",
    );
    equal(await read(store, { kind: "conflicts", ids: ["conflict"] }), [conflict], "a conflict");
  }),

  contractCase("fidelity: positions up to 2^53 - 1, exactly", async ({ store }) => {
    const rows = [END - 2, END - 1, END].map((position) => recordRow(`row-${position}`, position));
    const operations = rows.map(({ version }) => operationRow(`operation-${version}`, version));
    await write(store, { clock: clockRow(END, { epochStart: END - 3 }), records: rows, operations });
    equal(await read(store, { kind: "clock" }), clockRow(END, { epochStart: END - 3 }), "the clock");
    const changes = await read(store, {
      kind: "changes",
      collection: "products",
      scopes: [""],
      after: END - 2,
      upTo: END - 1,
      limit: 10,
      bytes: END,
    });
    equal(changes.entries, rows.slice(1, 2).map(changeOf), "a range of one position");
    equal(
      await read(store, { kind: "results", device: "device-1", after: END - 1, limit: 10 }),
      operations.slice(2).map(resultRow),
      "the last result",
    );
    const taken = await read(store, { kind: "sequences", incarnation: "incarnation-1", sequences: [END - 1] });
    equal(taken, [{ sequence: END - 1, id: `operation-${END - 1}` }], "the owner of a sequence number");
  }),

  contractCase("fidelity: keys are compared as they are: case, spaces, digits, accents", async ({ store }) => {
    const ids = [
      "a",
      "A",
      "a ",
      " a",
      "",
      "7",
      "07",
      "7.0",
      "é",
      "e\u0301",
      "%",
      "_",
      "a%",
      "'",
      '"',
      "\\",
      "null",
      "👍",
    ];
    const records = ids.map((id, index) => recordRow(id, index + 1));
    const operations = ids.map((id, index) => operationRow(id, index + 1, { transaction: id }));
    await write(store, { records, operations });
    for (const [index, id] of ids.entries()) {
      equal(
        await read(store, { kind: "records", keys: [{ collection: "products", id }] }),
        [records[index]],
        `the record ${JSON.stringify(id)}`,
      );
      equal(
        await read(store, { kind: "operations", ids: [id] }),
        [operations[index]],
        `the operation ${JSON.stringify(id)}`,
      );
      equal(
        await read(store, { kind: "members", transaction: id, device: "device-1", limit: 10 }),
        [operations[index]],
        `the members of ${JSON.stringify(id)}`,
      );
    }
    // The two parts of a key are never confused.
    const pairs = [recordRow("bc", 101, { collection: "a" }), recordRow("c", 102, { collection: "ab" })];
    await write(store, { records: pairs });
    sameRows(await read(store, { kind: "records", keys: pairs }), pairs, "keys of two parts");
  }),

  contractCase(
    "fidelity: an id with U+0000 or a lone surrogate is stored exactly or refused, and never changed",
    async ({ store }) => {
      await write(store, { records: [recordRow("c", 1), recordRow("\ufffd", 2)] });
      for (const [index, id] of ["c\0d", "\ud800", "\udfff"].entries()) {
        const stored = await write(store, { records: [recordRow(id, 10 + index, { data: {} })] }).then(
          () => true,
          () => false,
        );
        const found = await read(store, { kind: "records", keys: [{ collection: "products", id }] });
        equal(
          found.map((row) => row.id),
          stored ? [id] : [],
          `the record ${JSON.stringify(id)}`,
        );
      }
      const others = await read(store, {
        kind: "records",
        keys: ["c", "\ufffd"].map((id) => ({ collection: "products", id })),
      });
      sameRows(others, [recordRow("c", 1), recordRow("\ufffd", 2)], "the rows that such an id could have overwritten");
    },
  ),

  contractCase("fidelity: changes to the caller's objects do not change what is stored", async ({ store }) => {
    const data = { name: "tea", tags: ["hot"] };
    const row = { ...recordRow("tea", 1), data };
    await write(store, { records: [row] });
    data.tags.push("cold");
    row.version = 99;
    const request = { kind: "records", keys: [{ collection: "products", id: "tea" }] } as const;
    const [stored] = await read(store, request);
    equal(
      stored,
      recordRow("tea", 1, { data: { name: "tea", tags: ["hot"] } }),
      "a row whose object was changed after it was stored",
    );

    try {
      (stored as unknown as { data: { name: string } }).data.name = "coffee";
    } catch {
      // frozen, which is as good
    }
    const [again] = await read(store, request);
    check(again?.data.name === "tea", "a row that its reader changed");
  }),
];
