/** The state of the sync: the cause, the queue, and what people can do. */
import { statusWords, storageWords, waitingWords } from "../model/status-words.ts";
import { ago, counted } from "../model/when.ts";
import { isForcedOffline, setForcedOffline } from "../till/stored.ts";
import { notify } from "./announce.ts";
import { once } from "./busy.ts";
import { h, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import { operationList } from "./operation-list.ts";
import type { Counter } from "./shell.ts";
import { signInDialog } from "./sign-in.ts";
import { everySecond } from "./ticker.ts";

export function queuePage(counter: Counter): View {
  const { till } = counter;
  const lamp = h("span", { class: "lamp" });
  const label = h("h1", {});
  const cause = h("p", {});
  const meaning = h("p", { class: "muted" });
  const storage = h("p", { class: "notice", hidden: true });
  const facts = { waits: h("dd", {}), sent: h("dd", {}), fetched: h("dd", {}), clock: h("dd", {}), kept: h("dd", {}) };
  const now = h(
    "button",
    { type: "button", class: "button primary", onclick: () => void once(now, syncNow) },
    icon("sync"),
    h("span", {}, "Sync now"),
  );
  const signIn = h(
    "button",
    { type: "button", class: "button", hidden: true, onclick: () => signInDialog(till) },
    icon("person"),
    "Sign in again",
  );
  const toggle = h("input", {
    id: "offline",
    type: "checkbox",
    role: "switch",
    onchange: () => void setForcedOffline(toggle.checked),
  });
  const card = h(
    "section",
    { class: "panel status-card" },
    h("header", {}, lamp, label),
    cause,
    meaning,
    h("div", { class: "actions" }, now, signIn),
  );

  const syncNow = async () => {
    const result = await till.sync();
    if (result.outcome === "done")
      notify(
        result.remaining === 0 ? "Everything is on the server" : `${counted(result.remaining, "change")} still to send`,
      );
    else notify(statusWords(till.status, Date.now()).cause);
  };

  const render = () => {
    const { status } = till;
    const at = Date.now();
    const words = statusWords(status, at);
    card.dataset.tone = words.tone;
    setText(label, words.label);
    setText(cause, [words.cause, words.next].filter(Boolean).join(" "));
    setText(meaning, words.meaning);
    signIn.hidden = words.action !== "sign_in";
    toggle.checked = isForcedOffline();
    const warning = storageWords(status);
    storage.hidden = warning === undefined;
    setText(storage, warning ?? "");
    setText(facts.waits, waitingWords(status, at));
    setText(facts.sent, ago(status.lastPushAt, at));
    setText(facts.fetched, ago(status.lastPullAt, at));
    setText(facts.clock, clockWords(status.clock));
    setText(
      facts.kept,
      `${status.storage.persisted ? "Promised by the browser" : "Not promised"}${usedWords(status.storage.usedBytes)}`,
    );
  };
  const stops = [till.on("status", render), everySecond(render)];
  const queue = operationList(counter);
  render();

  const element = h(
    "div",
    { class: "queue" },
    h(
      "div",
      { class: "queue-side" },
      card,
      h(
        "section",
        { class: "panel" },
        h(
          "label",
          { class: "switch", for: "offline" },
          h(
            "span",
            {},
            h("strong", {}, "Work offline"),
            h(
              "span",
              { class: "muted" },
              "Nothing is sent or fetched, in every tab of this till, until it is switched back. Selling goes on.",
            ),
          ),
          toggle,
        ),
      ),
      storage,
      h(
        "dl",
        { class: "panel facts" },
        ...[
          ["To send", facts.waits],
          ["Last sent", facts.sent],
          ["Last fetched", facts.fetched],
          ["Clock", facts.clock],
          ["Storage", facts.kept],
        ].flatMap(([name, value]) => [h("dt", {}, name as string), value as HTMLElement]),
      ),
    ),
    queue.element,
  );
  return {
    element,
    close() {
      for (const stop of stops) stop();
      queue.close();
    },
  };
}

const SECOND_MS = 1_000;
const MEGABYTE = 1_000_000;

function clockWords({ offsetMs, confidence }: Counter["till"]["status"]["clock"]): string {
  const seconds = Math.round(Math.abs(offsetMs) / SECOND_MS);
  if (confidence === "none") return "Not compared yet";
  if (seconds < 2) return "Agrees with the server";
  return `${counted(seconds, "second")} ${offsetMs > 0 ? "behind" : "ahead of"} the server`;
}

function usedWords(usedBytes: number | undefined): string {
  return usedBytes === undefined ? "" : `, ${(usedBytes / MEGABYTE).toFixed(1)} MB used`;
}
