import { describe, expect, test } from "vitest";
import { nextReceiptNumber, receiptPrefix } from "../../../examples/pos-web/model/receipt-number.ts";
import { refundable, refundItem } from "../../../examples/pos-web/model/refund.ts";
import { pathOf, type Route, routeOf } from "../../../examples/pos-web/model/route.ts";

const line = {
  lineId: "1",
  productId: "cola",
  name: "Cola",
  quantity: 3,
  unitPriceCents: 100,
  discountCents: 1,
  taxCents: 48,
  taxIncluded: true,
};

describe("giving back", () => {
  test("leaves what was not given back before", () => {
    const before = [
      { items: [{ lineId: "1", quantity: 2, amountCents: 200 }] },
      { items: [{ quantity: 1, amountCents: 100 }] },
    ];
    expect(refundable([line], before)).toEqual([{ line, left: 1 }]);
    expect(refundable([line], [{ items: [{ lineId: "1", quantity: 9, amountCents: 1 }] }])[0]?.left).toBe(0);
  });

  test("piece by piece comes to what was paid for the line, to the cent", () => {
    const given: { items: { lineId: string; quantity: number; amountCents: number }[] }[] = [];
    for (let piece = 0; piece < 3; piece += 1) given.push({ items: [refundItem(line, 1, given)] });
    expect(given.map(({ items }) => items[0]?.amountCents)).toEqual([100, 100, 99]);
  });

  test("a tax that was added is given back too", () => {
    expect(refundItem({ ...line, discountCents: 0, taxIncluded: false }, 3, []).amountCents).toBe(348);
  });
});

describe("receipt numbers", () => {
  test("go on after the last one of this till", () => {
    expect(nextReceiptNumber("T3-", undefined)).toBe("T3-000001");
    expect(nextReceiptNumber("T3-", "T3-000041")).toBe("T3-000042");
    expect(nextReceiptNumber("T3-", "T3-??")).toBe("T3-000001");
  });

  test("sort as text as they do as numbers", () => {
    expect(nextReceiptNumber("T3-", "T3-000009") > "T3-000009").toBe(true);
  });

  test("of two tills have different prefixes, also before the server has numbered them", () => {
    expect(receiptPrefix({ id: "till-a", number: 7 })).toBe("T7-");
    expect(receiptPrefix({ id: "till-1234-abcdef", number: undefined })).toBe("Nabcdef-");
  });
});

test.each<[string, Route]>([
  ["/", { page: "sell" }],
  ["/anything", { page: "sell" }],
  ["/sales", { page: "sales", saleId: undefined }],
  ["/sales/a%2Fb", { page: "sales", saleId: "a/b" }],
  ["/queue", { page: "queue" }],
])("%s is a page of the till", (path, route) => {
  expect(routeOf(path)).toEqual(route);
  expect(routeOf(pathOf(route))).toEqual(route);
});
