/** A form with which a signed-in person changes something of their account. What goes wrong is said in it. */
import { accountWords } from "../model/sign-in-words.ts";
import { SignInError, type SignInFault } from "../till/auth.ts";
import { once } from "./busy.ts";
import { h, setText } from "./dom.ts";
import { type Field, sayWhatIsMissing } from "./field.ts";

export interface AccountForm {
  /** Of the button. */
  readonly label: string;
  readonly fields: readonly Field[];
  readonly submit: () => Promise<void>;
  /** The field that a fault is about. It gets the focus. */
  readonly atFault: (fault: SignInFault) => Field;
}

export function accountForm({ label, fields, submit, atFault }: AccountForm): HTMLFormElement {
  const fault = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit", class: "button primary wide" }, label);
  const tryIt = async () => {
    setText(fault, "");
    try {
      await submit();
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      setText(fault, accountWords(error.fault));
      const { input } = atFault(error.fault);
      input.select();
      input.focus();
    }
  };
  const form = h(
    "form",
    {
      class: "form",
      onsubmit(event: SubmitEvent) {
        event.preventDefault();
        void once(button, tryIt);
      },
    },
    ...fields.map(({ element }) => element),
    fault,
    button,
  );
  sayWhatIsMissing(form, fault);
  return form;
}
