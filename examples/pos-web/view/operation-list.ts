/** The queue: grouped by what was done in one go, with the state of each operation. */
import type { Operation } from "tillsync";
import {
  groupOperations,
  groupTitle,
  type OperationGroup,
  operationState,
  operationTitle,
} from "../model/operation-words.ts";
import { clockTime, counted } from "../model/when.ts";
import { notify } from "./announce.ts";
import { fill, h, keyedList, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { recentlySent } from "./recently-sent.ts";
import { stateTag } from "./sale-detail.ts";
import type { Counter } from "./shell.ts";

const MAX_SHOWN = 200;
const NEEDS_PERSON = ["rejected", "conflict", "quarantined"] as const;
const WAITS = ["pending", "in_flight", "blocked"] as const;

type Group = OperationGroup<Operation>;

interface Titles {
  readonly group: (group: Group) => string;
  readonly operation: (operation: Operation) => string;
}

export function operationList(counter: Counter): View {
  const { till, shop } = counter;
  const names = new Map<string, string>();
  const nameOf = (id: string) => names.get(id);
  const titles: Titles = {
    group: (group) => groupTitle(group, nameOf, shop.currency),
    operation: (operation) => operationTitle(operation, nameOf),
  };

  const section = (heading: string, empty: string) => {
    const list = h("ul", { class: "groups" });
    const head = h("h2", { tabindex: -1 }, heading);
    const count = h("span", { class: "muted" });
    const nothing = h("p", { class: "muted nothing" }, empty);
    const element = h(
      "section",
      { class: "panel" },
      h("header", { class: "section-head" }, head, count),
      nothing,
      list,
    );
    const render = keyedList<Group>(list, { key: ({ id }) => id, make: () => groupCard(titles, retry) });
    return {
      element,
      head,
      show(operations: readonly Operation[]): void {
        render(groupOperations(operations));
        setText(
          count,
          operations.length === 0
            ? ""
            : operations.length === MAX_SHOWN
              ? `the first ${MAX_SHOWN}`
              : counted(operations.length, "change"),
        );
        nothing.hidden = operations.length > 0;
      },
    };
  };
  async function retry(ids: readonly string[]): Promise<void> {
    await till.operations.retry(ids);
    notify("Sent again");
    // The button is gone, and the keyboard must go on from somewhere.
    waiting.head.focus();
  }

  const attention = section("Needs a person", "");
  const waiting = section("Waiting to be sent", "Nothing waits. Everything of this till is on the server.");
  const sent = recentlySent();

  let latest: { readonly attention: readonly Operation[]; readonly waiting: readonly Operation[] } = {
    attention: [],
    waiting: [],
  };
  const render = () => {
    attention.element.hidden = latest.attention.length === 0;
    attention.show(latest.attention);
    waiting.show(latest.waiting);
  };
  const take = (next: Partial<typeof latest>) => {
    latest = { ...latest, ...next };
    const unknown = [...latest.attention, ...latest.waiting].flatMap(({ collection, entityId }) =>
      collection === "products" && !names.has(entityId) ? [entityId] : [],
    );
    render();
    if (unknown.length > 0) void learn([...new Set(unknown)]);
  };
  async function learn(ids: readonly string[]): Promise<void> {
    const products = await till.collections.products.getMany(ids);
    for (const [index, id] of ids.entries()) names.set(id, products[index]?.name ?? id);
    render();
  }

  const stops = [
    till.operations
      .live({ state: NEEDS_PERSON, limit: MAX_SHOWN })
      .subscribe((operations) => take({ attention: operations })),
    till.operations.live({ state: WAITS, limit: MAX_SHOWN }).subscribe((operations) => take({ waiting: operations })),
  ];
  return {
    element: h("div", { class: "queue-main" }, attention.element, waiting.element, sent.element),
    close() {
      for (const stop of stops) stop();
      sent.close();
    },
  };
}

function groupCard(titles: Titles, retry: (ids: readonly string[]) => Promise<void>) {
  const heading = h("h3", {});
  const time = h("span", { class: "muted" });
  const rows = h("ul", {});
  let refused: readonly string[] = [];
  const again = h(
    "button",
    { type: "button", class: "button small", onclick: () => void retry(refused) },
    icon("sync"),
    "Send again",
  );
  const actions = h("div", { class: "actions" }, again);
  return {
    element: h("li", { class: "group" }, h("header", {}, heading, time), rows, actions),
    update(group: Group): void {
      const { operations } = group;
      const [first] = operations;
      if (first === undefined) return;
      setText(heading, titles.group(group));
      setText(time, clockTime(first.occurredAt));
      fill(rows, ...operations.map((operation) => operationRow(operation, titles.operation(operation))));
      refused = operations.filter(({ status }) => status.state === "rejected").map(({ id }) => id);
      actions.hidden = refused.length === 0;
    },
  };
}

function operationRow(operation: Operation, title: string): HTMLElement {
  const { tone, label, detail } = operationState(operation);
  return h(
    "li",
    { class: "operation", "data-state": operation.status.state },
    h(
      "span",
      { class: "operation-text" },
      h("span", {}, title),
      detail !== undefined && h("span", { class: "muted" }, detail),
    ),
    stateTag(tone, label),
  );
}
