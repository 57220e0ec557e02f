/** Shows who is signed in, and signs out. */
import { counted } from "../model/when.ts";
import { signOut } from "../till/auth.ts";
import { deviceName, readSession } from "../till/stored.ts";
import { changePasswordDialog } from "./change-password.ts";
import { openDialog } from "./dialog.ts";
import { h, setAttribute, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { secondFactorDialog } from "./second-factor.ts";
import type { Counter } from "./shell.ts";

export function personMenu(counter: Counter): View {
  const { till, session } = counter;
  const name = h("span", { class: "person-name" });
  const element = h("button", { type: "button", class: "button quiet person", onclick: open }, icon("person"), name);
  const show = (text: string) => {
    setText(name, text);
    setAttribute(element, "aria-label", `${text}: till and sign-out`);
  };
  show(session.email ?? "Cashier");
  const stop = till.collections.users.watch({ ids: [session.userId ?? ""], limit: 1 }, ({ rows: [user] }) => {
    if (user !== undefined) show(user.name);
  });

  function open(): void {
    const { count } = till.status.pending;
    const out = async () => {
      dialog.close();
      await signOut();
    };
    const instead = (next: () => void) => () => {
      dialog.close();
      next();
    };
    const number = h("dd", {}, "…");
    void till
      .device()
      .then((device) => setText(number, device.number === undefined ? "none yet" : String(device.number)));
    const dialog = openDialog({
      title: name.textContent ?? "",
      className: "small",
      body: h(
        "div",
        { class: "dialog-body" },
        h(
          "dl",
          { class: "facts" },
          h("dt", {}, "Till"),
          h("dd", {}, deviceName()),
          h("dt", {}, "Number"),
          number,
          h("dt", {}, "Branch"),
          h("dd", {}, session.branch),
        ),
        !navigator.onLine &&
          h(
            "p",
            { class: "notice" },
            "There is no network. Whoever signs out now can't sign in again before there is.",
          ),
        count > 0 &&
          h(
            "p",
            { class: "muted" },
            `${counted(count, "change")} of this till will be sent by the till itself, also when nobody is signed in.`,
          ),
        readSession()?.needsSecondFactor === true &&
          h(
            "p",
            { class: "notice" },
            "The shop requires a second factor of you. Until it is set up, you have a cashier's rights here.",
          ),
        h(
          "button",
          { type: "button", class: "button wide", onclick: instead(changePasswordDialog) },
          "Change password",
        ),
        h(
          "button",
          { type: "button", class: "button wide", onclick: instead(secondFactorDialog) },
          "Set up a second factor",
        ),
        h("button", { type: "button", class: "button wide", onclick: () => void out() }, "Sign out"),
      ),
    });
  }
  return { element, close: () => stop() };
}
