/** The dialog in which a person changes their password. */
import { accountWords, PASSWORD_HINT } from "../model/sign-in-words.ts";
import { changePassword, SignInError } from "../till/auth.ts";
import { readSession } from "../till/stored.ts";
import { notify } from "./announce.ts";
import { once } from "./busy.ts";
import { openDialog } from "./dialog.ts";
import { h, setText } from "./dom.ts";
import { field, newPasswordField, sayWhatIsMissing } from "./field.ts";

export function changePasswordDialog(): void {
  const current = field("Current password", { type: "password", autocomplete: "current-password", required: true });
  const next = newPasswordField("New password", PASSWORD_HINT);
  next.input.required = true;
  const fault = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit", class: "button primary wide" }, "Change password");

  const submit = async () => {
    setText(fault, "");
    try {
      await changePassword(current.input.value, next.input.value);
      dialog.close();
      notify("Password changed. You are signed out everywhere else.");
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      setText(fault, accountWords(error.fault));
      (error.fault === "wrong" ? current : next).input.focus();
    }
  };
  const form = h(
    "form",
    {
      class: "form",
      onsubmit(event: SubmitEvent) {
        event.preventDefault();
        void once(button, submit);
      },
    },
    // Password managers keep the new one under the right name.
    h("input", {
      type: "email",
      autocomplete: "username",
      value: readSession()?.email,
      hidden: true,
      readonly: true,
    }),
    current.element,
    next.element,
    fault,
    button,
  );
  sayWhatIsMissing(form, fault);
  const body = h("div", { class: "dialog-body" }, form);
  const dialog = openDialog({ title: "Change password", className: "small", body });
  current.input.focus();
}
