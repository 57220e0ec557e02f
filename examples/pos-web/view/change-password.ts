/** The dialog in which a person changes their password. */
import { PASSWORD_HINT, signInWords, WRONG_CURRENT } from "../model/sign-in-words.ts";
import { changePassword, SignInError } from "../till/auth.ts";
import { readSession } from "../till/stored.ts";
import { notify } from "./announce.ts";
import { openDialog } from "./dialog.ts";
import { h, setText } from "./dom.ts";
import { field, newPasswordField } from "./field.ts";

export function changePasswordDialog(): void {
  const current = field("Current password", { type: "password", autocomplete: "current-password", required: true });
  const next = newPasswordField("New password", PASSWORD_HINT);
  next.input.required = true;
  const fault = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit", class: "button primary wide" }, "Change password");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    button.disabled = true;
    setText(fault, "");
    try {
      await changePassword(current.input.value, next.input.value);
      dialog.close();
      notify("Password changed. You are signed out everywhere else.");
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      const isCurrent = error.fault === "wrong";
      setText(fault, isCurrent ? WRONG_CURRENT : signInWords(error.fault));
      (isCurrent ? current : next).input.focus();
    } finally {
      button.disabled = false;
    }
  };
  const body = h(
    "div",
    { class: "dialog-body" },
    h(
      "form",
      { class: "form", onsubmit: (event: SubmitEvent) => void submit(event) },
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
    ),
  );
  const dialog = openDialog({ title: "Change password", className: "small", body });
}
