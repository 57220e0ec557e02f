/** A button while its work is under way. It is not `disabled`: that would take the focus away from whoever uses the keyboard. */
import { setAttribute } from "./dom.ts";

/** Does the work, unless it is under way already. */
export async function once(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  if (isBusy(button)) return;
  setBusy(button, true);
  try {
    await work();
  } finally {
    setBusy(button, false);
  }
}

export function setBusy(button: HTMLButtonElement, busy: boolean): void {
  setAttribute(button, "aria-disabled", busy ? "true" : undefined);
}

function isBusy(button: HTMLButtonElement): boolean {
  return button.ariaDisabled === "true";
}
