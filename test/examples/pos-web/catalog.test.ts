import { describe, expect, test } from "vitest";
import {
  colourOf,
  filterProducts,
  looksLikeBarcode,
  monogram,
  stockLevel,
} from "../../../examples/pos-web/model/catalog.ts";
import { NOTHING_SCANNED, scannerKey } from "../../../examples/pos-web/model/scanner.ts";

const cream = { name: "Crème fraîche", sku: "CREAM", barcodes: ["4000000000235"], categoryId: "dairy" };
const cola = { name: "Cola 500 ml", sku: "COLA", barcodes: ["4000000000013"], categoryId: "drinks" };
const all = [cream, cola];

describe("finding a product", () => {
  test.each([
    ["", undefined, all],
    ["", "drinks", [cola]],
    ["creme", undefined, [cream]],
    ["ML cola", undefined, [cola]],
    ["4000000000", undefined, all],
    ["4000000000235", undefined, [cream]],
    ["tea", undefined, []],
  ])("%j in %j", (text, categoryId, expected) => {
    expect(filterProducts(all, { text, categoryId })).toEqual(expected);
  });

  test("looks everywhere once something is typed, whatever category was chosen before", () => {
    expect(filterProducts(all, { text: "creme", categoryId: "drinks" })).toEqual([cream]);
  });
});

test("codes of goods are told from names and quantities", () => {
  expect(["4000000000013", "96385074", "036000291452"].map(looksLikeBarcode)).toEqual([true, true, true]);
  expect(["1234", "40000000000130000", "cola", "4000 000"].map(looksLikeBarcode)).toEqual([false, false, false, false]);
});

test("stock has three levels, and none of them forbids a sale", () => {
  expect([-2, 0, 1, 5, 6].map(stockLevel)).toEqual(["out", "out", "low", "low", "plenty"]);
});

test("products without a picture have letters, and the colour of their category", () => {
  expect(["Cola 500 ml", "Rye bread", "Öl", "7up"].map(monogram)).toEqual(["CO", "RB", "?", "?"]);
  expect([colourOf([{ id: "a" }, { id: "b" }], "b"), colourOf([], "b"), colourOf([], undefined)]).toEqual([2, 0, 0]);
});

describe("a barcode scanner", () => {
  const type = (text: string, gapMs: number, startAt = 1_000) => {
    let state = NOTHING_SCANNED;
    const codes: string[] = [];
    for (const [index, key] of [...text].entries()) {
      const step = scannerKey(state, key === "\n" ? "Enter" : key, startAt + index * gapMs);
      state = step.state;
      if (step.code !== undefined) codes.push(step.code);
    }
    return codes;
  };

  test("is heard anywhere: digits and Enter, faster than fingers", () => {
    expect(type("4000000000013\n4000000000235\n", 10)).toEqual(["4000000000013", "4000000000235"]);
  });

  test("is not mistaken for fingers, a PIN or a word", () => {
    expect(type("4000000000013\n", 200)).toEqual([]);
    expect(type("1234\n", 10)).toEqual([]);
    expect(type("abc\n", 10)).toEqual([]);
  });

  test("begins anew after a pause: what was typed before it is no part of the code", () => {
    let { state } = scannerKey(NOTHING_SCANNED, "9", 0);
    for (const [index, key] of [..."40000000"].entries()) ({ state } = scannerKey(state, key, 500 + index * 10));
    expect(scannerKey(state, "Enter", 590).code).toBe("40000000");
  });
});
