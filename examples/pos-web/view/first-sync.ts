/** The first sync: the shop's data are loaded onto the till. */
import { statusWords } from "../model/status-words.ts";
import type { Workplace } from "./app.ts";
import { h, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { signInDialog } from "./sign-in.ts";
import { everySecond } from "./ticker.ts";

export function firstSyncScreen({ till }: Workplace): View {
  const bar = h("progress", { "aria-label": "Loading the shop" });
  const headline = h("h1", {}, "Loading the shop");
  const count = h("p", { class: "muted", role: "status" });
  const cause = h("p", { class: "notice", hidden: true });
  const retry = h(
    "button",
    { type: "button", class: "button primary", hidden: true, onclick: () => void till.sync() },
    "Try now",
  );
  const again = h(
    "button",
    { type: "button", class: "button primary", hidden: true, onclick: () => signInDialog(till) },
    "Sign in again",
  );

  const reload = h(
    "button",
    { type: "button", class: "button primary", hidden: true, onclick: () => location.reload() },
    "Load again",
  );

  const render = () => {
    const { status } = till;
    const isHeld = status.phase === "offline" || status.phase === "paused" || status.phase === "action_needed";
    const words = statusWords(status, Date.now());
    setText(headline, isHeld ? "The shop has not arrived yet" : "Loading the shop");
    setText(count, isHeld ? heldWords(status.phase) : progressOf());
    cause.hidden = !isHeld;
    setText(cause, [words.cause, words.next].filter(Boolean).join(" "));
    bar.hidden = isHeld;
    retry.hidden = status.phase !== "offline";
    again.hidden = words.action !== "sign_in";
    reload.hidden = words.action !== "reload";
  };
  const progressOf = () => {
    if (till.status.phase !== "first_sync") return "Getting in touch with the server…";
    const { received, expected } = till.status.progress;
    if (expected === undefined) bar.removeAttribute("value");
    else {
      bar.max = Math.max(1, expected);
      bar.value = received;
    }
    if (received === 0 && expected === undefined) return "Asking the server for its products…";
    return expected === undefined
      ? `${received.toLocaleString()} records so far`
      : `${received.toLocaleString()} of ${expected.toLocaleString()} records`;
  };

  const stops = [till.on("status", render), everySecond(render)];
  render();
  const element = h(
    "main",
    { class: "screen", "data-screen": "first-sync" },
    h(
      "section",
      { class: "panel narrow centred" },
      h("span", { class: "emblem" }, icon("box")),
      headline,
      bar,
      count,
      cause,
      retry,
      again,
      reload,
    ),
  );
  return {
    element,
    close() {
      for (const stop of stops) stop();
    },
  };
}

function heldWords(phase: string): string {
  return phase === "action_needed"
    ? "A person is needed before this till can fetch the products."
    : "This till needs the network once, to fetch the products. After that it sells without.";
}
