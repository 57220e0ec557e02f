/**
 * How much of requests' bodies is in memory at a time (L12). A JSON text becomes some eight times as much memory while
 * its request is served, and gzip makes a hostile one a hundred times smaller on the wire, so sixty of them at once
 * would be more than a small server has.
 *
 * What has arrived and waits is bounded, and so is what is being served. Beyond the first bound whoever has most waiting
 * is told to come back, beyond the second everybody waits: the tenant that has least being served comes first. A body
 * that is still arriving takes nobody's turn, so a sender that stops half-way holds up nobody.
 */
import { RequestProblem } from "../problems.ts";

const MIB = 1024 * 1024;

/** Bytes as they arrived, of all bodies that are not being served yet. */
const WAITING_BYTES = 64 * MIB;
/** Bytes of JSON text of all requests that are being served. */
const SERVED_BYTES = 32 * MIB;
/** What a request costs besides its body. */
const BYTES_BESIDES = 64 * 1024;
const RETRY_AFTER_SECONDS = 5;

/** One request's share of the budget. */
export interface BodyShare {
  /** Calls `stop` if the rest of the body is not wanted any more. */
  onRefused(stop: () => void): void;
  /**
   * Called as bytes arrive.
   *
   * @throws RequestProblem `unavailable`
   */
  received(bytes: number): void;
  /**
   * Resolves when a text of up to so many bytes may be made of what has arrived.
   *
   * @throws RequestProblem `unavailable`
   */
  serve(upToBytes: number): Promise<void>;
  /** The text has turned out to have only so many bytes. */
  has(bytes: number): void;
  /** The request is answered. */
  done(): void;
}

interface Entry {
  readonly tenant: string;
  waiting: number;
  served: number;
  /** It may go on. `undefined`: it has not asked yet. */
  begin: ((problem?: RequestProblem) => void) | undefined;
  wanted: number;
  stop: (() => void) | undefined;
  refused: RequestProblem | undefined;
}

export class BodyBudget {
  readonly #waitingBytes: number;
  readonly #servedBytes: number;
  /** In the order of their arrival. */
  readonly #entries = new Set<Entry>();
  #waiting = 0;
  #served = 0;

  constructor({ waitingBytes = WAITING_BYTES, servedBytes = SERVED_BYTES } = {}) {
    this.#waitingBytes = waitingBytes;
    this.#servedBytes = servedBytes;
  }

  share(tenant: string): BodyShare {
    const entry: Entry = {
      ...{ tenant, waiting: 0, served: 0, wanted: 0 },
      ...{ begin: undefined, stop: undefined, refused: undefined },
    };
    this.#entries.add(entry);
    return {
      onRefused: (stop) => {
        entry.stop = stop;
      },
      received: (bytes) => {
        this.#keep(entry, entry.waiting + bytes);
        this.#shed();
        if (entry.refused !== undefined) throw entry.refused;
      },
      serve: (upToBytes) =>
        new Promise((resolve, reject) => {
          if (entry.refused !== undefined) return reject(entry.refused);
          entry.wanted = upToBytes + BYTES_BESIDES;
          entry.begin = (problem) => (problem === undefined ? resolve() : reject(problem));
          this.#serveNext();
        }),
      has: (bytes) => {
        this.#give(entry, bytes + BYTES_BESIDES);
        this.#serveNext();
      },
      done: () => {
        this.#keep(entry, 0);
        this.#give(entry, 0);
        this.#entries.delete(entry);
        this.#serveNext();
      },
    };
  }

  #keep(entry: Entry, bytes: number): void {
    this.#waiting += bytes - entry.waiting;
    entry.waiting = bytes;
  }

  #give(entry: Entry, bytes: number): void {
    this.#served += bytes - entry.served;
    entry.served = bytes;
  }

  /** The newest body of whoever has most waiting goes, until what waits is within its bound. */
  #shed(): void {
    while (this.#waiting > this.#waitingBytes) {
      const waiting = [...this.#entries].filter((entry) => entry.waiting > 0);
      const most = tenantWith(waiting, (a, b) => a > b, "waiting");
      const newest = waiting.filter(({ tenant }) => tenant === most).at(-1) as Entry;
      newest.refused = tooBusy();
      this.#keep(newest, 0);
      newest.stop?.();
      newest.begin?.(newest.refused);
      newest.begin = undefined;
    }
  }

  /** One that is larger than the whole budget is served alone. */
  #serveNext(): void {
    for (;;) {
      const asking = [...this.#entries].filter(({ begin }) => begin !== undefined);
      if (asking.length === 0) return;
      const tenants = new Set(asking.map(({ tenant }) => tenant));
      const ofThese = [...this.#entries].filter(({ tenant }) => tenants.has(tenant));
      const least = tenantWith(ofThese, (a, b) => a < b, "served");
      const next = asking.find(({ tenant }) => tenant === least);
      if (next === undefined || (this.#served > 0 && this.#served + next.wanted > this.#servedBytes)) return;
      this.#give(next, next.wanted);
      this.#keep(next, 0);
      const { begin } = next;
      next.begin = undefined;
      begin?.();
    }
  }
}

/** The first tenant, in the order of arrival, whose sum is before every other's. */
function tenantWith(
  entries: readonly Entry[],
  isBefore: (a: number, b: number) => boolean,
  what: "waiting" | "served",
): string | undefined {
  const sums = new Map<string, number>();
  for (const entry of entries) sums.set(entry.tenant, (sums.get(entry.tenant) ?? 0) + entry[what]);
  let best: [string, number] | undefined;
  for (const each of sums) if (best === undefined || isBefore(each[1], best[1])) best = each;
  return best?.[0];
}

function tooBusy(): RequestProblem {
  return new RequestProblem("unavailable", "More is waiting than this server can keep: send it again", {
    headers: { "retry-after": String(RETRY_AFTER_SECONDS) },
  });
}
