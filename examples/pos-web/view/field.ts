/** A labelled field of a form, with a hint that screen readers read with it. */
import { h, type Props } from "./dom.ts";

export interface Field {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
}

/** Counts, because a dialog may have the same field as the page below it. */
let made = 0;

export function field(label: string, props: Props, hint?: string): Field {
  made += 1;
  const id = `field-${made}`;
  const described = hint === undefined ? {} : { "aria-describedby": `${id}-hint` };
  const input = h("input", { id, ...described, ...props });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint !== undefined && h("p", { class: "muted", id: `${id}-hint` }, hint),
  );
  return { element, input };
}

export const newPasswordField = (label: string, hint: string): Field =>
  field(label, { type: "password", autocomplete: "new-password", minlength: 10, maxlength: 200 }, hint);

export const codeField = (hint: string): Field =>
  field(
    "Code",
    { type: "text", autocomplete: "one-time-code", autocapitalize: "characters", spellcheck: "false", maxlength: 64 },
    hint,
  );
