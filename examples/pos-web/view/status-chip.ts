/** The state of the sync, always visible. Links to the queue. */
import { attentionCount, statusWords, storageWords } from "../model/status-words.ts";
import { counted } from "../model/when.ts";
import { say } from "./announce.ts";
import { h, setAttribute, setText, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Counter } from "./shell.ts";
import { everySecond } from "./ticker.ts";

export function statusChip({ till, go }: Counter): View {
  const label = h("span", { class: "chip-label" });
  const count = h("span", { class: "chip-count" });
  const rest = h("span", { class: "visually-hidden" });
  const cause = h("span", { class: "chip-cause" });
  const warning = h("span", { class: "chip-warning", hidden: true }, icon("alert"));
  const element = h(
    "button",
    { type: "button", class: "chip", onclick: () => go({ page: "queue" }) },
    h("span", { class: "lamp" }),
    h("span", { class: "visually-hidden" }, "Sync:"),
    h("span", { class: "chip-text" }, label, cause),
    count,
    rest,
    warning,
  );
  let said: string | undefined;

  const render = () => {
    const { status } = till;
    const words = statusWords(status, Date.now());
    const storage = storageWords(status);
    const attention = attentionCount(status);
    element.dataset.tone = words.tone;
    setText(label, words.label);
    setText(cause, words.tone === "waiting" || words.tone === "alert" ? words.cause : "");
    setText(count, status.pending.count === 0 ? "" : status.pending.count.toLocaleString());
    warning.hidden = attention === 0 && status.storage.atRisk !== "full";
    const { count: waiting } = status.pending;
    const waits = waiting === 0 ? "Nothing to send." : `${waiting === 1 ? "change" : "changes"} to send.`;
    const more = attention === 0 ? "" : ` ${counted(attention, "entry", "entries")} for a person to look at.`;
    // What is shown is part of the name: a person who speaks to the device says what they see.
    setText(rest, `${waits}${more} Open the queue.`);
    setAttribute(element, "title", [words.cause, words.meaning, storage].filter(Boolean).join("\n"));
    // Sending and fetching alternate many times a minute. Only what matters to the cashier is read aloud.
    const stand = words.tone === "waiting" || words.tone === "alert" ? words.label : "Online";
    if (said !== undefined && said !== stand)
      say(stand === "Online" ? "Online again" : `${words.label}. ${words.cause}`);
    said = stand;
  };
  const stops = [till.on("status", render), everySecond(render)];
  render();
  return {
    element,
    close() {
      for (const stop of stops) stop();
    },
  };
}
