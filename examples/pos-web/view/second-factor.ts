/** The dialog in which a person sets up a second factor: their password, the app's secret, the recovery codes. */
import { APP_HINT, inGroups } from "../model/sign-in-words.ts";
import { confirmSecondFactor, enrolSecondFactor } from "../till/auth.ts";
import { accountForm } from "./account-form.ts";
import { notify } from "./announce.ts";
import { openDialog } from "./dialog.ts";
import { fill, h } from "./dom.ts";
import { codeField, field } from "./field.ts";

export function secondFactorDialog(): void {
  const body = h("div", { class: "dialog-body" });
  let isSetUp = false;
  const dialog = openDialog({
    title: "Set up a second factor",
    className: "small",
    body,
    // The recovery codes are shown once: a press beside them is no decision.
    mayDismissBeside: () => !isSetUp,
    closed() {
      if (isSetUp) notify("Second factor set up. You are signed out everywhere else.");
    },
  });
  showPassword();

  function showPassword(): void {
    const password = field("Current password", { type: "password", autocomplete: "current-password", required: true });
    const form = accountForm({
      label: "Continue",
      fields: [password],
      atFault: () => password,
      submit: async () => showSecret(await enrolSecondFactor(password.input.value)),
    });
    form.prepend(
      h("p", { class: "muted" }, "With it, signing in takes your password and a code of an app on your phone."),
    );
    fill(body, form);
    password.input.focus();
  }

  function showSecret({ secret, uri }: { readonly secret: string; readonly uri: string }): void {
    const code = codeField(APP_HINT);
    code.input.required = true;
    const form = accountForm({
      label: "Confirm",
      fields: [code],
      atFault: () => code,
      submit: async () => showRecoveryCodes(await confirmSecondFactor(code.input.value)),
    });
    form.prepend(
      h("p", {}, "Type this key into an authenticator app, then enter the code that it shows."),
      h("p", { class: "secret", "aria-label": `Key: ${inGroups(secret)}` }, inGroups(secret)),
      h("a", { class: "link", href: uri }, "Open in an app on this device"),
    );
    fill(body, form);
    code.input.focus();
  }

  function showRecoveryCodes(codes: readonly string[]): void {
    isSetUp = true;
    const button = h(
      "button",
      { type: "button", class: "button primary wide", onclick: () => dialog.close() },
      "I have written them down",
    );
    fill(
      body,
      h("p", {}, "Without the app, each of these codes lets you in once. They are not shown again."),
      h("ul", { class: "recovery-codes" }, ...codes.map((code) => h("li", { class: "secret" }, code))),
      button,
    );
    button.focus();
  }
}
