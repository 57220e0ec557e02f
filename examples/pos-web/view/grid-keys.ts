/** Arrow keys move through a grid of buttons, row by row. */

export function moveByArrows(event: KeyboardEvent, list: HTMLElement): void {
  const buttons = [...list.querySelectorAll<HTMLElement>("button")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  const next = buttons[at + stepOf(event.key, buttons)];
  if (next === undefined || next === buttons[at]) return;
  event.preventDefault();
  next.focus();
}

function stepOf(key: string, buttons: readonly HTMLElement[]): number {
  const [first] = buttons;
  const below = buttons.findIndex((button) => button.offsetTop !== first?.offsetTop);
  const columns = below < 0 ? buttons.length : below;
  return { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? 0;
}
