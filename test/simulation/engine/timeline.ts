/**
 * Virtual time: nothing happens but what is due next.
 *
 * Everything in a run waits either for a promise, which costs no time, or for this. After each event the promises are let run until
 * nothing moves, then the next event is due. So a run is the same each time, and an hour of a shop takes as long as its work.
 */

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A run has some ten thousand. */
const MOST_EVENTS = 400_000;

export interface Timer {
  cancel(): void;
}

// Taken before the platform of the run takes its place.
const { setImmediate: realImmediate } = globalThis;
const turn = () => new Promise<void>((resolve) => realImmediate(resolve));

export class Timeline {
  /** Ms since the run began. */
  now = 0;
  readonly #heap: Due[] = [];
  #scheduled = 0;
  #passed = 0;
  #failure: { readonly error: unknown } | undefined;

  at(time: number, run: () => void): Timer {
    this.#scheduled += 1;
    const due: Due = { at: Math.max(Math.ceil(time), this.now), order: this.#scheduled, run, cancelled: false };
    push(this.#heap, due);
    return {
      cancel() {
        due.cancelled = true;
      },
    };
  }

  after(ms: number, run: () => void): Timer {
    return this.at(this.now + ms, run);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** What went wrong where nobody awaits it: the run ends with it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Moves on until that is done: whoever looks at a till waits for its disk too. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    work.then(done, done);
    await this.runUntil(Number.MAX_SAFE_INTEGER, () => isDone);
    if (!isDone) throw new Error("Nothing is due any more, and what was waited for has not come.");
    return work;
  }

  /** Moves on until `time`, or until `isOver`, which is asked after each event. */
  async runUntil(time: number, isOver: () => boolean = () => false): Promise<void> {
    await turn();
    while (!isOver()) {
      if (this.#failure) throw this.#failure.error;
      const next = this.#heap[0];
      if (next === undefined || next.at > time) {
        this.now = Math.max(this.now, time);
        return;
      }
      pop(this.#heap);
      if (next.cancelled) continue;
      this.#passed += 1;
      if (this.#passed > MOST_EVENTS)
        throw new Error(`More than ${MOST_EVENTS} events: something goes on without end.`);
      this.now = next.at;
      next.run();
      await turn();
    }
  }
}

// ── A binary heap: thousands of timers are made and taken off in a run ──
function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Due[], due: Due): void {
  heap.push(due);
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!isBefore(heap[at] as Due, heap[parent] as Due)) return;
    [heap[at], heap[parent]] = [heap[parent] as Due, heap[at] as Due];
    at = parent;
  }
}

function pop(heap: Due[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  for (let at = 0; ; ) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < heap.length && isBefore(heap[child] as Due, heap[least] as Due)) least = child;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least] as Due, heap[at] as Due];
    at = least;
  }
}
