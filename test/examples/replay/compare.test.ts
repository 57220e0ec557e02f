/** The judge of a replay: whatever is missing, twice or different, it says so. */
import { expect, test } from "vitest";
import { type Books, compare } from "../../../examples/replay/compare.ts";
import { parseLog } from "../../../examples/replay/log.ts";
import { closingLine, details, reportOf, table } from "../../../examples/replay/report.ts";

const log = parseLog(`InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,TEA,2,1/12/2010,2.55,7,UK
1,B,MUG,1,1/12/2010,0,7,UK
C2,A,TEA,-1,1/12/2010,2.55,7,UK
`);
const lines = [
  { stockCode: "A", quantity: 2, priceMinor: 255 },
  { stockCode: "B", quantity: 1, priceMinor: 0 },
];
const sale = { id: "s-1", kind: "sale", invoice: "1", part: 1, orderNumber: "ORD-1", lines } as const;
const refund = {
  id: "r-1",
  kind: "refund",
  invoice: "C2",
  part: 1,
  orderNumber: undefined,
  lines: [{ stockCode: "A", quantity: -1, priceMinor: 255 }],
} as const;
const product = { id: "product-A", name: "TEA", stock: 9 };
const operation = (id: string, state = "applied") => ({ id, state, isFact: true });

const server: Books["server"] = {
  receipts: [sale, refund],
  payments: [{ receipt: "s-1", amountMinor: 510 }],
  paid: new Map([["s-1", 510]]),
  stock: new Map([
    ["A", 9],
    ["B", 9],
  ]),
  rows: { products: [product] },
  operations: [
    { id: "o-1", till: "till-1" },
    { id: "o-2", till: "till-1" },
  ],
};
const till: Books["tills"][number] = {
  name: "till-1",
  rows: { products: [{ stock: 9, name: "TEA", id: "product-A" }] as unknown as { readonly id: string }[] },
  written: [{ id: "s-1", invoice: "1", part: 1 }],
  operations: [operation("o-1"), operation("o-2")],
};
const imported = new Map([
  ["A", 10],
  ["B", 10],
]);
const judge = (change: { server?: Partial<Books["server"]>; till?: Partial<typeof till> } = {}) =>
  compare(log, { server: { ...server, ...change.server }, tills: [{ ...till, ...change.till }], imported });

test("nothing is said where everything is as it was sold", () => {
  expect(judge()).toEqual({
    invoices: 2,
    lines: 3,
    revenueMinor: 255,
    units: 2,
    operations: 2,
    lost: [],
    duplicated: [],
    diverged: [],
  });
});

test.each<[string, Parameters<typeof judge>[0], "lost" | "duplicated" | "diverged", string]>([
  ["an invoice is missing", { server: { receipts: [sale] } }, "lost", "invoice C2/1: not on the server"],
  [
    "a sale that was promised at the till is missing",
    { till: { written: [...till.written, { id: "s-9", invoice: "1", part: 1 }] } },
    "lost",
    "till-1: invoice 1/1 was saved as s-9, which the server has not",
  ],
  ["a payment is missing", { server: { payments: [] } }, "lost", "invoice 1/1: its payment is not on the server"],
  ["a product is missing", { server: { stock: new Map([["A", 9]]) } }, "lost", "product B: not on the server"],
  [
    "an operation never arrived",
    { server: { operations: [{ id: "o-1", till: "till-1" }] } },
    "lost",
    "till-1: operation o-2 is applied, and not on the server",
  ],
  [
    "an operation waits",
    { till: { operations: [operation("o-1"), operation("o-2", "blocked")] } },
    "lost",
    "till-1: operation o-2 is still blocked",
  ],
  [
    "a fact was set aside",
    { till: { operations: [operation("o-1"), operation("o-2", "quarantined")] } },
    "lost",
    "till-1: fact o-2 is quarantined",
  ],
  [
    "an invoice is there twice",
    { server: { receipts: [sale, refund, { ...refund, id: "r-2" }] } },
    "duplicated",
    "invoice C2/1: on the server again as r-2",
  ],
  [
    "a sale was made up",
    { server: { receipts: [sale, refund, { ...refund, id: "r-3", invoice: "3" }] } },
    "duplicated",
    "invoice 3/1: on the server, and not in the log",
  ],
  [
    "a payment is there twice",
    { server: { payments: [...server.payments, ...server.payments] } },
    "duplicated",
    "invoice 1/1: 2 payments",
  ],
  [
    "an operation is there twice",
    { server: { operations: [...server.operations, { id: "o-1", till: "till-1" }] } },
    "duplicated",
    "operation o-1: 2 times on the server",
  ],
  [
    "a line has another price",
    { server: { receipts: [{ ...sale, lines: [{ ...lines[0], priceMinor: 254 }, lines[1]] as never }, refund] } },
    "diverged",
    "invoice 1/1 line 1: sold 2 × A at 255, server 2 × A at 254",
  ],
  [
    "a payment was counted twice",
    { server: { paid: new Map([["s-1", 1020]]) } },
    "diverged",
    "invoice 1/1: the server counted 1020 paid, not 510",
  ],
  [
    "stock moved twice",
    {
      server: {
        stock: new Map([
          ["A", 7],
          ["B", 9],
        ]),
      },
    },
    "diverged",
    "stock of A: expected 9, server 7",
  ],
  [
    "an operation came from nobody",
    { till: { operations: [operation("o-1")] } },
    "diverged",
    "till-1: operation o-2 is on the server, and no till knows it",
  ],
  [
    "a till sees another value",
    { till: { rows: { products: [{ ...product, stock: 8 }] } } },
    "diverged",
    "till-1: products product-A stock: server 9, till 8",
  ],
  ["a till misses a row", { till: { rows: {} } }, "diverged", "till-1: products product-A is not there"],
  [
    "a till has a row too many",
    { till: { rows: { products: [product, { id: "product-Z" }] } } },
    "diverged",
    "till-1: products product-Z is not on the server",
  ],
])("%s", (_, change, kind, told) => {
  expect(judge(change)[kind]).toContain(told);
});

test("the report counts, tells the first, and ends with one line", () => {
  const findings = judge({ server: { receipts: [sale], payments: [] } });
  const report = reportOf(findings, {
    tills: 1,
    servers: 2,
    elapsedMs: 1_234.5,
    faults: new Map([
      ["b", 2],
      ["a", 1],
    ]),
  });
  expect(report).toEqual({
    tills: 1,
    servers: 2,
    invoices: 1,
    lines: 2,
    revenueMinor: 510,
    units: 3,
    operations: 2,
    faults: { a: 1, b: 2 },
    lost: 2,
    duplicated: 0,
    diverged: 1,
    elapsedMs: 1_235,
  });
  expect(details(findings)[0]).toBe("lost: invoice C2/1: not on the server");
  expect(closingLine(report)).toBe("lost 2, duplicated 0, diverged 1");
  expect(table(report, { invoices: 2, lines: 3, revenueMinor: -255, units: 2 })).toContain(
    "revenue               -2.55           5.10",
  );
});
