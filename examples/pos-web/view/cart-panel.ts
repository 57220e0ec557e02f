/** The cart: lines, quantities, the total, and the way to pay. */
import {
  type CartLine,
  lineTotal,
  MAX_QUANTITY,
  readQuantity,
  removeLine,
  setQuantity,
  totalsOf,
} from "../model/cart.ts";
import { formatMoney } from "../model/money.ts";
import { counted } from "../model/when.ts";
import { notify, say } from "./announce.ts";
import { h, keyedList, setAttribute, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Counter } from "./shell.ts";

export function cartPanel({ cart, shop }: Counter, pay: () => void): View {
  const money = (cents: number) => formatMoney(cents, shop.currency);
  const heading = h("h2", { id: "cart", tabindex: -1 }, "Cart");
  const pieces = h("span", { class: "muted" });
  const clear = h(
    "button",
    { type: "button", class: "button quiet small", onclick: empty, "aria-label": "Clear the cart" },
    "Clear",
  );
  const list = h("ul", { class: "cart-lines", "aria-label": "In the cart" });
  const hint = h("div", { class: "empty" }, icon("cart"), h("p", {}, "Tap a product, or scan its barcode."));
  const tax = h("dd", {});
  const total = h("dd", { class: "total" });
  const amount = h("span", {});
  const toCart = h("a", { class: "button quiet to-cart", href: "#cart", onclick: showCart }, icon("cart"));
  const inCart = h("span", {});
  toCart.append(inCart);
  const button = h(
    "button",
    { type: "button", class: "button primary pay", "aria-keyshortcuts": "F4", onclick: pay },
    h("span", {}, "Pay"),
    amount,
  );

  // On a phone the cart is below the products. The address stays the page's: the till reads its route from it.
  function showCart(event: MouseEvent): void {
    event.preventDefault();
    element.querySelector(".cart-head")?.scrollIntoView({ block: "start" });
    heading.focus({ preventScroll: true });
  }
  function empty(): void {
    cart.clear();
    say("The cart is empty");
  }

  const render = keyedList<CartLine>(list, {
    key: ({ lineId }) => lineId,
    make: (first) =>
      lineRow(first, money, {
        set: (lineId, quantity) => cart.change((before) => setQuantity(before, lineId, quantity)),
        remove(line) {
          cart.change((before) => removeLine(before, line.lineId));
          say(`${line.name} removed. Total ${money(totalsOf(cart.cart).totalCents)}`);
          // Its button is removed with it: the focus moves to the next line, or to the products.
          (list.querySelector<HTMLElement>("button") ?? document.getElementById("search"))?.focus();
        },
      }),
  });

  let count = 0;
  const stop = cart.subscribe((next) => {
    const totals = totalsOf(next);
    const isEmpty = next.lines.length === 0;
    render(next.lines);
    hint.hidden = !isEmpty;
    list.hidden = isEmpty;
    clear.hidden = isEmpty;
    button.disabled = isEmpty;
    setText(pieces, isEmpty ? "" : counted(totals.pieces, "item"));
    setText(inCart, counted(totals.pieces, "item"));
    setText(tax, money(totals.taxCents));
    setText(total, money(totals.totalCents));
    setText(amount, isEmpty ? "" : money(totals.totalCents));
    // Only the list is scrolled: `scrollIntoView` would take a whole phone's page away from under the finger.
    if (next.lines.length > count) list.scrollTop = list.scrollHeight;
    count = next.lines.length;
  });

  const element = h(
    "aside",
    { class: "cart", "aria-label": "Cart" },
    h("header", { class: "cart-head" }, heading, pieces, clear),
    hint,
    list,
    h("dl", { class: "sums" }, h("dt", {}, "Tax in it"), tax, h("dt", { class: "total" }, "Total"), total),
    h("footer", { class: "cart-foot" }, toCart, button),
  );
  return { element, close: stop };
}

interface LineActions {
  readonly set: (lineId: string, quantity: number) => void;
  readonly remove: (line: CartLine) => void;
}

function lineRow(first: CartLine, money: (cents: number) => string, { set, remove }: LineActions) {
  let line = first;
  const name = h("span", { class: "line-name" });
  const unit = h("span", { class: "muted" });
  const sum = h("span", { class: "line-sum" });
  const step = (by: number) => {
    const wanted = line.quantity + by;
    if (wanted < 1) remove(line);
    else if (wanted > MAX_QUANTITY) refuse(readQuantity(String(wanted)));
    else set(line.lineId, wanted);
  };
  const less = h("button", { type: "button", class: "button square", onclick: () => step(-1) });
  const more = h("button", { type: "button", class: "button square", onclick: () => step(1) }, icon("plus"));
  const field = h("input", {
    class: "quantity",
    type: "text",
    inputmode: "numeric",
    onchange: commit,
    onfocus: () => field.select(),
  });

  function commit(): void {
    const read = readQuantity(field.value);
    if ("refused" in read) refuse(read);
    else if (read.quantity === 0) remove(line);
    else set(line.lineId, read.quantity);
    field.value = String(line.quantity);
  }
  function refuse(read: ReturnType<typeof readQuantity>): void {
    if ("refused" in read) notify(`${read.refused}. ${line.name} stays at ${line.quantity}.`);
  }
  const element = h(
    "li",
    { class: "cart-line" },
    h("div", { class: "line-text" }, name, unit),
    h("div", { class: "stepper", role: "group" }, less, field, more),
    sum,
  );
  return {
    element,
    update(next: CartLine): void {
      const before = line;
      line = next;
      setText(name, line.name);
      setText(unit, `${money(line.unitPriceCents)} each`);
      setText(sum, money(lineTotal(line)));
      field.defaultValue = String(line.quantity);
      if (field.value !== field.defaultValue) field.value = field.defaultValue;
      const isLast = line.quantity === 1;
      if (before.quantity === 1 || isLast || less.childElementCount === 0)
        less.replaceChildren(icon(isLast ? "trash" : "minus"));
      setAttribute(less, "aria-label", isLast ? `Remove ${line.name}` : `One ${line.name} less`);
      setAttribute(more, "aria-label", `One more ${line.name}`);
      setAttribute(field, "aria-label", `Quantity of ${line.name}`);
    },
  };
}
