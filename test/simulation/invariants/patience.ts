/** V3: whoever was told to come back later does not come back sooner, nor at the same moment as everybody else. */
import type { Tab } from "../machines/tab.ts";
import type { SimWorld } from "../world.ts";

/** The least wait that is added to what the server asks for: a quarter of the shortest one. */
const LEAST_MS = 50;
const LEAST_DEFAULT_MS = 250;

export class Patience {
  readonly #world: SimWorld;
  readonly #notBefore = new Map<string, number>();
  #hurried = 0;
  /** Who has asked for it may be heard after this: as a wake, and as something that is queued. */
  readonly #owed = new Map<string, number>();

  constructor(world: SimWorld) {
    this.#world = world;
  }

  answered(tab: Tab, path: string, { status, headers }: Response): void {
    const seconds = Number(headers.get("retry-after") ?? Number.NaN);
    if ((status !== 503 && status !== 429) || Number.isNaN(seconds) || this.#hurried > 0) return;
    const least = this.#world.plan.options.defaults ? LEAST_DEFAULT_MS : LEAST_MS;
    this.#notBefore.set(`${tab.name} ${path}`, this.#world.timeline.now + seconds * 1_000 + least);
  }

  asked(tab: Tab, path: string): void {
    // Whoever registers begins anew, with both lanes.
    if (path === "register") this.forget(tab);
    const { now } = this.#world.timeline;
    const notBefore = this.#notBefore.get(`${tab.name} ${path}`) ?? 0;
    this.#notBefore.delete(`${tab.name} ${path}`);
    const owed = this.#owed.get(path) ?? 0;
    this.#owed.set(path, Math.max(0, owed - 1));
    if (owed === 0 && now < notBefore)
      this.#world.violation("V3", `${tab.name} asks ${path} ${notBefore - now} ms sooner than it was told to`);
  }

  /** A person wants it now, whatever any tab of the machine was told, or is told until the answer is called. */
  hurry(): () => void {
    this.#hurried += 1;
    this.#notBefore.clear();
    return () => {
      this.#hurried -= 1;
      for (const path of ["push", "pull"]) this.#owed.set(path, 2);
    };
  }

  forget({ name }: Tab): void {
    for (const key of [...this.#notBefore.keys()]) if (key.startsWith(`${name} `)) this.#notBefore.delete(key);
  }
}
