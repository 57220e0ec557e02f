/** What is said at the end. Pure. */

import type { BrowserTortured } from "./browser/torture.ts";
import { type Findings, KINDS } from "./findings.ts";
import type { Tortured } from "./torture.ts";

/** Each of them is an error: the first are enough to look for its cause. */
const TOLD = 20;

export function details(findings: Findings): readonly string[] {
  return KINDS.flatMap((kind) => {
    const all = findings.of(kind);
    const rest = all.length > TOLD ? [`${kind}: … and ${all.length - TOLD} more`] : [];
    return [...all.slice(0, TOLD).map((text) => `${kind}: ${text}`), ...rest];
  });
}

export function closingLine({ killed, operations, elapsedMs, findings }: Omit<Tortured, "server" | "tills">): string {
  const { server, postgres } = killed;
  const counts = KINDS.map((kind) => `${kind} ${findings.of(kind).length}`);
  const seconds = Math.round(elapsedMs / 1_000);
  return `kills ${server + postgres} (server ${server}, postgres ${postgres}), ${counts.join(", ")}, operations ${operations}, seconds ${seconds}`;
}

/** Of one till nothing can diverge but from the server, where it is lost or doubled. */
export function browserClosingLine({ killed, sales, findings, dropped }: BrowserTortured): string {
  const lost = findings.of("lost").length + dropped.unsent;
  return `kills ${killed}, sales ${sales}, lost ${lost}, doubled ${findings.of("doubled").length}, half ${findings.of("half").length}`;
}

export function droppedLines({ dropped: { times, unsent } }: BrowserTortured): readonly string[] {
  if (times === 0) return [];
  return [
    `The browser deleted its own database as damaged, ${times} times; the till said so. Unsent sales in it: ${unsent}`,
  ];
}
