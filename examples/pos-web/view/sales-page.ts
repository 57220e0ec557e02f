/** The sales of this branch, newest first, and the details of one. */
import type { QuerySnapshot } from "tillsync";
import { formatMoney } from "../model/money.ts";
import { saleNumber, saleState } from "../model/sale-words.ts";
import { clockTime, counted, dayName, dayOf } from "../model/when.ts";
import type { Sale } from "../till/client.ts";
import { h, keyedList, setAttribute, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { saleDetail } from "./sale-detail.ts";
import type { Counter } from "./shell.ts";

const PAGE_ROWS = 50;

interface Entry {
  readonly sale: Sale;
  readonly tone: string;
  readonly state: string;
  /** Above the first sale of a day. */
  readonly day: string | undefined;
}

export function salesPage(counter: Counter, saleId: string | undefined): View {
  const { till, go } = counter;
  let limit = PAGE_ROWS;
  const list = h("ol", { class: "sales-list" });
  const emptyText = h("p", {});
  const empty = h("div", { class: "empty", hidden: true }, icon("receipt"), emptyText);
  const more = h(
    "button",
    { type: "button", class: "button wide", hidden: true, onclick: () => watch(limit + PAGE_ROWS) },
    "Older sales",
  );
  const detail = saleId === undefined ? undefined : saleDetail(counter, saleId);

  const render = keyedList<Entry>(list, {
    key: ({ sale }) => sale.id,
    make: ({ sale }) => saleRow(sale.id === saleId, () => go({ page: "sales", saleId: sale.id })),
  });
  const show = (snapshot: QuerySnapshot<Sale>) => {
    if (snapshot.loading) return;
    render(entriesOf(snapshot));
    empty.hidden = snapshot.rows.length > 0;
    setText(
      emptyText,
      snapshot.complete
        ? "No sales yet. They appear here as they are made."
        : "Sales of the other tills have not arrived yet.",
    );
    more.hidden = !snapshot.more;
  };
  let stop = () => {};
  function watch(rows: number): void {
    limit = rows;
    stop();
    stop = till.collections.sales.watch({ index: "soldAt", reverse: true, limit }, show);
  }
  watch(limit);

  const element = h(
    "div",
    { class: `sales${detail === undefined ? "" : " has-detail"}` },
    h("section", { class: "sales-side" }, h("h1", {}, "Sales"), empty, list, more),
    h(
      "section",
      { class: "sales-main", "aria-label": "The sale" },
      detail !== undefined &&
        h(
          "button",
          { type: "button", class: "button quiet back", onclick: () => go({ page: "sales", saleId: undefined }) },
          icon("back"),
          "All sales",
        ),
      detail !== undefined && h("div", { class: "actions sale-actions" }, detail.print, detail.refund),
      detail?.element ?? h("div", { class: "empty" }, icon("receipt"), h("p", {}, "Choose a sale to see its receipt.")),
    ),
  );
  return {
    element,
    close() {
      stop();
      detail?.close();
    },
  };
}

function entriesOf({ rows, meta }: QuerySnapshot<Sale>): readonly Entry[] {
  const now = Date.now();
  return rows.map((sale, index) => {
    const { tone, label } = saleState(meta(sale.id));
    const above = rows[index - 1];
    const isFirst = above === undefined || dayOf(above.soldAt) !== dayOf(sale.soldAt);
    return { sale, tone, state: label, day: isFirst ? dayName(sale.soldAt, now) : undefined };
  });
}

function saleRow(isChosen: boolean, open: () => void) {
  const day = h("h2", { class: "day" });
  const time = h("span", { class: "sale-time" });
  const number = h("span", { class: "sale-number" });
  const what = h("span", { class: "muted" });
  const sum = h("span", { class: "sale-sum" });
  const tag = h("span", { class: "tag" });
  const button = h(
    "button",
    { type: "button", class: "sale-row", "aria-current": isChosen ? "true" : undefined, onclick: open },
    time,
    h("span", { class: "sale-text" }, number, what),
    h("span", { class: "sale-right" }, sum, tag),
  );
  return {
    element: h("li", {}, day, button),
    update({ sale, tone, state, day: name }: Entry): void {
      day.hidden = name === undefined;
      setText(day, name ?? "");
      setText(time, clockTime(sale.soldAt));
      setText(number, saleNumber(sale));
      const pieces = sale.items.reduce((count, item) => count + item.quantity, 0);
      const order = sale.orderNumber === undefined || sale.receiptNumber === undefined ? [] : [sale.orderNumber];
      setText(what, [counted(pieces, "item"), ...order].join(" · "));
      setText(sum, formatMoney(sale.totalCents, sale.currency));
      setText(tag, state);
      setAttribute(tag, "data-tone", tone);
    },
  };
}
