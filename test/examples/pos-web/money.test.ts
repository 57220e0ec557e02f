import { describe, expect, test } from "vitest";
import { tender, usualTenders } from "../../../examples/pos-web/model/cash.ts";
import { formatMoney, minorPerMajor, parseMoney } from "../../../examples/pos-web/model/money.ts";
import { taxByRate } from "../../../examples/pos-web/model/tax.ts";

test("money is written with as many digits as the currency has", () => {
  expect([minorPerMajor("EUR"), minorPerMajor("JPY"), minorPerMajor("KWD")]).toEqual([100, 1, 1_000]);
  expect(formatMoney(123_456, "EUR")).toMatch(/1.?234[.,]56/);
  expect(formatMoney(500, "JPY")).toMatch(/500$/);
});

describe("what is typed as an amount", () => {
  test.each([
    ["12", 1_200],
    ["12.5", 1_250],
    ["12,50", 1_250],
    [" 0.05 ", 5],
    ["19.99", 1_999],
    ["7.", 700],
  ])("%j", (text, cents) => {
    expect(parseMoney(text, "EUR")).toBe(cents);
  });

  test.each(["", "1.234", "-5", "1e3", "12.5.0", "five", "1234567890"])("%j is none", (text) => {
    expect(parseMoney(text, "EUR")).toBeUndefined();
  });

  test("has the digits of its currency", () => {
    expect(parseMoney("500", "JPY")).toBe(500);
    expect(parseMoney("5.5", "JPY")).toBeUndefined();
    expect(parseMoney("1.250", "KWD")).toBe(1_250);
  });
});

describe("cash", () => {
  test("is short, exact, or more than enough", () => {
    expect(tender(1_250, 1_000)).toEqual({ kind: "short", missingCents: 250 });
    expect(tender(1_250, 1_250)).toEqual({ kind: "enough", changeCents: 0 });
    expect(tender(1_250, 2_000)).toEqual({ kind: "enough", changeCents: 750 });
  });

  test("is suggested exact, rounded, and in notes; never less than the total, never twice", () => {
    expect(usualTenders(1_194, "EUR")).toEqual([1_194, 1_200, 1_500, 2_000]);
    expect(usualTenders(500, "EUR")).toEqual([500, 1_000, 2_000, 5_000]);
    expect(usualTenders(99_901, "EUR")).toEqual([99_901, 100_000]);
  });
});

test("taxes are told by rate, lowest first", () => {
  const lines = [
    { taxRate: 1_900, taxCents: 24 },
    { taxRate: 700, taxCents: 21 },
    { taxRate: 0, taxCents: 0 },
    { taxRate: 1_900, taxCents: 24 },
  ];
  expect(taxByRate(lines)).toEqual([
    { rate: 700, cents: 21 },
    { rate: 1_900, cents: 48 },
  ]);
});
