/** Listens for a barcode scanner anywhere on the page. */
import { NOTHING_SCANNED, scannerKey } from "../model/scanner.ts";
import { refusesScans } from "./dialog.ts";

export function listenToScanner(scanned: (code: string) => void): () => void {
  let state = NOTHING_SCANNED;
  const listen = (event: KeyboardEvent) => {
    // The search field handles what is typed into it.
    if (isSearch(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = scannerKey(state, event.key, event.timeStamp);
    state = step.state;
    // A checkout takes no more goods; what is typed there may be an amount.
    if (step.code === undefined || refusesScans()) return;
    // The scanner's Enter must not press the button that has the focus.
    event.preventDefault();
    // The digits went into the quantity that had the focus: restore it.
    if (event.target instanceof HTMLInputElement) event.target.value = event.target.defaultValue;
    scanned(step.code);
  };
  addEventListener("keydown", listen, { capture: true });
  return () => removeEventListener("keydown", listen, { capture: true });
}

function isSearch(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type === "search";
}
