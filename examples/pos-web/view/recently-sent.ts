/** What has reached the server since the page was opened. Earlier sales are on the sales page. */
import { formatMoney } from "../model/money.ts";
import { flagWords } from "../model/sale-words.ts";
import { clockTime } from "../model/when.ts";
import type { Till } from "../till/client.ts";
import { fill, h, type View } from "./dom.ts";
import { stateTag } from "./sale-detail.ts";

const MAX_SHOWN = 10;
/** Collects while the app is open, whichever page is shown. */
const arrived: { readonly title: string; readonly at: number; readonly flags: readonly string[] }[] = [];
const listeners = new Set<() => void>();
let listening: Till | undefined;

export function recentlySent(): View {
  const list = h("ul", { class: "groups" });
  const element = h(
    "section",
    { class: "panel", hidden: true },
    h("header", { class: "section-head" }, h("h2", {}, "Arrived just now")),
    list,
  );
  const render = () => {
    element.hidden = arrived.length === 0;
    fill(
      list,
      ...arrived.map(({ title, at, flags }) =>
        h(
          "li",
          { class: "operation" },
          h(
            "span",
            { class: "operation-text" },
            h("span", {}, title),
            h("span", { class: "muted" }, [clockTime(at), ...flags].join(" · ")),
          ),
          stateTag(flags.length > 0 ? "alert" : "good", flags.length > 0 ? "Marked" : "On the server"),
        ),
      ),
    );
  };
  listeners.add(render);
  render();
  return { element, close: () => void listeners.delete(render) };
}

export function watchArrivals(till: Till, currency: string): void {
  if (listening === till) return;
  listening = till;
  till.on("applied", ({ collection, record, flags }) => {
    if (collection !== "sales" && collection !== "refunds") return;
    const { totalCents, orderNumber } = (record ?? {}) as {
      readonly totalCents?: number;
      readonly orderNumber?: string;
    };
    const name = collection === "sales" ? "Sale" : "Refund";
    const title = [name, orderNumber, totalCents === undefined ? undefined : formatMoney(totalCents, currency)]
      .filter(Boolean)
      .join(" ");
    arrived.unshift({ title, at: Date.now(), flags: flags.map(flagWords) });
    arrived.splice(MAX_SHOWN);
    for (const listener of listeners) listener();
  });
}
