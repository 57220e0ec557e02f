/** The products, one tap each. */
import { type Cart, quantityOf } from "../model/cart.ts";
import { colourOf, monogram, stockLevel } from "../model/catalog.ts";
import { formatMoney } from "../model/money.ts";
import type { Category, Product } from "../till/client.ts";
import { h, keyedList, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { oneTabStop } from "./one-tab-stop.ts";

interface GridOptions {
  readonly currency: string;
  readonly pick: (product: Product) => void;
}
interface GridContent {
  readonly products: readonly Product[];
  readonly categories: readonly Category[];
  readonly cart: Cart;
  readonly empty: string;
  readonly hasMore: boolean;
}

export function productGrid({ currency, pick }: GridOptions) {
  const list = h("ul", { class: "tiles", "aria-label": "Products", role: "toolbar" });
  const stop = oneTabStop(list);
  const emptyText = h("p", {});
  const empty = h("div", { class: "empty", hidden: true }, icon("search"), emptyText);
  const more = h(
    "p",
    { class: "muted hint", hidden: true },
    "There are more products than are shown here. Scan them, or type the whole barcode.",
  );
  let content: GridContent | undefined;

  const render = keyedList<Product>(list, {
    key: ({ id }) => id,
    make(first) {
      let product = first;
      const name = h("span", { class: "tile-name" });
      const price = h("span", { class: "tile-price" });
      const stock = h("span", { class: "tile-stock" });
      const mark = h("span", { class: "tile-mark", "aria-hidden": "true" });
      const badge = h("span", { class: "tile-badge", "aria-hidden": "true", hidden: true });
      const taken = h("span", { class: "visually-hidden" });
      const button = h(
        "button",
        { type: "button", class: "tile", onclick: () => pick(product) },
        h("span", { class: "tile-top" }, mark, badge),
        name,
        h("span", { class: "tile-foot" }, price, stock),
        taken,
      );
      return {
        element: h("li", { role: "none" }, button),
        update(next) {
          product = next;
          const inCart = content === undefined ? 0 : quantityOf(content.cart, product.id);
          const level = stockLevel(product.stock);
          const left = level === "out" ? "none left" : `${product.stock.toLocaleString()} left`;
          const money = formatMoney(product.priceCents, currency);
          setText(name, product.name);
          setText(price, money);
          setText(stock, left);
          setText(mark, monogram(product.name));
          setText(badge, String(inCart));
          badge.hidden = inCart === 0;
          stock.dataset.level = level;
          button.dataset.colour = String(colourOf(content?.categories ?? [], product.categoryId));
          setText(taken, inCart === 0 ? "" : `${inCart} in the cart`);
        },
      };
    },
  });

  const element = h("div", { class: "tiles-box" }, list, empty, more);
  return {
    element,
    /** A different list is scrolled to its beginning. */
    toTop(): void {
      element.scrollTop = 0;
    },
    render(next: GridContent): void {
      content = next;
      render(next.products);
      stop.refresh();
      empty.hidden = next.products.length > 0;
      setText(emptyText, next.empty);
      more.hidden = !next.hasMore;
    },
  };
}
