/** What a page must not show or try while it starts, however shortly. Runs in the page, before its own scripts. */

declare global {
  interface Window {
    /** What was wrong. */
    firstSight_: string[];
  }
}

export function watchFirstSight(): void {
  const found: string[] = [];
  window.firstSight_ = found;
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    found.push(`the policy was violated: ${violatedDirective} ${blockedURI}`);
  });
  new MutationObserver(() => {
    if (document.body?.textContent?.includes("has no products yet"))
      found.push("a shop with products was called empty");
  }).observe(document, { subtree: true, childList: true, characterData: true });
}
