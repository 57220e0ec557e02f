/** Announces something: to screen readers, and on the screen for a moment. */
import { h, setText } from "./dom.ts";

const SHOWN_MS = 4_000;

const region = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
const toast = h("p", { class: "toast", "aria-hidden": "true", hidden: true });
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Where they can be heard and seen: in the modal dialog that is open, otherwise in the page. */
export function placeAnnouncements(): void {
  const parent = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (region.parentElement !== parent) parent.append(region, toast);
}

/** For screen readers only: others see it happen. */
export function say(text: string): void {
  // A screen reader must read the same sentence twice: a blank at its end makes it a different text.
  setText(region, region.textContent === text ? `${text} ` : text);
}

export function notify(text: string): void {
  say(text);
  setText(toast, text);
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    toast.hidden = true;
  }, SHOWN_MS);
}
