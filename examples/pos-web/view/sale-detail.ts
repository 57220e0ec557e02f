/** One sale: its state, its receipt, and refunds. */
import type { RecordMeta } from "tillsync";
import { formatMoney } from "../model/money.ts";
import { refundable } from "../model/refund.ts";
import { flagWords, saleState } from "../model/sale-words.ts";
import type { Payment, Refund, Sale } from "../till/client.ts";
import { fill, h, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { printReceipt, receiptElement } from "./receipt.ts";
import { openRefund } from "./refund-dialog.ts";
import type { Counter } from "./shell.ts";

const MAX_ROWS = 50;

export interface SaleDetail extends View {
  readonly print: HTMLButtonElement;
  readonly refund: HTMLButtonElement;
}

export function saleDetail(counter: Counter, saleId: string): SaleDetail {
  const { till, shop } = counter;
  const { sales, payments, refunds, users } = till.collections;
  const state = h("div", { class: "sale-state", role: "status" });
  const paper = h("div", { class: "paper" });
  const print = h(
    "button",
    { type: "button", class: "button", disabled: true, onclick: printNow },
    icon("print"),
    "Print",
  );
  const back = h(
    "button",
    { type: "button", class: "button", disabled: true, onclick: giveBack },
    icon("refund"),
    "Refund",
  );

  let sale: Sale | undefined;
  let meta: RecordMeta | undefined;
  let isRead = false;
  let paid: readonly Payment[] = [];
  let given: readonly { readonly refund: Refund; readonly meta: RecordMeta }[] = [];
  let cashier: string | undefined;

  const render = () => {
    if (!isRead) return;
    if (sale === undefined) {
      fill(
        paper,
        h("p", { class: "muted" }, "This till does not have the sale. It may be another branch's, or not here yet."),
      );
      return;
    }
    const words = saleState(meta);
    const refunded = given.map((entry) => entry.refund);
    const next = h(
      "div",
      {},
      h(
        "p",
        { class: "state-line" },
        stateTag(words.tone, words.label),
        sale.orderNumber !== undefined && h("strong", {}, sale.orderNumber),
      ),
      h("p", { class: "muted" }, words.detail),
      ...(meta?.flags ?? []).map((flag) => h("p", { class: "notice" }, flagWords(flag))),
      ...given.flatMap(refundLines),
    );
    // Only if the text differs: a screen reader reads it.
    if (next.textContent !== state.textContent) state.replaceChildren(...next.childNodes);
    fill(paper, receiptElement({ shop, sale, payments: paid, refunds: refunded, cashier, state: words.onReceipt }));
    print.disabled = false;
    back.disabled = refundable(sale.items, refunded).every(({ left }) => left === 0);
  };

  function refundLines(entry: (typeof given)[number]): HTMLElement[] {
    const { tone, label } = saleState(entry.meta);
    const amount = h("strong", {}, `Refund of ${formatMoney(entry.refund.totalCents, shop.currency)}`);
    const flags = entry.meta.flags.map((flag) => h("p", { class: "notice" }, flagWords(flag)));
    return [h("p", { class: "state-line" }, stateTag(tone, label), amount), ...flags];
  }
  function printNow(): void {
    const receipt = paper.querySelector<HTMLElement>(".receipt");
    if (receipt !== null) printReceipt(receipt);
  }
  function giveBack(): void {
    if (sale !== undefined)
      openRefund(
        counter,
        sale,
        given.map(({ refund }) => refund),
      );
  }

  let stopUser = () => {};
  const stops = [
    sales.watch({ ids: [saleId], limit: 1 }, (snapshot) => {
      if (snapshot.loading) return;
      const [row] = snapshot.rows;
      const isNew = sale === undefined && row !== undefined;
      isRead = true;
      sale = row;
      meta = row && snapshot.meta(row.id);
      const { cashierId } = row ?? {};
      if (isNew && cashierId !== undefined) {
        stopUser = users.watch({ ids: [cashierId], limit: 1 }, ({ rows: [user] }) => {
          cashier = user?.name;
          render();
        });
      }
      render();
    }),
    payments.watch({ index: "sale", equals: saleId, limit: MAX_ROWS }, ({ rows }) => {
      paid = rows;
      render();
    }),
    refunds.watch({ index: "sale", equals: saleId, limit: MAX_ROWS }, (snapshot) => {
      given = snapshot.rows.map((refund) => ({ refund, meta: snapshot.meta(refund.id) }));
      render();
    }),
    () => stopUser(),
  ];
  const element = h("div", { class: "sale-detail" }, state, paper);
  return {
    element,
    print,
    refund: back,
    close() {
      for (const stop of stops) stop();
    },
  };
}

export function stateTag(tone: string, label: string): HTMLElement {
  return h("span", { class: "tag", "data-tone": tone }, label);
}
