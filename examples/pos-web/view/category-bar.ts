/** The choice of a category, or all of them. */
import type { Category } from "../till/client.ts";
import { h, keyedList, setAttribute, setText } from "./dom.ts";
import { oneTabStop } from "./one-tab-stop.ts";

export function categoryBar(choose: (id: string | undefined) => void) {
  const element = h("div", { class: "categories", role: "toolbar", "aria-label": "Categories" });
  const stop = oneTabStop(element);
  let chosen: string | undefined;
  const list = keyedList<{ readonly id: string | undefined; readonly name: string; readonly colour: number }>(element, {
    key: ({ id }) => id ?? "",
    make({ id }) {
      const button = h("button", { type: "button", class: "category", onclick: () => choose(id) });
      return {
        element: button,
        update({ name, colour }) {
          setText(button, name);
          button.dataset.colour = String(colour);
          setAttribute(button, "aria-pressed", String(chosen === id));
        },
      };
    },
  });
  return {
    element,
    render(categories: readonly Category[], id: string | undefined): void {
      chosen = id;
      const all = { id: undefined, name: "All", colour: 0 };
      list([
        all,
        ...categories.map((category, index) => ({ id: category.id, name: category.name, colour: (index % 8) + 1 })),
      ]);
      stop.refresh();
    },
  };
}
