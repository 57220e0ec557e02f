/** What is wrong with a page as it is shown now: for a screen reader, and for the eye. */
import axe from "axe-core";
import type { Page } from "playwright";

/** What axe finds, with the rule that a name holds the words that are shown; and what is cut off or lies over another. */
export async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: Axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"],
    });
    const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    const { scrollWidth, scrollHeight } = document.documentElement;
    if (scrollWidth > innerWidth) found.push(`the page is ${scrollWidth} wide`);
    if (scrollHeight > innerHeight) found.push(`the page is ${scrollHeight} high: only its parts scroll`);
    const parts = [...document.querySelectorAll<HTMLElement>(".topbar > *, .chip > *, .nav > *, .cart-foot > *")];
    const seen = parts.filter((part) => part.checkVisibility() && part.getBoundingClientRect().width > 2);
    for (const one of seen) {
      const a = one.getBoundingClientRect();
      if (a.right > innerWidth + 1 || a.left < -1) found.push(`${one.className} leaves the screen`);
      for (const other of seen) {
        if (one === other || one.parentElement !== other.parentElement) continue;
        const b = other.getBoundingClientRect();
        const isOver = a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
        if (isOver) found.push(`${one.className} lies over ${other.className}`);
      }
    }
    return found;
  });
}
interface Axe {
  run(
    root: Document,
    options: { readonly runOnly: readonly string[] },
  ): Promise<{
    readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
  }>;
}
