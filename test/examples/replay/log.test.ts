import { expect, test } from "vitest";
import { parseCsv } from "../../../examples/replay/csv.ts";
import { LogError, minorUnits, parseLog, totalsOf } from "../../../examples/replay/log.ts";

const HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
const logOf = (...lines: string[]) => parseLog([HEADER, ...lines].join("\n"));

test("fields may be quoted, with commas, quotes and line ends in them", () => {
  const text = '\uFEFFa,"b, ""c""",\r\n"x\ny",,z\n\n1,2,3';
  expect([...parseCsv(text)]).toEqual([
    { line: 1, fields: ["a", 'b, "c"', ""] },
    { line: 2, fields: ["x\ny", "", "z"] },
    { line: 5, fields: ["1", "2", "3"] },
  ]);
  expect(() => [...parseCsv('a\n"b')]).toThrow("line 2: a quoted field does not end");
});

test("invoices are gathered by number, cancellations keep their sign", () => {
  const log = logOf(
    '1,A,"TEA, GREEN",2,1/12/2010,2.55,17850,United Kingdom',
    "C2,A,TEA,-1,1/12/2010 8:26,2.55,,France",
    "1,B,,3,1/12/2010,0,17850,United Kingdom",
  );
  expect(log.invoices).toEqual([
    {
      number: "1",
      isCancellation: false,
      customer: "17850",
      country: "United Kingdom",
      soldAt: Date.UTC(2010, 11, 1),
      lines: [
        { stockCode: "A", description: "TEA, GREEN", quantity: 2, priceMinor: 255 },
        { stockCode: "B", description: "", quantity: 3, priceMinor: 0 },
      ],
    },
    {
      number: "C2",
      isCancellation: true,
      customer: undefined,
      country: "France",
      soldAt: Date.UTC(2010, 11, 1, 8, 26),
      lines: [{ stockCode: "A", description: "TEA", quantity: -1, priceMinor: 255 }],
    },
  ]);
  expect(log.products).toEqual([
    { stockCode: "A", name: "TEA, GREEN", priceMinor: 255, unitsSold: 1 },
    { stockCode: "B", name: "B", priceMinor: 0, unitsSold: 3 },
  ]);
  expect(log.customers).toEqual([{ number: "17850", country: "United Kingdom" }]);
  expect(totalsOf(log)).toEqual({ invoices: 2, lines: 3, revenueMinor: 255, units: 4 });
});

test.each([
  ["2.55", 255],
  ["1.1", 110],
  ["0.29", 29],
  ["1.005", 101],
  ["1.004999", 100],
  ["7", 700],
  ["0.001", 0],
  ["-11062.06", -1106206],
  ["-0.001", 0],
  ["13541.33", 1354133],
])("the price %s is %i, by its digits", (text, minor) => {
  expect(minorUnits(1, text)).toBe(minor);
});

test.each([
  ["1,A,TEA,2.5,1/12/2010,1,,UK", "line 2: expected a whole number other than 0 in Quantity, received"],
  ["1,A,TEA,0,1/12/2010,1,,UK", "line 2: expected a whole number other than 0 in Quantity, received"],
  ["1,A,TEA,1,1/12/2010,free,,UK", 'line 2: expected a price like 2.55 in UnitPrice, received "free"'],
  ["1,A,TEA,1,yesterday,1,,UK", "line 2: expected a date like 1/12/2010 in InvoiceDate, received"],
  [",A,TEA,1,1/12/2010,1,,UK", "line 2: expected something in InvoiceNo, received nothing"],
])("%s is refused with its line", (line, message) => {
  expect(() => logOf(line)).toThrow(LogError);
  expect(() => logOf(line)).toThrow(message);
});

test("a text without the columns is no log", () => {
  expect(() => parseLog("")).toThrow("line 1: expected the columns InvoiceNo, ");
  expect(() => parseLog("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,CustomerID,Country")).toThrow(
    "line 1: expected the column UnitPrice",
  );
});
