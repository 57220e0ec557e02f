/**
 * One tab: a client and the platform that it sees. Everything that comes to it passes a gate, which is shut while it is frozen, and for
 * good when it has crashed: what was under way there is never heard of again.
 */
import type { SyncClient } from "tillsync";
import { leases } from "../../../src/client/platform/leases.ts";
import { locks } from "../../../src/client/platform/locks.ts";
import type { Connectivity, ConnectivityHint } from "../../../src/client/ports/connectivity.ts";
import type { Coordinator } from "../../../src/client/ports/coordinator.ts";
import type { Clock } from "../../../src/shared/clock.ts";
import { deferred } from "../../../src/shared/deferred.ts";
import { type Random, uuidV7 } from "../../../src/shared/random.ts";
import { Draw } from "../engine/draw.ts";
import type { Timeline } from "../engine/timeline.ts";
import type { Shop } from "../sim-shop.ts";
import type { HeardAnswer } from "./heard.ts";
import type { Machine } from "./machine.ts";
import type { Watched } from "./watched.ts";

export class Tab {
  readonly name: string;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly random: Random;
  readonly connectivity: Connectivity;
  readonly coordinator: Coordinator;
  client!: SyncClient<Shop>;
  state: "alive" | "frozen" | "dead" = "alive";
  /** How many pushes it has begun, and whether it waits for the answer of one. */
  pushes = 0;
  isPushing = false;
  /** Answers that are being stored. */
  answersAtDisk = 0;
  /** What somebody watches in it. */
  watched: Watched | undefined;
  /** For what is drawn in this tab. */
  readonly draw: Draw;
  /** The fencing epoch that it was given last. */
  fence = 0;
  /** Each answer that it has got, by its lane and its mark. */
  readonly answered = new Map<string, HeardAnswer>();
  readonly #timeline: Timeline;
  readonly #ended = deferred<void>();
  readonly #waiting: (() => void)[] = [];
  readonly #hinted = new Set<(hint: ConnectivityHint) => void>();

  constructor(machine: Machine, name: string, seed: number) {
    this.machine = machine;
    this.name = name;
    this.#timeline = machine.world.timeline;
    this.random = seededRandom(seed);
    this.draw = new Draw(seed, "tab");
    this.clock = {
      now: () => machine.wallClock(),
      monotonic: () => this.#timeline.now - machine.sleptMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
    this.connectivity = {
      "~port": "connectivity",
      online: () => machine.line.seemsUp,
      subscribe: (listener) => {
        this.#hinted.add(listener);
        return () => void this.#hinted.delete(listener);
      },
    };
    const ports = { clock: this.clock, random: this.random, channel: machine.browser.channels(this) };
    this.coordinator =
      machine.turns === "locks" ? locks({ ...ports, locks: machine.browser.locks(this) }) : leases(ports);
  }

  /** For whoever waits for an answer of it that may never come. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get isAlive(): boolean {
    return this.state !== "dead";
  }

  /** Runs it now, when the tab goes on, or never. */
  deliver(run: () => void): void {
    if (this.state === "dead") return;
    if (this.state === "frozen") this.#waiting.push(run);
    else queueMicrotask(run);
  }

  /** Passes on what the platform answers, through the gate. */
  async through<T>(work: Promise<T>): Promise<T> {
    const [outcome] = await Promise.allSettled([work]);
    await new Promise<void>((resolve) => this.deliver(resolve));
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }

  hint(hint: ConnectivityHint): void {
    this.deliver(() => {
      for (const listener of [...this.#hinted]) listener(hint);
    });
  }

  /** @param told the page was told before, as browsers do where they can */
  freeze(told: boolean): void {
    if (this.state !== "alive") return;
    if (told) for (const listener of [...this.#hinted]) listener("frozen");
    this.state = "frozen";
  }

  thaw(): void {
    if (this.state !== "frozen") return;
    this.state = "alive";
    for (const run of this.#waiting.splice(0)) queueMicrotask(run);
    this.hint("resumed");
  }

  crash(): void {
    this.state = "dead";
    this.#ended.resolve();
    this.#waiting.length = 0;
    this.#hinted.clear();
    this.machine.browser.ended(this);
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const stop = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.#timeline.after(Math.max(0, ms), () => {
        this.deliver(() => {
          signal?.removeEventListener("abort", stop);
          resolve();
        });
      });
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}

const EPOCH_MS = 1_767_225_600_000;

function seededRandom(seed: number): Random {
  const draw = new Draw(seed, "random");
  let minted = 0;
  return {
    unit: () => draw.unit(),
    uuid() {
      minted += 1;
      const bytes = Uint8Array.from({ length: 10 }, () => draw.int(0, 255));
      return uuidV7(EPOCH_MS + minted, bytes);
    },
  };
}
