/** What a bench is, and what it is given. */
import type { Figure } from "./figures.ts";
import type { Sizes } from "./sizes.ts";

export interface Context {
  readonly sizes: Sizes;
  /** Where a PostgreSQL is, if there is one. */
  readonly database?: string | undefined;
  /** What was measured with: filled in by whoever starts it. */
  readonly versions: Record<string, string>;
  progress(line: string): void;
}

export interface Bench {
  readonly id: string;
  run(context: Context): Promise<readonly Figure[]>;
}
