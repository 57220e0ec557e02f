/** A bound on work that runs at the same time: so many at once, so many that wait, and no more. */

export interface TurnsOptions {
  readonly atOnce: number;
  readonly waiting: number;
}

export interface Turn {
  /** Resolves when it may begin. */
  readonly begun: Promise<void>;
  /** To be called once, after the work. */
  end(): void;
}

export class Turns {
  readonly #options: TurnsOptions;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** `undefined` if too many wait already. First come, first served. */
  take(): Turn | undefined {
    const { atOnce, waiting } = this.#options;
    const end = () => this.#end();
    if (this.#running < atOnce) {
      this.#running += 1;
      return { begun: Promise.resolve(), end };
    }
    if (this.#queue.length >= waiting) return undefined;
    return { begun: new Promise((resolve) => this.#queue.push(resolve)), end };
  }

  /** Gives the turn to the next one. */
  #end(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
