/** The answer of a pull as text: its changes are JSON already, and go in as they are. */
import type { PullPage, PullResponse } from "../../protocol/types.ts";

export interface PageText extends Omit<PullPage, "changes"> {
  /** Each the JSON of a change. */
  readonly changes: readonly string[];
}

export function pullText(answer: Omit<PullResponse, "pages">, pages: Readonly<Record<string, PageText>>): string {
  const texts = Object.entries(pages).map(([name, { changes, ...page }]) => {
    const rest = JSON.stringify(page).slice(1);
    return `${JSON.stringify(name)}:{"changes":[${changes.join(",")}],${rest}`;
  });
  return `${JSON.stringify(answer).slice(0, -1)},"pages":{${texts.join(",")}}}`;
}
