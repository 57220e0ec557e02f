/** The screen of a till that can't work at all: it says why. */
import { isTillSyncError } from "tillsync";
import type { StorageFault } from "../model/fault-words.ts";
import { h, type View } from "./dom.ts";
import { icon } from "./icons.ts";

export function faultScreen({ title, advice }: StorageFault, error?: unknown): View {
  const technical = isTillSyncError(error) ? `${error.code}: ${error.message}` : String(error ?? "");
  const element = h(
    "main",
    { class: "screen", "data-screen": "fault" },
    h(
      "section",
      { class: "panel narrow centred", role: "alert" },
      h("span", { class: "emblem alert" }, icon("alert")),
      h("h1", {}, title),
      h("p", {}, advice),
      technical !== "" && h("details", {}, h("summary", {}, "For support"), h("p", { class: "mono" }, technical)),
      h("button", { type: "button", class: "button primary", onclick: () => location.reload() }, "Try again"),
    ),
  );
  return { element, close() {} };
}
