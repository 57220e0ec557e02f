/** One of a few, side by side: radio buttons that look like a switch. */
import { h } from "./dom.ts";
import { type IconName, icon } from "./icons.ts";

interface ChoiceOptions<V extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: V; readonly label: string; readonly icon: IconName }[];
  readonly value: V;
  readonly choose: (value: V) => void;
}

export function choice<V extends string>({ label, options, value, choose }: ChoiceOptions<V>): HTMLElement {
  const group = `choice-${crypto.randomUUID()}`;
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", { class: "visually-hidden" }, label),
    ...options.map((option) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name: group,
          value: option.value,
          checked: option.value === value,
          onchange: () => choose(option.value),
        }),
        h("span", {}, icon(option.icon), option.label),
      ),
    ),
  );
}
