/** After the sale: the change, the receipt, and on to the next customer. */
import { formatMoney } from "../model/money.ts";
import { openDialog } from "./dialog.ts";
import { h } from "./dom.ts";
import { saleDetail } from "./sale-detail.ts";
import type { Counter } from "./shell.ts";

export function openReceipt(counter: Counter, saleId: string, changeCents: number): void {
  const detail = saleDetail(counter, saleId);
  const next = h("button", { type: "button", class: "button primary", onclick: () => dialog.close() }, "Next customer");
  const dialog = openDialog({
    title: "Sale recorded",
    className: "receipt-dialog",
    body: h(
      "div",
      // A long receipt is scrolled with the keyboard, too.
      { class: "dialog-body", tabindex: 0, role: "region", "aria-label": "Change and receipt" },
      changeCents > 0 &&
        h(
          "p",
          { class: "to-pay good" },
          h("span", {}, "Change to give"),
          h("strong", {}, formatMoney(changeCents, counter.shop.currency)),
        ),
      detail.element,
    ),
    foot: h("footer", { class: "dialog-foot" }, detail.print, next),
    scanCloses: true,
    closed: () => detail.close(),
  });
  next.focus();
}
