/** Finding products: by category, by what is typed, by barcode. */

export interface Findable {
  readonly name: string;
  readonly sku: string;
  readonly barcodes: readonly string[];
  readonly categoryId?: string | undefined;
}

/**
 * `undefined` is every category. Each word must be in the name, the SKU or the start of a barcode; case and accents
 * don't matter.
 */
export function filterProducts<P extends Findable>(
  products: readonly P[],
  wanted: { readonly text: string; readonly categoryId: string | undefined },
): readonly P[] {
  const words = fold(wanted.text).split(/\s+/).filter(Boolean);
  // A person who types looks for a product in any category: a category that was chosen before must not hide it.
  const categoryId = words.length > 0 ? undefined : wanted.categoryId;
  return products.filter(
    (product) =>
      (categoryId === undefined || product.categoryId === categoryId) && words.every((word) => matches(product, word)),
  );
}

function matches({ name, sku, barcodes }: Findable, word: string): boolean {
  return fold(name).includes(word) || fold(sku).includes(word) || barcodes.some((code) => code.startsWith(word));
}

export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

/** Digits only, of the length of barcodes: EAN-8, UPC-A, EAN-13, GTIN-14. */
export function looksLikeBarcode(text: string): boolean {
  return /^\d{8,14}$/.test(text.trim());
}

export type StockLevel = "out" | "low" | "plenty";
const LOW_STOCK = 5;

/** The stock as this till knows it. It may be wrong, as other tills may be offline, so it never stops a sale. */
export function stockLevel(stock: number): StockLevel {
  if (stock <= 0) return "out";
  return stock <= LOW_STOCK ? "low" : "plenty";
}

const COLOURS = 8;

/** The colour of a category, always the same. */
export function colourOf(categories: readonly { readonly id: string }[], categoryId: string | undefined): number {
  const place = categories.findIndex(({ id }) => id === categoryId);
  return place < 0 ? 0 : (place % COLOURS) + 1;
}

/** Two letters for a product without a picture, from its name without the size: `Cola 500 ml` is CO. */
export function monogram(name: string): string {
  const [first = "?", second] = name.split(/\s+/).filter((word) => /^\p{L}{3}/u.test(word));
  return (second === undefined ? first.slice(0, 2) : first.slice(0, 1) + second.slice(0, 1)).toUpperCase();
}
