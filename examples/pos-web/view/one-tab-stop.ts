/**
 * A roving tabindex, as the WAI-ARIA practices describe it for toolbars: a row or a grid of buttons is one stop of the
 * Tab key, and the arrow keys, Home and End move within it.
 */

export function oneTabStop(container: HTMLElement) {
  let current: HTMLElement | undefined;
  const buttons = () => [...container.querySelectorAll<HTMLElement>("button")];
  const set = (button: HTMLElement | undefined, all = buttons()) => {
    current = button;
    for (const each of all) each.tabIndex = each === button ? 0 : -1;
  };
  container.addEventListener("focusin", ({ target }) => set((target as HTMLElement).closest("button") ?? current));
  container.addEventListener("keydown", (event) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const next = all[at + stepOf(event.key, at, all)];
    if (next === undefined || next === all[at]) return;
    event.preventDefault();
    next.focus();
  });
  return {
    /** After the buttons have changed: there is always one that Tab reaches. */
    refresh(): void {
      const all = buttons();
      set(current !== undefined && all.includes(current) ? current : all[0], all);
    },
  };
}

function stepOf(key: string, at: number, buttons: readonly HTMLElement[]): number {
  if (key === "Home") return -at;
  if (key === "End") return buttons.length - 1 - at;
  const [first] = buttons;
  const below = buttons.findIndex((button) => button.offsetTop !== first?.offsetTop);
  const columns = below < 0 ? buttons.length : below;
  return { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? 0;
}
