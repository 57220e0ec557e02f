/** Signing in: a screen at the start, a dialog over a cart that must not be lost. */
import { CHANGE_HINT, CODE_HINT, signInWords } from "../model/sign-in-words.ts";
import { counted } from "../model/when.ts";
import { SignInError, signIn } from "../till/auth.ts";
import type { Till } from "../till/client.ts";
import { deviceName, readSession, rememberDeviceName } from "../till/stored.ts";
import { notify, say } from "./announce.ts";
import { once } from "./busy.ts";
import { openDialog } from "./dialog.ts";
import { h, setText, type View } from "./dom.ts";
import { codeField, type Field, newPasswordField, sayWhatIsMissing } from "./field.ts";

/** A public password: the server accepts it only from its own computer, and only there does the page offer it. */
const isOwnComputer = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
const DEMO = { email: "cashier@demo.example", password: "demo-password" };

export function signInScreen(till: Till | undefined): View {
  const waiting = till?.status.pending.count ?? 0;
  const form = signInForm({ showsTillName: true });
  const element = h(
    "main",
    { class: "screen", "data-screen": "sign-in" },
    h(
      "section",
      { class: "panel narrow" },
      h("img", { class: "brand", src: "/icon.svg", alt: "", width: 56, height: 56 }),
      h("h1", {}, "Sign in to the till"),
      waiting > 0 &&
        h(
          "p",
          { class: "notice" },
          `${counted(waiting, "change")} of this till will be sent as soon as there is a network.`,
        ),
      form.element,
    ),
  );
  return { element, close: () => form.close() };
}

/** The session has ended during a sale: the cart is kept. */
export function signInDialog(till: Till): void {
  const form = signInForm({
    showsTillName: false,
    async done() {
      dialog.close();
      notify("Signed in");
      await till.sync();
    },
  });
  const body = h(
    "div",
    { class: "dialog-body" },
    h("p", { class: "muted" }, "Selling goes on meanwhile. The server needs to know again who is at this till."),
    form.element,
  );
  const dialog = openDialog({ title: "Sign in again", className: "small", body, closed: () => form.close() });
  const [email, password] = body.querySelectorAll("input");
  (email?.value === "" ? email : password)?.focus();
}

function signInForm({ done, showsTillName }: { done?: () => Promise<void>; showsTillName: boolean }): View {
  const email = h("input", {
    id: "email",
    type: "email",
    autocomplete: "username",
    required: true,
    value: readSession()?.email,
    // They were asked of another person.
    onchange: () => [newPassword, code].forEach(forget),
  });
  const password = h("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  const name = h("input", { id: "till-name", type: "text", maxlength: 40, value: deviceName() });
  // Shown when the server asks for them.
  const newPassword = newPasswordField("New password", CHANGE_HINT);
  const code = codeField(CODE_HINT);
  const ask = ({ element, input }: Field) => {
    (newPassword.element.isConnected ? newPassword.element : password).after(element);
    input.required = true;
    input.focus();
  };
  const forget = ({ element, input }: Field) => {
    element.remove();
    input.value = "";
  };
  const answerOf = ({ element, input }: Field) => (element.isConnected ? input.value : undefined);
  const fault = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit", class: "button primary wide" }, "Sign in");
  const offline = h(
    "p",
    { class: "notice", hidden: navigator.onLine },
    "This device has no network now. Signing in needs it once.",
  );
  const look = () => {
    offline.hidden = navigator.onLine;
  };
  for (const event of ["online", "offline"]) addEventListener(event, look);

  const submit = async () => {
    setText(button, "Signing in…");
    setText(fault, "");
    try {
      if (showsTillName) await rememberDeviceName(name.value.trim() || "Till 1");
      const typed = { email: email.value, password: password.value };
      await signIn({ ...typed, newPassword: answerOf(newPassword), code: answerOf(code) });
      await done?.();
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      const words = signInWords(error.fault);
      if (error.fault === "second_factor" || error.fault === "change") {
        ask(error.fault === "change" ? newPassword : code);
        say(words); // not a fault: the next field
        return;
      }
      setText(fault, words);
      if (error.fault === "wrong_code") code.input.select();
      const at = { wrong_code: code.input, weak: newPassword.input } as const;
      (error.fault === "wrong_code" || error.fault === "weak" ? at[error.fault] : password).focus();
      fault.scrollIntoView({ block: "nearest" }); // on a phone it may be below the edge
    } finally {
      setText(button, "Sign in");
    }
  };
  const useDemo = () => {
    [newPassword, code].forEach(forget);
    email.value = DEMO.email;
    password.value = DEMO.password;
    button.focus();
  };
  const element = h(
    "form",
    {
      class: "form",
      onsubmit(event: SubmitEvent) {
        event.preventDefault();
        void once(button, submit);
      },
    },
    offline,
    h("label", { for: "email" }, "Email"),
    email,
    h("label", { for: "password" }, "Password"),
    password,
    ...(showsTillName ? [h("label", { for: "till-name" }, "Name of this till"), name] : []),
    fault,
    button,
    isOwnComputer &&
      showsTillName &&
      h("button", { type: "button", class: "button quiet wide", onclick: useDemo }, "Fill in the demo shop's cashier"),
  );
  sayWhatIsMissing(element, fault);
  return {
    element,
    close() {
      for (const event of ["online", "offline"]) removeEventListener(event, look);
    },
  };
}
