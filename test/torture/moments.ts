/** Waiting for something that happens again and again: for so many of it, from now on, and not for ever. */
export class Moments {
  readonly #nothing: string;
  readonly #patienceMs: number;
  readonly #listeners = new Set<(where: number) => void>();
  #isOver = false;

  /** @param nothing what is said where nothing happens for `patienceMs` */
  constructor(nothing: string, patienceMs: number) {
    this.#nothing = nothing;
    this.#patienceMs = patienceMs;
  }

  happen(where: number): void {
    for (const listener of [...this.#listeners]) listener(where);
  }

  /** Nobody waits any more: what waits rejects. */
  stop(): void {
    this.#isOver = true;
    this.happen(-1);
  }

  /** @param where only those that happen there */
  next(times: number, where?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = times;
      const done = (settle: () => void) => {
        clearTimeout(patience);
        this.#listeners.delete(heard);
        settle();
      };
      const heard = (place: number) => {
        if (this.#isOver) return done(() => reject(new Error("It is over")));
        if (where !== undefined && place !== where) return;
        left -= 1;
        if (left <= 0) done(resolve);
      };
      const patience = setTimeout(
        () => done(() => reject(new Error(`${this.#nothing} for ${this.#patienceMs / 1_000} s`))),
        this.#patienceMs,
      );
      this.#listeners.add(heard);
      if (this.#isOver) heard(-1);
    });
  }
}
