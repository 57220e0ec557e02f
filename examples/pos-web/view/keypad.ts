/** A keypad for tablets without a keyboard. */
import { h } from "./dom.ts";

const KEYS = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "0", ".", "⌫"] as const;
const NAMES: Readonly<Record<string, string>> = { "⌫": "Delete the last digit", ".": "Decimal point" };

export function keypad(field: HTMLInputElement, changed: () => void): HTMLElement {
  const press = (key: string) => {
    field.value = key === "⌫" ? field.value.slice(0, -1) : field.value + key;
    changed();
  };
  return h(
    "div",
    { class: "keypad", role: "group", "aria-label": "Digits" },
    ...KEYS.map((key) =>
      h("button", { type: "button", class: "button key", "aria-label": NAMES[key], onclick: () => press(key) }, key),
    ),
  );
}
