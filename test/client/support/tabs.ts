/**
 * The tabs of a browser, without the browser: locks and channels that follow the platform's rules, and can be frozen.
 */
import type { Channel, OpenChannel } from "../../../src/client/platform/broadcasts.ts";
import type { Locks } from "../../../src/client/platform/locks.ts";
import { deferred } from "../../../src/shared/deferred.ts";

interface Request {
  readonly start: () => void;
}

export class Browser {
  readonly #lines = new Map<string, Request[]>();
  readonly #holders = new Map<string, { lose(): void }>();
  readonly #channels = new Map<string, Set<{ readonly tab: Tab; readonly channel: Channel<unknown> }>>();

  /** All messages of all channels. */
  readonly posted: unknown[] = [];

  tab(): Tab {
    return new Tab(this);
  }

  /**
   * Web Locks: exclusive, first come, first served. If a lock is taken away, its request rejects, but its work
   * continues.
   */
  request(name: string, options: Parameters<Locks["request"]>[1], granted: () => Promise<void>): Promise<unknown> {
    const over = deferred<unknown>();
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    const next = () => {
      if (this.#holders.has(name)) return;
      line.shift()?.start();
    };
    const request: Request = {
      start: () => {
        const holder = {
          lose: () => {
            this.#holders.delete(name);
            over.reject(new DOMException("Lock broken by another request with the 'steal' option.", "AbortError"));
          },
        };
        this.#holders.set(name, holder);
        granted()
          .then(over.resolve, over.reject)
          .finally(() => {
            if (this.#holders.get(name) !== holder) return;
            this.#holders.delete(name);
            next();
          });
      },
    };
    if ("steal" in options) {
      this.#holders.get(name)?.lose();
      request.start();
      return over.promise;
    }
    const { signal } = options;
    line.push(request);
    signal.addEventListener("abort", () => {
      const place = line.indexOf(request);
      if (place < 0) return;
      line.splice(place, 1);
      over.reject(signal.reason);
    });
    next();
    return over.promise;
  }

  open(tab: Tab, name: string): Channel<unknown> {
    const line = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, line);
    const member = {
      tab,
      channel: {
        onmessage: null,
        postMessage: (data) => {
          this.posted.push(data);
          for (const other of line) {
            if (other !== member) other.tab.deliver(() => other.channel.onmessage?.({ data }));
          }
        },
        close: () => void line.delete(member),
      } satisfies Channel<unknown> as Channel<unknown>,
    };
    line.add(member);
    return member.channel;
  }
}

export class Tab {
  readonly #browser: Browser;
  #waiting: (() => void)[] | undefined;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  get locks(): Locks {
    return { request: (...request) => this.#browser.request(...request) };
  }

  get channel(): OpenChannel {
    return ((name: string) => this.#browser.open(this, name)) as OpenChannel;
  }

  freeze(): void {
    this.#waiting = [];
  }

  thaw(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const run of waiting) run();
  }

  deliver(run: () => void): void {
    if (this.#waiting) this.#waiting.push(run);
    else queueMicrotask(run);
  }
}
