/** Counts attempts in windows of fixed length, per process and in bounded memory. */

export interface RateLimit {
  readonly attempts: number;
  readonly windowMs: number;
}

interface Window {
  count: number;
  readonly endsAt: number;
}

const MAX_KEYS = 10_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** How long to wait before the next attempt, in ms. 0: no wait. */
  waitFor(key: string): number {
    const window = this.#current(key);
    return window === undefined || window.count < this.#limit.attempts ? 0 : window.endsAt - this.#now();
  }

  count(key: string): void {
    const window = this.#current(key) ?? { count: 0, endsAt: this.#now() + this.#limit.windowMs };
    window.count += 1;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    if (this.#windows.size > MAX_KEYS) this.#forgetOldest();
  }

  /**
   * Takes back one attempt. What was taken back altogether is forgotten: attempts that count for nothing must not push
   * out those that do.
   */
  forgive(key: string): void {
    const window = this.#current(key);
    if (window === undefined) return;
    window.count -= 1;
    if (window.count <= 0) this.#windows.delete(key);
  }

  #current(key: string): Window | undefined {
    const window = this.#windows.get(key);
    return window === undefined || window.endsAt <= this.#now() ? undefined : window;
  }

  #forgetOldest(): void {
    for (const [key, { endsAt }] of this.#windows) if (endsAt <= this.#now()) this.#windows.delete(key);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MAX_KEYS && oldest !== undefined) this.#windows.delete(oldest);
  }
}
