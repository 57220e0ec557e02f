/** The products of the demo shop. Prices and barcodes are made up. */

export const categories = [
  { id: "drinks", name: "Drinks", position: 1 },
  { id: "bakery", name: "Bakery", position: 2 },
  { id: "fruit", name: "Fruit & veg", position: 3 },
  { id: "pantry", name: "Pantry", position: 4 },
  { id: "dairy", name: "Dairy", position: 5 },
  { id: "household", name: "Household", position: 6 },
];

export const settings = [
  { id: "shopName", value: "Corner Shop" },
  { id: "currency", value: "EUR" },
];

const REDUCED = 700;
const FULL = 1_900;

export const products = [
  product("cola", "Cola 500 ml", "drinks", 150, 48, "4000000000013", FULL),
  product("water", "Water 1 l", "drinks", 90, 60, "4000000000020", FULL),
  product("coffee", "Coffee beans 500 g", "pantry", 890, 12, "4000000000037"),
  product("sugar", "Sugar 1 kg", "pantry", 139, 30, "4000000000044"),
  product("bread", "Rye bread", "bakery", 320, 8, "4000000000051"),
  product("juice", "Orange juice 1 l", "drinks", 249, 18, "4000000000068", FULL),
  product("lemonade", "Lemonade 330 ml", "drinks", 120, 36, "4000000000075", FULL),
  product("tea", "Iced tea 500 ml", "drinks", 165, 4, "4000000000082", FULL),
  product("roll", "Bread roll", "bakery", 45, 40, "4000000000099"),
  product("croissant", "Butter croissant", "bakery", 135, 14, "4000000000105"),
  product("cake", "Carrot cake, slice", "bakery", 295, 3, "4000000000112"),
  product("banana", "Bananas, bunch", "fruit", 179, 22, "4000000000129"),
  product("apple", "Apples 1 kg", "fruit", 299, 15, "4000000000136"),
  product("tomato", "Tomatoes 500 g", "fruit", 219, 0, "4000000000143"),
  product("potato", "Potatoes 2.5 kg", "fruit", 349, 11, "4000000000150"),
  product("pasta", "Spaghetti 500 g", "pantry", 119, 44, "4000000000167"),
  product("rice", "Basmati rice 1 kg", "pantry", 329, 16, "4000000000174"),
  product("oil", "Olive oil 750 ml", "pantry", 1_090, 7, "4000000000181"),
  product("chocolate", "Dark chocolate 100 g", "pantry", 189, 26, "4000000000198"),
  product("milk", "Whole milk 1 l", "dairy", 115, 24, "4000000000204"),
  product("butter", "Butter 250 g", "dairy", 239, 9, "4000000000211"),
  product("cheese", "Gouda 200 g", "dairy", 279, 13, "4000000000228"),
  product("cream", "Crème fraîche 200 g", "dairy", 99, 5, "4000000000235"),
  product("soap", "Dish soap 500 ml", "household", 149, 10, "4000000000242", FULL),
  product("paper", "Kitchen paper, 4 rolls", "household", 299, 12, "4000000000259", FULL),
  product("battery", "Batteries AA, 4 pieces", "household", 449, 6, "4000000000266", FULL),
];

function product(
  id: string,
  name: string,
  categoryId: string,
  priceCents: number,
  stock: number,
  barcode: string,
  taxRate = REDUCED,
) {
  return { id, sku: id.toUpperCase(), name, categoryId, priceCents, stock, barcodes: [barcode], taxRate };
}
