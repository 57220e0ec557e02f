/** The receipt, as it is printed. It says whether the server has the sale. */
import { formatMoney } from "../model/money.ts";
import { taxByRate } from "../model/tax.ts";
import { dateAndTime } from "../model/when.ts";
import type { Payment, Refund, Sale } from "../till/client.ts";
import type { ShopFacts } from "../till/shop-facts.ts";
import { h } from "./dom.ts";

export interface ReceiptContent {
  readonly shop: ShopFacts;
  readonly sale: Sale;
  readonly payments: readonly Payment[];
  readonly refunds: readonly Refund[];
  readonly cashier: string | undefined;
  /** Printed as long as there is no order number. */
  readonly state: string;
}

export function receiptElement({ shop, sale, payments, refunds, cashier, state }: ReceiptContent): HTMLElement {
  const money = (cents: number) => formatMoney(cents, sale.currency);
  const row = (label: string, value: string, className?: string) =>
    h(
      "div",
      { class: `receipt-row${className === undefined ? "" : ` ${className}`}` },
      h("span", {}, label),
      h("span", {}, value),
    );
  const [payment] = payments;
  return h(
    "article",
    { class: "receipt", "aria-label": `Receipt ${sale.receiptNumber ?? ""}` },
    h("header", {}, h("strong", {}, shop.name), h("span", {}, dateAndTime(sale.soldAt))),
    row("Receipt", sale.receiptNumber ?? "–"),
    row("Order", sale.orderNumber ?? "not yet"),
    cashier !== undefined && row("Served by", cashier),
    h("hr", {}),
    ...sale.items.map((item) =>
      h(
        "div",
        { class: "receipt-line" },
        h("span", {}, item.name),
        h("span", { class: "receipt-unit" }, `${item.quantity} × ${money(item.unitPriceCents)}`),
        h("span", { class: "receipt-sum" }, money(item.quantity * item.unitPriceCents - item.discountCents)),
      ),
    ),
    h("hr", {}),
    row("Total", money(sale.totalCents), "receipt-total"),
    ...taxByRate(sale.items).map(({ rate, cents }) => row(`Tax ${(rate / 100).toLocaleString()} %`, money(cents))),
    payment !== undefined &&
      row(payment.method === "cash" ? "Cash" : "Card", money(payment.tenderedCents ?? payment.amountCents)),
    payment !== undefined && payment.changeCents > 0 && row("Change", money(payment.changeCents)),
    ...refunds.map((refund) => row(`Refunded ${dateAndTime(refund.refundedAt)}`, money(-refund.totalCents))),
    h("hr", {}),
    h("footer", {}, sale.orderNumber === undefined ? state : `Order ${sale.orderNumber}`, h("br", {}), "Thank you!"),
  );
}

/** Prints this receipt and nothing else of the page. */
export function printReceipt(receipt: HTMLElement): void {
  const sheet = h("div", { id: "print" });
  sheet.append(receipt.cloneNode(true));
  document.body.append(sheet);
  addEventListener("afterprint", () => sheet.remove(), { once: true });
  print();
}
