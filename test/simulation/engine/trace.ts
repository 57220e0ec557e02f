/** What happened, in order: kept as a hash always, and as text where somebody wants to read it. */
import { createHash } from "node:crypto";
import type { Timeline } from "./timeline.ts";

export class Trace {
  readonly lines: string[] = [];
  readonly #hash = createHash("sha256");
  readonly #timeline: Timeline;
  readonly #keeps: boolean;

  constructor(timeline: Timeline, keeps: boolean) {
    this.#timeline = timeline;
    this.#keeps = keeps;
  }

  say(who: string, what: string): void {
    const line = `${String(this.#timeline.now).padStart(8)}  ${who.padEnd(9)} ${what}`;
    this.#hash.update(line);
    if (this.#keeps) this.lines.push(line);
  }

  /** The same for two runs in which the same happened. */
  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
