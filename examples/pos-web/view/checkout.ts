/** Paying: cash with change, or card. The sale is complete when it is on disk, and not before. */
import { totalsOf } from "../model/cart.ts";
import { tender, usualTenders } from "../model/cash.ts";
import { notSavedWords } from "../model/fault-words.ts";
import { formatMoney, minorPerMajor, parseMoney } from "../model/money.ts";
import { recordSale } from "../till/sell.ts";
import { readSession } from "../till/stored.ts";
import { say } from "./announce.ts";
import { setBusy } from "./busy.ts";
import { choice } from "./choice.ts";
import { openDialog } from "./dialog.ts";
import { fill, h, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { keypad } from "./keypad.ts";
import { openReceipt } from "./receipt-dialog.ts";
import type { Counter } from "./shell.ts";

export function openCheckout(counter: Counter): void {
  const { till, cart, shop, session } = counter;
  // A copy: what is paid for is what is recorded, even if the cart changes meanwhile.
  const bought = cart.cart;
  const { totalCents } = totalsOf(bought);
  const saleId = crypto.randomUUID();
  const money = (cents: number) => formatMoney(cents, shop.currency);
  let method: "cash" | "card" = "cash";
  let isSaving = false;

  const given = h("input", {
    id: "given",
    class: "given",
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder: money(totalCents),
    oninput: () => render(),
  });
  const change = h("output", { class: "change", for: "given", "aria-live": "polite" });
  const fault = h("p", { class: "fault", role: "alert" });
  const confirmText = h("span", {}, "Record the sale");
  const confirm = h(
    "button",
    { type: "submit", form: "checkout-form", class: "button primary pay" },
    icon("check"),
    confirmText,
  );
  const set = (text: string) => {
    given.value = text;
    render();
  };
  const digits = Math.round(Math.log10(minorPerMajor(shop.currency)));
  const plain = (cents: number) => (cents / minorPerMajor(shop.currency)).toFixed(digits);
  const tenders = usualTenders(totalCents, shop.currency).map((cents, index) =>
    h(
      "button",
      { type: "button", class: "button", onclick: () => set(plain(cents)) },
      index === 0 ? "Exact" : money(cents),
    ),
  );
  const cash = h(
    "div",
    { class: "cash" },
    h(
      "div",
      { class: "cash-given" },
      h("label", { for: "given" }, "Given by the customer"),
      given,
      h("div", { class: "tenders", role: "group", "aria-label": "Usual amounts" }, ...tenders),
      change,
    ),
    keypad(given, () => render()),
  );
  const card = h(
    "div",
    { class: "card-hint" },
    icon("card"),
    h("p", {}, `Take ${money(totalCents)} on the card terminal. Record the sale when it says “approved”.`),
  );

  const tendered = () => (given.value.trim() === "" ? totalCents : parseMoney(given.value, shop.currency));
  const render = () => {
    // Hidden and not removed: a removed field loses the focus while the cashier types.
    cash.hidden = method !== "cash";
    card.hidden = method !== "card";
    const cents = method === "cash" ? tendered() : totalCents;
    const result = cents === undefined ? undefined : tender(totalCents, cents);
    change.dataset.kind = result?.kind ?? "short";
    fill(change, ...changeWords(result, money));
    confirm.disabled = result?.kind !== "enough";
    setBusy(confirm, isSaving);
    setText(confirmText, isSaving ? "Recording…" : "Record the sale");
  };

  const save = async () => {
    const tenderedCents = method === "cash" ? tendered() : totalCents;
    if (isSaving || tenderedCents === undefined || tenderedCents < totalCents) return;
    isSaving = true;
    setText(fault, "");
    render();
    try {
      const { currency } = shop;
      const deal = {
        saleId,
        cart: bought,
        method,
        tenderedCents,
        currency,
        branchId: session.branch,
        cashierId: readSession()?.userId,
      };
      const sale = await recordSale(till, deal);
      isSaving = false;
      cart.clear();
      dialog.close();
      say(`Sale recorded. Change ${money(tenderedCents - totalCents)}`);
      openReceipt(counter, sale.id, tenderedCents - totalCents);
    } catch (error) {
      isSaving = false;
      setText(fault, `The sale is NOT recorded. Give no receipt and no change. ${notSavedWords(error)}`);
      render();
    }
  };

  const methods = choice({
    label: "Paid by",
    options: [
      { value: "cash", label: "Cash", icon: "cash" },
      { value: "card", label: "Card", icon: "card" },
    ],
    value: method,
    choose(value) {
      method = value;
      render();
      if (method === "cash") given.focus();
    },
  });
  const body = h(
    "form",
    {
      id: "checkout-form",
      class: "dialog-body",
      onsubmit(event: SubmitEvent) {
        event.preventDefault();
        void save();
      },
    },
    h("p", { class: "to-pay" }, h("span", {}, "To pay"), h("strong", {}, money(totalCents))),
    methods,
    cash,
    card,
  );
  const dialog = openDialog({
    title: "Checkout",
    className: "checkout-dialog",
    body,
    foot: h("footer", { class: "dialog-foot" }, fault, confirm),
    mayClose: () => !isSaving,
  });
  render();
  given.focus();
}

function changeWords(result: ReturnType<typeof tender> | undefined, money: (cents: number) => string): Node[] {
  if (result === undefined) return [h("span", {}, "That is no amount"), h("strong", {}, "–")];
  if (result.kind === "short") return [h("span", {}, "Still missing"), h("strong", {}, money(result.missingCents))];
  return [h("span", {}, "Change"), h("strong", {}, money(result.changeCents))];
}
