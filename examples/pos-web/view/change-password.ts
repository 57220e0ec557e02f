/** The dialog in which a person changes their password. */
import { PASSWORD_HINT } from "../model/sign-in-words.ts";
import { changePassword } from "../till/auth.ts";
import { readSession } from "../till/stored.ts";
import { accountForm } from "./account-form.ts";
import { notify } from "./announce.ts";
import { openDialog } from "./dialog.ts";
import { h } from "./dom.ts";
import { field, newPasswordField } from "./field.ts";

export function changePasswordDialog(): void {
  const current = field("Current password", { type: "password", autocomplete: "current-password", required: true });
  const next = newPasswordField("New password", PASSWORD_HINT);
  next.input.required = true;
  const form = accountForm({
    label: "Change password",
    fields: [current, next],
    atFault: (fault) => (fault === "wrong" ? current : next),
    async submit() {
      await changePassword(current.input.value, next.input.value);
      dialog.close();
      notify("Password changed. You are signed out everywhere else.");
    },
  });
  form.prepend(
    // Password managers keep the new one under the right name.
    h("input", {
      type: "email",
      autocomplete: "username",
      value: readSession()?.email,
      hidden: true,
      readonly: true,
    }),
  );
  const body = h("div", { class: "dialog-body" }, form);
  const dialog = openDialog({ title: "Change password", className: "small", body });
  current.input.focus();
}
