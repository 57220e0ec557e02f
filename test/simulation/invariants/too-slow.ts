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
  readonly #asked = new WeakMap<Request, Sizes>();

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
    const sizes: Sizes = await request.clone().json();
    this.#asked.set(request, sizes);
    const asked = askedIn(sizes);
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

  /** What a server has answered to its own request: not more than the till asked for (docs/protocol.md, a slow line). */
  async answered(tab: Tab, path: string, request: Request, answer: Response): Promise<void> {
    if (!this.#asked.has(request)) return;
    const { changes = [], results = [] }: Answer = await answer.clone().json();
    const { limit = 1_000, limitBytes = Number.POSITIVE_INFINITY, operations = [] } = this.#asked.get(request) ?? {};
    const wrong = (what: string) => this.#world.violation("V5", `${tab.name} is answered ${what} to its ${path}`);
    if (changes.length > limit) wrong(`${changes.length} changes instead of ${limit}`);
    const own = new Set(operations.map(({ id }) => id));
    for (const members of [changes, results.filter(({ id }) => !own.has(id))]) {
      const bytes = members.map((each) => Buffer.byteLength(JSON.stringify(each)));
      // The one with which the limit was passed may be in it.
      const most = limitBytes + Math.max(0, ...bytes);
      const sum = bytes.reduce((total, each) => total + each, 0);
      if (sum > most) wrong(`${sum} bytes instead of ${limitBytes}`);
    }
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

function askedIn({ operations, limit }: Sizes): Asked {
  if (operations === undefined) return { count: limit ?? 1_000, isSmallest: limit === 1 };
  const units = new Set(operations.map(({ id, transaction }) => transaction ?? id));
  return { count: operations.length, isSmallest: units.size <= 1 };
}

interface Sent {
  readonly id: string;
  readonly transaction?: string | undefined;
}

interface Sizes {
  readonly limit?: number;
  readonly limitBytes?: number;
  readonly operations?: readonly Sent[];
}

interface Answer {
  readonly changes?: readonly object[];
  readonly results?: readonly { readonly id: string }[];
}
