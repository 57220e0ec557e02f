/** What a person must know on every page: who must act, and on what. */
import { lostWords, statusWords, type Tone } from "../model/status-words.ts";
import { fill, h, type View } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Counter } from "./shell.ts";
import { signInDialog } from "./sign-in.ts";
import { onNewVersion } from "./version.ts";

interface Banner {
  readonly key: string;
  readonly text: string;
  readonly tone?: Tone;
  readonly button?: { readonly label: string; readonly press: () => void };
}

export function banners(counter: Counter): View {
  const { till } = counter;
  const element = h("div", { class: "banners", role: "alert" });
  let hasNewVersion = false;
  let lost: string | undefined;
  let shown = "";

  const render = () => {
    const list = [
      ...urgent(counter),
      ...(lost === undefined ? [] : [{ key: "lost", text: lost }]),
      ...(hasNewVersion ? [NEW_VERSION] : []),
    ];
    const key = list.map((banner) => banner.key).join();
    if (key === shown) return; // a screen reader would read the alert again
    shown = key;
    fill(element, ...list.map(bannerElement));
  };
  const stops = [
    till.on("status", render),
    till.on("storage_lost", ({ missing }) => {
      lost = lostWords(missing);
      render();
    }),
    onNewVersion(() => {
      hasNewVersion = true;
      render();
    }),
  ];
  render();
  return {
    element,
    close() {
      for (const stop of stops) stop();
    },
  };
}

const NEW_VERSION: Banner = {
  key: "version",
  text: "A new version of the till is ready.",
  tone: "busy",
  button: { label: "Load it", press: () => location.reload() },
};

function urgent(counter: Counter): readonly Banner[] {
  const { status } = counter.till;
  const words = statusWords(status, Date.now());
  const found: Banner[] = [];
  if (words.tone === "alert") {
    const text =
      status.phase === "action_needed" ? `${words.cause} Selling goes on.` : `${words.cause} ${words.meaning}`;
    const button =
      words.action === "sign_in"
        ? { label: "Sign in again", press: () => signInDialog(counter.till) }
        : words.action === "reload"
          ? { label: "Load again", press: () => location.reload() }
          : undefined;
    found.push({ key: `${status.phase}${words.label}`, text, ...(button && { button }) });
  }
  if (status.storage.atRisk === "full") {
    found.push({
      key: "full",
      text: "This device is almost full. Free some space: when it is full, no sale can be kept.",
    });
  }
  return found;
}

function bannerElement({ text, tone = "alert", button }: Banner): HTMLElement {
  return h(
    "p",
    { class: "banner", "data-tone": tone },
    icon(tone === "alert" ? "alert" : "sync"),
    h("span", {}, text),
    button && h("button", { type: "button", class: "button small", onclick: button.press }, button.label),
  );
}
