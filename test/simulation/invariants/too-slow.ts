/**
 * V5: no till repeats a request for which its line is too slow, judged at each request. One that ran into its deadline
 * is followed by a smaller one, down to one unit or one change, and sizes that failed don't come back at once, nor without
 * end (L6).
 */
import type { Tab } from "../machines/tab.ts";
import type { SimWorld } from "../world.ts";

/** Of a till's transport: see Machine. */
const DEADLINE_MS = 15_000;
/** Per tab and path, while the line is of one speed: five quarters lead from 1,000 rows to one. */
const MOST_TOO_SLOW = 8;

interface Asked {
  /** Operations, or the most changes of a page. */
  readonly count: number;
  /** It can't be made smaller. */
  readonly isSmallest: boolean;
}

export class TooSlow {
  readonly #world: SimWorld;
  readonly #lastLate = new Map<string, Asked>();
  readonly #late = new Map<string, number>();
  /** The limit of a tab's last pull, from the first one on that was too slow at this speed. */
  readonly #lastLimit = new Map<string, number>();

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** The line has another speed from now on. */
  begin(): void {
    this.#late.clear();
    this.#lastLimit.clear();
  }

  async watch(tab: Tab, path: string, request: Request): Promise<void> {
    if (path !== "push" && path !== "pull") return;
    const asked = askedIn(await request.clone().json());
    const key = `${tab.name} ${path}`;
    const before = this.#lastLate.get(key);
    this.#lastLate.delete(key);
    // One unit may have more operations than several others had.
    const isSmaller = asked.isSmallest || asked.count < (before?.count ?? 0);
    if (before && !before.isSmallest && !isSmaller)
      this.#world.violation(
        "V5",
        `${tab.name} sends a ${path} of ${asked.count} after one of ${before.count} ran into its deadline`,
      );
    const limit = this.#lastLimit.get(key);
    if (limit !== undefined && asked.count > 2 * limit)
      this.#world.violation(
        "V5",
        `${tab.name} asks for ${asked.count} changes after ${limit}, and its line was too slow`,
      );
    if (path === "pull" && (before || limit !== undefined)) this.#lastLimit.set(key, asked.count);
    const { signal } = request;
    signal.addEventListener("abort", () => {
      if (signal.reason?.name === "TimeoutError") this.#lastLate.set(key, asked);
    });
  }

  /** How long the line took for a request and its answer, or for the request alone. */
  carried(tab: Tab, path: string, ms: number): void {
    if (ms < DEADLINE_MS) return;
    const key = `${tab.name} ${path}`;
    const late = (this.#late.get(key) ?? 0) + 1;
    this.#late.set(key, late);
    if (late > MOST_TOO_SLOW)
      this.#world.violation("V5", `a line of one speed was too slow for ${late} requests of ${key}`);
  }
}

function askedIn(body: { readonly operations?: readonly Sent[]; readonly limit?: number }): Asked {
  const { operations } = body;
  if (operations === undefined) return { count: body.limit ?? 1_000, isSmallest: body.limit === 1 };
  const units = new Set(operations.map(({ id, transaction }) => transaction ?? id));
  return { count: operations.length, isSmallest: units.size <= 1 };
}

interface Sent {
  readonly id: string;
  readonly transaction?: string | undefined;
}
