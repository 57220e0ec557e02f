/** Selling: products on one side, the cart on the other. */
import { addProduct, quantityOf, totalsOf } from "../model/cart.ts";
import { filterProducts, looksLikeBarcode } from "../model/catalog.ts";
import { formatMoney } from "../model/money.ts";
import { counted } from "../model/when.ts";
import type { Category, Product } from "../till/client.ts";
import { notify, say } from "./announce.ts";
import { cartPanel } from "./cart-panel.ts";
import { categoryBar } from "./category-bar.ts";
import { openCheckout } from "./checkout.ts";
import { h, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { productGrid } from "./product-grid.ts";
import { listenToScanner } from "./scanner.ts";
import type { Counter } from "./shell.ts";

/** How many products are searched while a person types. A barcode also finds others. */
const MAX_LISTED = 1_000;

export function sellPage(counter: Counter): View {
  const { till, cart, shop } = counter;
  const { products, categories } = till.collections;
  /** `undefined`: not read yet, which is not the same as a shop without products. */
  let all: readonly Product[] | undefined;
  let groups: readonly Category[] = [];
  let categoryId: string | undefined;
  let hasMore = false;

  const put = (product: Product) => {
    const before = quantityOf(cart.cart, product.id);
    cart.change((current) => addProduct(current, product));
    if (quantityOf(cart.cart, product.id) === before) {
      notify(`A line takes no more than ${before.toLocaleString()}. ${product.name} was not added.`);
      return;
    }
    const total = formatMoney(totalsOf(cart.cart).totalCents, shop.currency);
    say(`${product.name}, ${quantityOf(cart.cart, product.id)} in the cart. Total ${total}`);
  };
  const scan = async (code: string) => {
    const product = await products.first({ index: "barcode", equals: code });
    if (product === undefined) notify(`No product has the barcode ${code}`);
    else put(product);
  };

  const search = h("input", {
    id: "search",
    type: "search",
    autocomplete: "off",
    enterkeyhint: "search",
    placeholder: "Search, or scan a barcode",
    "aria-label": "Search products, or scan a barcode",
    "aria-keyshortcuts": "F2",
    oninput() {
      render();
      grid.toTop();
    },
  });
  const found = h("p", { class: "visually-hidden", role: "status" });
  const grid = productGrid({ currency: shop.currency, pick: put });
  const bar = categoryBar((id) => {
    categoryId = id;
    search.value = "";
    render();
    grid.toTop();
  });
  const pay = () => {
    if (cart.cart.lines.length > 0) openCheckout(counter);
  };
  const panel = cartPanel(counter, pay);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const text = search.value.trim();
    const matches = filterProducts(all ?? [], { text, categoryId: undefined });
    if (looksLikeBarcode(text)) await scan(text);
    else if (text !== "" && matches.length === 1 && matches[0] !== undefined) put(matches[0]);
    else return;
    search.value = "";
    render();
  };

  const render = () => {
    if (all === undefined) return;
    const shown = filterProducts(all, { text: search.value, categoryId });
    bar.render(groups, categoryId);
    grid.render({ products: shown, categories: groups, cart: cart.cart, empty: emptyWords(), hasMore });
    if (search.value !== "") setText(found, `${counted(shown.length, "product")} found`);
  };
  const emptyWords = () => {
    if (all?.length === 0) return "This shop has no products yet. The office adds them.";
    return search.value.trim() === "" ? "No products in this category." : `Nothing matches “${search.value.trim()}”.`;
  };

  const keys = (event: KeyboardEvent) => {
    if (document.querySelector("dialog[open]") !== null) return;
    if (event.key === "F2") search.focus();
    else if (event.key === "F4") pay();
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", keys);
  const stops = [
    products.watch({ index: "status", equals: "active", limit: MAX_LISTED }, ({ rows, more, loading }) => {
      if (loading) return;
      all = rows;
      hasMore = more;
      render();
    }),
    categories.watch({ index: "position", limit: 100 }, ({ rows, loading }) => {
      if (loading) return;
      groups = rows;
      render();
    }),
    cart.subscribe(() => render()),
    listenToScanner((code) => void scan(code)),
    () => removeEventListener("keydown", keys),
  ];

  const element = h(
    "div",
    { class: "sell" },
    h("h1", { class: "visually-hidden" }, "Sell"),
    h(
      "section",
      { class: "catalogue", "aria-label": "Products" },
      h(
        "form",
        { class: "search", role: "search", onsubmit: (event: SubmitEvent) => void submit(event) },
        icon("search"),
        search,
        h("kbd", { "aria-hidden": "true" }, "F2"),
      ),
      bar.element,
      found,
      grid.element,
    ),
    panel.element,
  );
  return {
    element,
    close() {
      for (const stop of stops) stop();
      panel.close();
    },
  };
}
