/** A labelled field of a form, with a hint that screen readers read with it. */
import { h, type Props, setText } from "./dom.ts";

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

/** Says in the form itself what is missing. WebKitGTK shows no bubble beside the field: there, nothing would seem to happen. */
export function sayWhatIsMissing(form: HTMLFormElement, fault: HTMLElement): void {
  const tell = (event: Event) => {
    event.preventDefault(); // no bubble as well
    const [first] = form.querySelectorAll<HTMLInputElement>("input:invalid");
    if (first === undefined || event.target !== first) return;
    setText(fault, missingWords(first));
    first.focus();
    fault.scrollIntoView({ block: "nearest" });
  };
  // It does not bubble.
  form.addEventListener("invalid", tell, { capture: true });
}

function missingWords({ labels, validity, minLength, value }: HTMLInputElement): string {
  const name = labels?.[0]?.textContent ?? "";
  if (validity.valueMissing) return `“${name}” is empty. Fill it in.`;
  if (validity.tooShort) return `“${name}” has ${value.length} characters. It needs at least ${minLength}.`;
  return `“${name}” is not complete: it looks like name@shop.example.`;
}
