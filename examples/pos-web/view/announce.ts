/** Says something to those who listen to the page, and shows it for a moment to those who look. */
import { h, setText } from "./dom.ts";

const SHOWN_MS = 4_000;

const region = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
const toast = h("p", { class: "toast", "aria-hidden": "true", hidden: true });
let hiding: ReturnType<typeof setTimeout> | undefined;

export function mountAnnouncements(parent: HTMLElement): void {
  parent.append(region, toast);
}

/** For screen readers alone: what everybody else sees happen. */
export function say(text: string): void {
  // The same sentence twice is two events: a blank at its end makes it another text.
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
