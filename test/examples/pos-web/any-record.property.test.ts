/** Whatever another till has written into a record, the page has words for it: one sale never empties the list. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMoney, isCurrency, minorPerMajor } from "../../../examples/pos-web/model/money.ts";
import { verdictWords } from "../../../examples/pos-web/model/operation-words.ts";
import { flagWords, saleNumber } from "../../../examples/pos-web/model/sale-words.ts";
import { taxByRate } from "../../../examples/pos-web/model/tax.ts";
import { ago, clockTime, dateAndTime, dayName, dayOf, lasting, until } from "../../../examples/pos-web/model/when.ts";
import { collections } from "../../../examples/reference-server/collections.ts";
import { resolvedOf } from "../../../src/schema/resolved.ts";

const whole = fc.maxSafeInteger();
const moment = fc.oneof(whole, fc.constantFrom(8.64e15, 8.64e15 + 1, Number.MAX_SAFE_INTEGER, -1, Number.NaN));
const currency = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("12$", "eur", "EUR", "ÄÖÜ", "", "XTS", "EURO"),
);

test("any amount in any currency is written as a text that has the currency in it", () => {
  fc.assert(
    fc.property(whole, currency, (cents, code) => {
      const text = formatMoney(cents, code);
      expect(text.length).toBeGreaterThan(0);
      if (!isCurrency(code)) expect(text.endsWith(code)).toBe(true);
      expect(minorPerMajor(code)).toBeGreaterThanOrEqual(1);
    }),
  );
});

test("any moment has a time, a date and a day", () => {
  fc.assert(
    fc.property(moment, moment, (at, now) => {
      for (const text of [clockTime(at), dateAndTime(at), dayName(at, now), ago(at, now), until(at, now), lasting(at)])
        expect(text).not.toMatch(/^$|Invalid/);
      expect(Number.isNaN(dayOf(at))).toBe(false);
    }),
  );
});

test("any sale has a number, any flag has words, and any lines have their tax", () => {
  fc.assert(
    fc.property(
      fc.record({ receiptNumber: fc.option(fc.string(), { nil: undefined }) }),
      fc.record({ code: fc.string(), message: fc.string() }),
      fc.array(fc.record({ taxRate: whole, taxCents: whole })),
      (sale, flag, lines) => {
        expect(typeof saleNumber(sale)).toBe("string");
        expect(typeof flagWords(flag)).toBe("string");
        expect(typeof verdictWords(flag)).toBe("string");
        expect(taxByRate(lines).length).toBeLessThanOrEqual(lines.length);
      },
    ),
  );
});

test.each([
  ["a currency that is none", { currency: "12$" }],
  ["a currency in small letters", { currency: "eur" }],
  ["a moment that no calendar has", { soldAt: Number.MAX_SAFE_INTEGER }],
])("a sale with %s is refused", (_what, over) => {
  const item = { lineId: "l-1", productId: "p-1", name: "Tea", quantity: 1, unitPriceCents: 1 };
  const sale = { branchId: "b-1", items: [item], totalCents: 1, soldAt: 0 };
  const refused = (data: object) => "issues" in resolvedOf(collections.sales).schema["~standard"].validate(data);
  expect(refused(sale)).toBe(false);
  expect(refused({ ...sale, ...over })).toBe(true);
});
