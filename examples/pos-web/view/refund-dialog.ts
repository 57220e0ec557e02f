/** A refund for goods of a sale. */
import { notSavedWords } from "../model/fault-words.ts";
import { formatMoney } from "../model/money.ts";
import { refundable, refundItem } from "../model/refund.ts";
import type { Refund, Sale } from "../till/client.ts";
import { recordRefund } from "../till/give-back.ts";
import { readSession } from "../till/stored.ts";
import { notify } from "./announce.ts";
import { setBusy } from "./busy.ts";
import { choice } from "./choice.ts";
import { openDialog } from "./dialog.ts";
import { h, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Counter } from "./shell.ts";

export function openRefund({ till }: Counter, sale: Sale, before: readonly Refund[]): void {
  const money = (cents: number) => formatMoney(cents, sale.currency);
  const refundId = crypto.randomUUID();
  const lines = refundable(sale.items, before).filter(({ left }) => left > 0);
  const wanted = new Map(lines.map(({ line }) => [line.lineId, 0]));
  let method: "cash" | "card" = "cash";
  let isSaving = false;

  const fault = h("p", { class: "fault", role: "alert" });
  const reason = h("input", {
    id: "reason",
    type: "text",
    maxlength: 200,
    placeholder: "For example: unopened, wrong size",
  });
  const restock = h("input", { id: "restock", type: "checkbox", checked: true });
  const confirm = h("button", { type: "submit", form: "refund-form", class: "button primary pay" });

  const items = () =>
    lines.flatMap(({ line }) => {
      const quantity = wanted.get(line.lineId) ?? 0;
      return quantity === 0 ? [] : [refundItem(line, quantity, before)];
    });
  const render = () => {
    const cents = items().reduce((sum, item) => sum + item.amountCents, 0);
    setText(confirm, isSaving ? "Recording…" : cents === 0 ? "Choose what comes back" : `Give back ${money(cents)}`);
    confirm.disabled = items().length === 0;
    setBusy(confirm, isSaving);
  };

  const save = async () => {
    if (isSaving || items().length === 0) return;
    isSaving = true;
    setText(fault, "");
    render();
    try {
      const given = {
        refundId,
        sale,
        items: items(),
        method,
        reason: reason.value.trim(),
        isRestocked: restock.checked,
        cashierId: readSession()?.userId,
      };
      const refund = await recordRefund(till, given);
      isSaving = false;
      dialog.close();
      notify(`Refund of ${money(refund.totalCents)} recorded`);
    } catch (error) {
      isSaving = false;
      setText(fault, `The refund is NOT recorded. Give nothing back. ${notSavedWords(error)}`);
      render();
    }
  };

  const rows = lines.map(({ line, left }) => {
    const count = h("output", { class: "count" }, "0");
    const step = (by: number) => {
      const quantity = Math.min(left, Math.max(0, (wanted.get(line.lineId) ?? 0) + by));
      wanted.set(line.lineId, quantity);
      setText(count, String(quantity));
      render();
    };
    return h(
      "li",
      { class: "cart-line" },
      h(
        "div",
        { class: "line-text" },
        h("span", { class: "line-name" }, line.name),
        h("span", { class: "muted" }, `${left} of ${line.quantity} can come back`),
      ),
      h(
        "div",
        { class: "stepper", role: "group", "aria-label": line.name },
        h(
          "button",
          { type: "button", class: "button square", "aria-label": `One ${line.name} less`, onclick: () => step(-1) },
          icon("minus"),
        ),
        count,
        h(
          "button",
          { type: "button", class: "button square", "aria-label": `One more ${line.name}`, onclick: () => step(1) },
          icon("plus"),
        ),
      ),
    );
  });
  const body = h(
    "form",
    {
      id: "refund-form",
      class: "dialog-body form",
      onsubmit(event: SubmitEvent) {
        event.preventDefault();
        void save();
      },
    },
    h("ul", { class: "cart-lines" }, ...rows),
    choice({
      label: "Given back by",
      options: [
        { value: "cash", label: "Cash", icon: "cash" },
        { value: "card", label: "Card", icon: "card" },
      ],
      value: method,
      choose: (value) => {
        method = value;
      },
    }),
    h("label", { for: "reason" }, "Reason"),
    reason,
    h("label", { class: "check", for: "restock" }, restock, h("span", {}, "The goods go back on the shelf")),
  );
  const dialog = openDialog({
    title: `Refund of ${sale.receiptNumber ?? "a sale"}`,
    className: "refund-dialog",
    body,
    foot: h("footer", { class: "dialog-foot" }, fault, confirm),
    mayClose: () => !isSaving,
  });
  render();
}
