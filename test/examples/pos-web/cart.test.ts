import { describe, expect, test } from "vitest";
import {
  addProduct,
  cartFromText,
  EMPTY_CART,
  lineTax,
  quantityOf,
  readQuantity,
  removeLine,
  setQuantity,
  totalsOf,
} from "../../../examples/pos-web/model/cart.ts";

const cola = { id: "cola", name: "Cola", sku: "COLA", priceCents: 150, taxRate: 1_900, taxIncluded: true };
const bread = { id: "bread", name: "Rye bread", sku: "BREAD", priceCents: 320, taxRate: 700, taxIncluded: true };

describe("a quantity that is typed", () => {
  test.each([
    ["7", 7],
    [" 12 ", 12],
    ["0", 0],
    ["9999", 9_999],
    ["007", 7],
  ])("is read: %j", (text, quantity) => {
    expect(readQuantity(text)).toEqual({ quantity });
  });

  test.each(["", "10000", "12345678901234567890", "1.5", "1,5", "-1", "two", "0x10", "1e3"])(
    "is refused with a word that names it: %j",
    (text) => {
      const named = text === "" ? "Nothing" : `“${text}”`;
      expect(readQuantity(text)).toEqual({
        refused: `${named} is not a quantity: a line takes whole numbers up to ${(9_999).toLocaleString()}`,
      });
    },
  );
});

describe("the cart", () => {
  test("adds up what is in it, in minor units", () => {
    const cart = [cola, bread, cola].reduce((before, product) => addProduct(before, product), EMPTY_CART);
    expect(cart.lines.map(({ productId, quantity }) => [productId, quantity])).toEqual([
      ["cola", 2],
      ["bread", 1],
    ]);
    expect(totalsOf(cart)).toEqual({ totalCents: 620, taxCents: 48 + 21, pieces: 3 });
  });

  test("keeps the price that was said: a product whose price has changed gets a line of its own", () => {
    const cart = addProduct(addProduct(EMPTY_CART, cola), { ...cola, priceCents: 160 });
    expect(cart.lines.map(({ unitPriceCents }) => unitPriceCents)).toEqual([150, 160]);
    expect(quantityOf(cart, "cola")).toBe(2);
  });

  test("never gives a line's id to another one: a refund names lines", () => {
    const cart = addProduct(removeLine(addProduct(EMPTY_CART, cola), "1"), bread);
    expect(cart.lines.map(({ lineId }) => lineId)).toEqual(["2"]);
  });

  test("takes away a line whose quantity becomes nought, and holds quantities to what can be counted", () => {
    const cart = addProduct(EMPTY_CART, cola);
    expect(setQuantity(cart, "1", 0).lines).toEqual([]);
    expect(setQuantity(cart, "1", 123_456).lines[0]?.quantity).toBe(9_999);
    expect(setQuantity(cart, "1", 2.9).lines[0]?.quantity).toBe(2);
  });

  test("adds a tax that is not in the price, and takes out one that is", () => {
    const net = addProduct(EMPTY_CART, { ...cola, priceCents: 1_000, taxIncluded: false });
    expect(totalsOf(net)).toEqual({ totalCents: 1_190, taxCents: 190, pieces: 1 });
    const [line] = addProduct(EMPTY_CART, { ...cola, priceCents: 1_190 }).lines;
    expect(line && lineTax(line)).toBe(190);
  });
});

describe("a cart that was kept as text", () => {
  test("comes back as it was", () => {
    const cart = addProduct(EMPTY_CART, cola);
    expect(cartFromText(JSON.stringify(cart))).toEqual(cart);
  });

  test.each([null, "", "{}", "[]", "null", '{"lines":[{}],"nextLine":2}', '{"lines":[],"nextLine":"2"}'])(
    "is empty where it is none: %j",
    (text) => {
      expect(cartFromText(text)).toEqual(EMPTY_CART);
    },
  );
});
