/**
 * How much of requests' bodies is in memory at a time (L12). A JSON text becomes some eight times as much memory while
 * its request is served, and gzip makes a hostile one a hundred times smaller on the wire, so sixty of them at once
 * would be more than a small server has.
 *
 * What has arrived and waits is bounded, and so is what is being served. Beyond the first bound whoever has most waiting
 * is told to come back, beyond the second everybody waits: the tenant that has least being served comes first. A body
 * that is still arriving takes nobody's turn, so a sender that stops half-way holds up nobody.
 */
import { type RequestProblem, unavailable } from "../problems.ts";

const MIB = 1024 * 1024;

/** Bytes as they arrived, of all bodies that are not being served yet. */
const WAITING_BYTES = 64 * MIB;
/** Bytes of JSON text of all requests that are being served. */
const SERVED_BYTES = 32 * MIB;
/** What a request costs besides its body. */
const BYTES_BESIDES = 64 * 1024;

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
  wanted: number;
  /** It may go on. `undefined`: it has not asked yet, or has begun. */
  begin: ((problem?: RequestProblem) => void) | undefined;
  stop: (() => void) | undefined;
  refused: RequestProblem | undefined;
}

export class BodyBudget {
  readonly #waitingBytes: number;
  readonly #servedBytes: number;
  readonly #waiting = new Sums();
  readonly #served = new Sums();
  /** Those that have not begun, in the order of their arrival. */
  readonly #arrived = new Set<Entry>();
  /** Those of them that have asked to begin, in the order in which they did. */
  readonly #asking = new Set<Entry>();

  constructor({ waitingBytes = WAITING_BYTES, servedBytes = SERVED_BYTES } = {}) {
    this.#waitingBytes = waitingBytes;
    this.#servedBytes = servedBytes;
  }

  share(tenant: string): BodyShare {
    const entry: Entry = {
      ...{ tenant, waiting: 0, served: 0, wanted: 0 },
      ...{ begin: undefined, stop: undefined, refused: undefined },
    };
    this.#arrived.add(entry);
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
          this.#asking.add(entry);
          this.#serveNext();
        }),
      has: (bytes) => {
        this.#give(entry, bytes + BYTES_BESIDES);
        this.#serveNext();
      },
      done: () => {
        this.#leave(entry);
        this.#give(entry, 0);
        this.#serveNext();
      },
    };
  }

  #keep(entry: Entry, bytes: number): void {
    this.#waiting.add(entry.tenant, bytes - entry.waiting);
    entry.waiting = bytes;
  }

  #give(entry: Entry, bytes: number): void {
    this.#served.add(entry.tenant, bytes - entry.served);
    entry.served = bytes;
  }

  /** It waits no longer: it begins, was refused, or has gone. */
  #leave(entry: Entry): void {
    this.#keep(entry, 0);
    this.#arrived.delete(entry);
    this.#asking.delete(entry);
  }

  /** The newest body of whoever has most waiting goes, until what waits is within its bound. */
  #shed(): void {
    while (this.#waiting.total > this.#waitingBytes) {
      const most = this.#waiting.largest();
      const newest = [...this.#arrived].findLast(({ tenant, waiting }) => tenant === most && waiting > 0);
      if (newest === undefined) return;
      newest.refused = unavailable("More is waiting than this server can keep: send it again");
      this.#leave(newest);
      newest.stop?.();
      newest.begin?.(newest.refused);
    }
  }

  /** One that is larger than the whole budget is served alone. */
  #serveNext(): void {
    while (this.#asking.size > 0) {
      let next: Entry | undefined;
      for (const each of this.#asking)
        if (next === undefined || this.#served.of(each.tenant) < this.#served.of(next.tenant)) next = each;
      if (next === undefined || (this.#served.total > 0 && this.#served.total + next.wanted > this.#servedBytes))
        return;
      this.#leave(next);
      this.#give(next, next.wanted);
      next.begin?.();
    }
  }
}

/** Bytes by tenant. */
class Sums {
  total = 0;
  readonly #byTenant = new Map<string, number>();

  of(tenant: string): number {
    return this.#byTenant.get(tenant) ?? 0;
  }

  add(tenant: string, bytes: number): void {
    this.total += bytes;
    const sum = this.of(tenant) + bytes;
    if (sum === 0) this.#byTenant.delete(tenant);
    else this.#byTenant.set(tenant, sum);
  }

  largest(): string | undefined {
    let largest: readonly [string, number] | undefined;
    for (const each of this.#byTenant) if (largest === undefined || each[1] > largest[1]) largest = each;
    return largest?.[0];
  }
}
