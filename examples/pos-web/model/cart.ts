/** The cart: what is on the counter, and its total. Every step returns a new cart. */

/** What the cart keeps of a product. The price is the one at the time that it was added. */
export interface CartProduct {
  readonly id: string;
  readonly name: string;
  readonly sku: string;
  readonly priceCents: number;
  /** Basis points. */
  readonly taxRate: number;
  readonly taxIncluded: boolean;
}

export interface CartLine {
  readonly lineId: string;
  readonly productId: string;
  readonly name: string;
  readonly sku: string;
  readonly unitPriceCents: number;
  readonly taxRate: number;
  readonly taxIncluded: boolean;
  readonly quantity: number;
}

export interface Cart {
  readonly lines: readonly CartLine[];
  /** Line ids are never used twice within a sale: a refund names them. */
  readonly nextLine: number;
}

export interface Totals {
  readonly totalCents: number;
  /** The tax in the total. */
  readonly taxCents: number;
  readonly pieces: number;
}

export const EMPTY_CART: Cart = Object.freeze({ lines: [], nextLine: 1 });
export const MAX_QUANTITY = 9_999;
const WHOLE_BASIS_POINTS = 10_000;

/** Adds one. A product whose price has changed meanwhile gets a line of its own: the customer knows the first price. */
export function addProduct(cart: Cart, product: CartProduct, quantity = 1): Cart {
  const same = cart.lines.find((line) => line.productId === product.id && line.unitPriceCents === product.priceCents);
  if (same !== undefined) return setQuantity(cart, same.lineId, same.quantity + quantity);
  const { id, name, sku, priceCents, taxRate, taxIncluded } = product;
  const line: CartLine = {
    lineId: String(cart.nextLine),
    productId: id,
    name,
    sku,
    unitPriceCents: priceCents,
    taxRate,
    taxIncluded,
    quantity: clamp(quantity),
  };
  return { lines: [...cart.lines, line], nextLine: cart.nextLine + 1 };
}

/** Zero removes the line. */
export function setQuantity(cart: Cart, lineId: string, quantity: number): Cart {
  if (quantity <= 0) return removeLine(cart, lineId);
  const lines = cart.lines.map((line) => (line.lineId === lineId ? { ...line, quantity: clamp(quantity) } : line));
  return { ...cart, lines };
}

export function removeLine(cart: Cart, lineId: string): Cart {
  return { ...cart, lines: cart.lines.filter((line) => line.lineId !== lineId) };
}

/** The tax of a line: within its price, or on top of it. */
export function lineTax({ quantity, unitPriceCents, taxRate, taxIncluded }: CartLine): number {
  const gross = quantity * unitPriceCents;
  return Math.round((gross * taxRate) / (taxIncluded ? WHOLE_BASIS_POINTS + taxRate : WHOLE_BASIS_POINTS));
}

/** What the customer pays for the line. */
export function lineTotal(line: CartLine): number {
  return line.quantity * line.unitPriceCents + (line.taxIncluded ? 0 : lineTax(line));
}

export function totalsOf({ lines }: Pick<Cart, "lines">): Totals {
  return {
    totalCents: lines.reduce((sum, line) => sum + lineTotal(line), 0),
    taxCents: lines.reduce((sum, line) => sum + lineTax(line), 0),
    pieces: lines.reduce((sum, line) => sum + line.quantity, 0),
  };
}

/** What was typed as a quantity: a whole number, or why it is none. */
export function readQuantity(text: string): { readonly quantity: number } | { readonly refused: string } {
  const typed = text.trim();
  const quantity = /^\d+$/.test(typed) ? Number(typed) : Number.NaN;
  if (quantity <= MAX_QUANTITY) return { quantity };
  const what = typed === "" ? "Nothing" : `“${typed}”`;
  return { refused: `${what} is not a quantity: a line takes whole numbers up to ${MAX_QUANTITY.toLocaleString()}` };
}

/** How many of a product are in the cart, over all its lines. */
export function quantityOf({ lines }: Cart, productId: string): number {
  return lines.reduce((sum, line) => (line.productId === productId ? sum + line.quantity : sum), 0);
}

function clamp(quantity: number): number {
  return Math.min(MAX_QUANTITY, Math.max(1, Math.trunc(quantity)));
}

/** Reads a cart from text, after the page was loaded again. Any other text gives an empty cart. */
export function cartFromText(text: string | null): Cart {
  try {
    const { lines, nextLine } = JSON.parse(text ?? "") as Cart;
    const isCart = Number.isSafeInteger(nextLine) && Array.isArray(lines) && lines.every(isLine);
    return isCart ? { lines, nextLine } : EMPTY_CART;
  } catch {
    return EMPTY_CART;
  }
}

function isLine(line: CartLine): boolean {
  const { lineId, productId, name, sku, unitPriceCents, taxRate, taxIncluded, quantity } = line;
  return (
    [lineId, productId, name, sku].every((text) => typeof text === "string") &&
    [unitPriceCents, taxRate, quantity].every(Number.isSafeInteger) &&
    typeof taxIncluded === "boolean" &&
    quantity > 0
  );
}
