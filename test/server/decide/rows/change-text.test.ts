/** Rows whose stored text goes out as it is must say what the same rows would, parsed and written again. */
import { describe, expect, test } from "vitest";
import { changeTexts } from "../../../../src/server/decide/rows/change-text.ts";
import type { FeedRow, RecordRow } from "../../../../src/server/ports/rows.ts";
import { changeOf, departureRow, recordRow } from "../../../../src/server/testing/rows.ts";
import { parsed, servedWith } from "../../support/served.ts";

describe("the text of a change", () => {
  const bare = servedWith([]);
  const stocked = servedWith(["stock", "sold"]);

  test("without counters is the stored text", () => {
    const data = { name: 'Tea "Earl" \u2028 \ud83d\ude00', nested: [{ deep: null }] };
    const text = changeTexts(bare)(changeOf(recordRow("p-1", 7, { schemaVersion: 2, data, counters: {} })));
    expect(text).toBe(`{"id":"p-1","version":7,"data":${JSON.stringify(data)}}`);
  });
  test.each<[string, RecordRow["data"], RecordRow["counters"], object]>([
    ["all of them stored", { name: "Tea" }, { stock: 3, sold: 1 }, { name: "Tea", stock: 3, sold: 1 }],
    ["none stored: they are zero", { name: "Tea" }, {}, { name: "Tea", stock: 0, sold: 0 }],
    ["one stored: the other is zero", { name: "Tea" }, { sold: 1 }, { name: "Tea", stock: 0, sold: 1 }],
    ["nothing but counters", {}, { stock: 3, sold: 1 }, { stock: 3, sold: 1 }],
    ["nothing at all", {}, {}, { stock: 0, sold: 0 }],
    ["a field of a counter's name: the counter counts", { stock: 9 }, { stock: 3, sold: 1 }, { stock: 3, sold: 1 }],
    ["one of an older schema", {}, { stock: 3, sold: 1, lent: 2 }, { stock: 3, sold: 1, lent: 2 }],
    ["the name in that of another", { a: 1 }, { 'a"stock': 1, sold: 1 }, { a: 1, 'a"stock': 1, sold: 1, stock: 0 }],
    ["the name deeper in the data", { a: { stock: 1 } }, { stock: 3, sold: 1 }, { a: { stock: 1 }, stock: 3, sold: 1 }],
    ["the name in a string", { a: '"stock":' }, { stock: 3, sold: 1 }, { a: '"stock":', stock: 3, sold: 1 }],
  ])("with counters, %s", (_what, data, counters, expected) => {
    expect(parsed(stocked, { data, counters })).toEqual({ id: "p-1", version: 7, data: expected });
  });
  test.each([
    ["with all counters", { stock: 3, sold: 1 }, ',"stock":3,"sold":1'],
    ["with none yet", {}, ',"stock":0,"sold":0'],
  ])("of a row %s is the stored text as it stands, and they follow", (_what, counters, following) => {
    const { row } = changeOf(recordRow("p-1", 7, { schemaVersion: 2, counters }));
    // A store may write JSON in a way of its own: this text shows that it was not parsed.
    const text = changeTexts(stocked)({ kind: "record", row: { ...row, data: '{ "name": "T\\u0065a" }' } as FeedRow });
    expect(text).toBe(`{"id":"p-1","version":7,"data":{ "name": "T\\u0065a" ${following}}}`);
  });
  test("has each member once", () => {
    const text = changeTexts(stocked)(
      changeOf(recordRow("p-1", 7, { schemaVersion: 2, data: { stock: 9 }, counters: { stock: 3, sold: 1 } })),
    );
    expect(text.match(/"stock":/g)).toHaveLength(1);
  });
  test("of an older version is brought up; what can't be, goes as it is (L6)", () => {
    const counters = { stock: 1, sold: 1 };
    expect(parsed(stocked, { schemaVersion: 1, data: { old: "piece" }, counters }).data).toEqual({
      brought: true,
      ...counters,
    });
    expect(parsed(stocked, { schemaVersion: 1, data: { old: "broken" }, counters: {} }).data).toEqual({
      old: "broken",
      stock: 0,
      sold: 0,
    });
  });
  test("of a row that is gone has no data", () => {
    expect(parsed(stocked, { state: "deleted" })).toEqual({ id: "p-1", version: 7, deleted: true });
    const left = changeTexts(stocked)({ kind: "departure", row: departureRow("p-1", 7, "north") });
    expect(JSON.parse(left)).toEqual({ id: "p-1", version: 7, deleted: true, reason: "scope" });
  });
});
