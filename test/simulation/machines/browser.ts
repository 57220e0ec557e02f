/** The browser of one machine: locks and channels among its tabs by the platform's rules. A tab may freeze, or end at any moment. */
import type { Channel, OpenChannel } from "../../../src/client/platform/broadcasts.ts";
import type { Locks } from "../../../src/client/platform/locks.ts";
import { deferred } from "../../../src/shared/deferred.ts";
import type { Tab } from "./tab.ts";

interface Request {
  readonly tab: Tab;
  grant(): void;
}
interface Holder {
  readonly tab: Tab;
  lose(): void;
}
type Member = Channel<unknown> & { readonly tab: Tab };

export class Browser {
  readonly #lines = new Map<string, Request[]>();
  readonly #holders = new Map<string, Holder>();
  readonly #channels = new Map<string, Set<Member>>();
  /** How often a lock was taken away. */
  steals = 0;

  locks(tab: Tab): Locks {
    return { request: (name, options, granted) => this.#request(tab, name, options, granted) };
  }

  channels(tab: Tab): OpenChannel {
    return ((name: string) => this.#open(tab, name)) as OpenChannel;
  }

  /** The tab is gone: what it held is given on, and what is said is said to the others. */
  ended(tab: Tab): void {
    for (const line of this.#lines.values()) {
      for (const request of line.filter((one) => one.tab === tab)) line.splice(line.indexOf(request), 1);
    }
    for (const members of this.#channels.values())
      for (const member of [...members]) if (member.tab === tab) members.delete(member);
    for (const [name, holder] of [...this.#holders]) {
      if (holder.tab !== tab) continue;
      this.#holders.delete(name);
      this.#grantNext(name);
    }
  }

  /** Web Locks: exclusive, first come first served; one that is taken away rejects its request, and its work goes on. */
  #request(
    tab: Tab,
    name: string,
    options: Parameters<Locks["request"]>[1],
    granted: () => Promise<void>,
  ): Promise<unknown> {
    const over = deferred<unknown>();
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    const request: Request = {
      tab,
      grant: () => {
        const broken = () => new DOMException("The lock was taken by another request.", "AbortError");
        const holder: Holder = {
          tab,
          lose: () => {
            this.#holders.delete(name);
            tab.deliver(() => over.reject(broken()));
          },
        };
        this.#holders.set(name, holder);
        tab.deliver(() => {
          void granted()
            .then(over.resolve, over.reject)
            .finally(() => {
              if (this.#holders.get(name) !== holder) return;
              this.#holders.delete(name);
              this.#grantNext(name);
            });
        });
      },
    };
    if ("steal" in options) {
      this.steals += 1;
      this.#holders.get(name)?.lose();
      request.grant();
      return over.promise;
    }
    line.push(request);
    const { signal } = options;
    signal.addEventListener("abort", () => {
      const place = line.indexOf(request);
      if (place < 0) return;
      line.splice(place, 1);
      over.reject(signal.reason);
    });
    this.#grantNext(name);
    return over.promise;
  }

  #grantNext(name: string): void {
    if (!this.#holders.has(name)) this.#lines.get(name)?.shift()?.grant();
  }

  #open(tab: Tab, name: string): Channel<unknown> {
    const line = this.#channels.get(name) ?? new Set<Member>();
    this.#channels.set(name, line);
    const member: Member = {
      tab,
      onmessage: null,
      postMessage(data) {
        const said = JSON.stringify(data);
        for (const other of line)
          if (other !== member) other.tab.deliver(() => other.onmessage?.({ data: JSON.parse(said) as unknown }));
      },
      close: () => void line.delete(member),
    };
    line.add(member);
    return member;
  }
}
