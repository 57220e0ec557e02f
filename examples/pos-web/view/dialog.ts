/** Modal dialogs: the browser's own, which keep the focus inside and restore it afterwards. */
import { placeAnnouncements } from "./announce.ts";
import { h } from "./dom.ts";
import { icon } from "./icons.ts";

export interface DialogOptions {
  readonly title: string;
  readonly className: string;
  readonly body: HTMLElement;
  /** Below the body, always visible. */
  readonly foot?: HTMLElement | undefined;
  /** Whether scanning the next product closes the dialog. @default false */
  readonly scanCloses?: boolean | undefined;
  /** Whether Escape, the cross and the backdrop may close it now. @default always */
  readonly mayClose?: (() => boolean) | undefined;
  /** Whether a press on the backdrop may close it now. @default as `mayClose` */
  readonly mayDismissBeside?: (() => boolean) | undefined;
  readonly closed?: (() => void) | undefined;
}

export interface OpenDialog {
  readonly element: HTMLDialogElement;
  close(): void;
}

export function openDialog(options: DialogOptions): OpenDialog {
  const { title, className, body, foot, scanCloses, mayClose = () => true, closed } = options;
  const { mayDismissBeside = mayClose } = options;
  const titleId = `dialog-${crypto.randomUUID()}`;
  const heading = h("h2", { id: titleId, tabindex: -1 }, title);
  const element = h(
    "dialog",
    { class: `dialog ${className}`, "aria-labelledby": titleId, "data-scan-closes": scanCloses },
    h(
      "header",
      { class: "dialog-head" },
      heading,
      h(
        "button",
        { type: "button", class: "button quiet square", "aria-label": "Close", onclick: dismiss },
        icon("close"),
      ),
    ),
    body,
    foot,
  );
  function dismiss(): void {
    if (mayClose()) close();
  }
  function close(): void {
    element.close();
    placeAnnouncements();
  }
  element.addEventListener("cancel", (event) => {
    if (!mayClose()) event.preventDefault();
  });
  element.addEventListener("pointerdown", (event) => {
    if (event.target === element && mayDismissBeside()) dismiss();
  });
  element.addEventListener("close", () => {
    placeAnnouncements(); // Escape closes it, too
    element.remove();
    closed?.();
  });
  document.body.append(element);
  element.showModal();
  placeAnnouncements();
  // Browsers begin at different places: some at the cross.
  heading.focus();
  return { element, close };
}

/** Whether scanned products can't be added now: a payment or a question is open. */
export function refusesScans(): boolean {
  const [open] = document.querySelectorAll<HTMLDialogElement>("dialog[open]");
  if (open === undefined) return false;
  if (open.dataset.scanCloses === undefined) return true;
  open.close();
  return false;
}
