/**
 * The sync loop: feeds events to the state machine and runs its effects. It decides nothing.
 *
 * Guarantees:
 * - One event at a time: a transition's effects are begun before the next event is handled.
 * - An effect reports back exactly once, by an event, whatever happens to it. An aborted effect does not report.
 * - After `close` nothing is sent and nothing is written. `close` resolves when the last drain transaction is over.
 */

import type { Clock } from "../../shared/clock.ts";
import { type Deferred, deferred } from "../../shared/deferred.ts";
import type { Random } from "../../shared/random.ts";
import { backoffMs } from "../decide/backoff.ts";
import {
  type LaneName,
  type MachineEffect,
  type MachineEvent,
  type MachineOptions,
  type SyncState,
  transition,
} from "../decide/sync-machine.ts";
import type { Coordinator, Lease } from "../ports/coordinator.ts";

export interface LoopDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly coordinator: Coordinator;
  /** Names the store among the clients that share it. */
  readonly scope: string;
  readonly lease: Lease;
  readonly options: MachineOptions;
  /** Takes the next fencing token in the store. */
  takeFence(): Promise<number>;
  /** Runs the call, and returns the event that reports its outcome. The same holds for `push` and `pull`. */
  register(fence: number, signal: AbortSignal): Promise<MachineEvent>;
  push(fence: number, signal: AbortSignal): Promise<MachineEvent>;
  pull(fence: number, signal: AbortSignal): Promise<MachineEvent>;
  /** Called after each transition that changed the state or began something. */
  changed(state: SyncState): void;
  /** Reports an error that has no caller. */
  failed(error: unknown, message: string): void;
}

/** One attempt to get the turn, until it is given back. */
interface Turn {
  readonly abort: AbortController;
  readonly done: Deferred<void>;
}

export class SyncLoop {
  readonly #deps: LoopDeps;
  #state: SyncState = { kind: "stopped" };
  #fence = 0;
  #requests = new AbortController();
  readonly #timers = new Map<LaneName, { readonly abort: AbortController; readonly at: number }>();
  #turn: Turn | undefined;
  /** Settles when the previous turn has been given back. */
  #before: Promise<void> = Promise.resolve();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: LoopDeps) {
    this.#deps = deps;
  }

  get state(): SyncState {
    return this.#state;
  }

  /** When the next request is due, in epoch ms; `undefined` if no timer runs. */
  get retryAt(): number | undefined {
    const times = [...this.#timers.values()].map(({ at }) => at);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Takes an event through the machine, and begins the effects. */
  dispatch(event: MachineEvent): void {
    const { state, effects } = transition(this.#state, event, {
      options: this.#deps.options,
      unit: this.#deps.random.unit(),
    });
    const changed = state !== this.#state;
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    if (changed || effects.length > 0) this.#deps.changed(state);
  }

  /** Resolves when everything that was begun has ended. */
  async close(): Promise<void> {
    this.dispatch({ kind: "close" });
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #run(effect: MachineEffect): void {
    switch (effect.kind) {
      case "acquire":
        this.#acquire();
        return;
      case "release":
        this.#release();
        return;
      case "push":
      case "pull":
        this.#cancelTimer(effect.kind);
        this.#request(effect.kind);
        return;
      case "register":
        this.#request(effect.kind);
        return;
      case "abort":
        this.#requests.abort();
        this.#requests = new AbortController();
        return;
      case "timer":
        this.#setTimer(effect.lane, effect.afterMs);
        return;
      case "cancel_timers":
        for (const lane of this.#timers.keys()) this.#cancelTimer(lane);
        return;
    }
  }

  #acquire(attempt = 0): void {
    const turn: Turn = { abort: new AbortController(), done: deferred<void>() };
    this.#release();
    this.#turn = turn;
    const work = async (lost: AbortSignal): Promise<void> => {
      lost.addEventListener("abort", () => this.#ifCurrent(turn, { kind: "lost" }), { once: true });
      this.#fence = await this.#deps.takeFence();
      this.#ifCurrent(turn, { kind: "acquired" });
      await turn.done.promise;
    };
    const { coordinator, scope, lease } = this.#deps;
    // One after the other, because all turns of a client use the same name. Otherwise the end of the old turn could
    // give back the lease that the new turn had taken; the next client would take it, and lose it in the same way, and
    // two tabs would take turns endlessly.
    this.#before = this.#before
      .then(() => coordinator.exclusive(scope, turn.abort.signal, work, lease))
      .catch(async (error: unknown) => {
        if (turn.abort.signal.aborted) return;
        this.#deps.failed(error, "The turn to sync could not be taken.");
        // A store that failed once must not end sync for good, so the client asks for the turn again.
        const { clock, random, options } = this.#deps;
        await clock.sleep(backoffMs(attempt, 0, random.unit(), options), turn.abort.signal).catch(() => {});
        if (this.#turn === turn) this.#acquire(attempt + 1);
      });
    this.#track(this.#before);
  }

  #ifCurrent(turn: Turn, event: MachineEvent): void {
    if (this.#turn === turn) this.dispatch(event);
  }

  #release(): void {
    this.#turn?.abort.abort();
    this.#turn?.done.resolve();
    this.#turn = undefined;
  }

  #request(kind: "register" | "push" | "pull"): void {
    const { signal } = this.#requests;
    const run = async (): Promise<void> => {
      let event: MachineEvent;
      try {
        event = await this.#deps[kind](this.#fence, signal);
      } catch (error) {
        // The store failed, or a decision threw, so nothing was written. It is reported as what it is, and retried like
        // an outage.
        if (!signal.aborted) this.#deps.failed(error, `A ${kind} could not be completed.`);
        event = { kind: "failed", lane: kind, failure: { kind: "device_error" } };
      }
      if (!signal.aborted) this.dispatch(event);
    };
    this.#track(run());
  }

  #cancelTimer(lane: LaneName): void {
    this.#timers.get(lane)?.abort.abort();
    this.#timers.delete(lane);
  }

  #setTimer(lane: LaneName, afterMs: number): void {
    this.#cancelTimer(lane);
    const { clock } = this.#deps;
    const timer = { abort: new AbortController(), at: clock.now() + afterMs };
    this.#timers.set(lane, timer);
    const sleep = clock.sleep(afterMs, timer.abort.signal).then(
      () => {
        if (this.#timers.get(lane) !== timer) return;
        this.#timers.delete(lane);
        this.dispatch({ kind: "tick", lane });
      },
      () => {},
    );
    this.#track(sleep);
  }

  #track(promise: Promise<void>): void {
    this.#running.add(promise);
    void promise.finally(() => this.#running.delete(promise));
  }
}
