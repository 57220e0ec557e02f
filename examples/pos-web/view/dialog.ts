/** Modal dialogs: the browser's own, which keep the focus in and give it back. (view) */
import { h } from "./dom.ts";
import { icon } from "./icons.ts";

export interface DialogOptions {
  readonly title: string;
  readonly className: string;
  readonly body: HTMLElement;
  /** Whether Escape, the cross and the backdrop may close it now. @default always */
  readonly mayClose?: (() => boolean) | undefined;
  readonly closed?: (() => void) | undefined;
}

export interface OpenDialog {
  readonly element: HTMLDialogElement;
  close(): void;
}

export function openDialog({ title, className, body, mayClose = () => true, closed }: DialogOptions): OpenDialog {
  const titleId = `dialog-${crypto.randomUUID()}`;
  const element = h(
    "dialog",
    { class: `dialog ${className}`, "aria-labelledby": titleId },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", { id: titleId, tabindex: -1 }, title),
      h(
        "button",
        { type: "button", class: "button quiet square", "aria-label": "Close", onclick: dismiss },
        icon("close"),
      ),
    ),
    body,
  );
  function dismiss(): void {
    if (mayClose()) element.close();
  }
  element.addEventListener("cancel", (event) => {
    if (!mayClose()) event.preventDefault();
  });
  element.addEventListener("pointerdown", (event) => {
    if (event.target === element) dismiss();
  });
  element.addEventListener("close", () => {
    element.remove();
    closed?.();
  });
  document.body.append(element);
  element.showModal();
  return { element, close: () => element.close() };
}

export function isDialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
