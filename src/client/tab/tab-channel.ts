/** The other clients of this store, which are other tabs as a rule: what they say, what they are told, and what nobody said. */
import type { Clock } from "../../shared/clock.ts";
import { nextTask } from "../../shared/next-task.ts";
import { isLeading, type SyncState } from "../decide/sync-machine.ts";
import type { Coordinator } from "../ports/coordinator.ts";
import type { SyncLoop } from "../sync/loop.ts";
import type { Session } from "./session.ts";

export type TabMessage =
  /** Something was written: rows of these collections, or only the queue. */
  | { readonly kind: "changed"; readonly collections: readonly string[] }
  /** Operations were queued: the holder has something to send. */
  | { readonly kind: "queued" }
  /** A person wants a round now. The holder says how it goes, in answer to this one. */
  | { readonly kind: "wake"; readonly ask: string }
  /** How does it go? For the holder. */
  | { readonly kind: "asked" }
  | ({ readonly kind: "leading" } & LeaderReport)
  /** The server has answered the holder: how its clock differs from the wall clock here, which all of them share. */
  | { readonly kind: "contact"; readonly offsetMs: number; readonly roundTripMs: number };

/** How it goes with the holder: what the others' status is derived from. */
export interface LeaderReport {
  readonly sync: SyncState;
  /** Wall clock of its next attempt. */
  readonly retryAt: number | undefined;
  readonly unauthorised: "no_token" | "refused";
  /** The `wake` that it is the answer to. */
  readonly answers?: string | undefined;
}

export interface TabChannelDeps {
  readonly session: Session;
  readonly loop: SyncLoop;
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  /** The longest time between two looks at what others may have written. */
  readonly intervalMs: number;
}

export class TabChannel {
  readonly #deps: TabChannelDeps;
  #leading: LeaderReport | undefined;
  #stop: (() => void) | undefined;
  #changed: readonly string[] | undefined;
  #asks = 0;

  constructor(deps: TabChannelDeps) {
    this.#deps = deps;
  }

  /** How it goes with whoever has the turn, if that is another. It is replaced with every word from there. */
  get leader(): LeaderReport | undefined {
    return this.#deps.loop.state.kind === "standby" ? this.#leading : undefined;
  }

  start(): void {
    if (this.#stop) return;
    const { coordinator, session } = this.#deps;
    this.#stop = coordinator.subscribe(session.store.scope, (message) => {
      if (message.from !== session.id) this.#heard(message as unknown as TabMessage);
    });
    this.broadcast({ kind: "asked" });
    if (!coordinator.reliable) void this.#pollStore();
  }

  stop(): void {
    this.#stop?.();
  }

  broadcast(message: TabMessage): void {
    const { coordinator, session } = this.#deps;
    coordinator.broadcast(session.store.scope, { ...message, from: session.id });
  }

  /** Asks whoever has the turn for a round: `leading` answers it. */
  requestRound(): string {
    this.#asks += 1;
    const ask = `${this.#deps.session.id} ${this.#asks}`;
    this.broadcast({ kind: "wake", ask });
    return ask;
  }

  /** Tells of a commit, in one word with all that were stored with it. */
  changed(collections: readonly string[]): void {
    const isFirst = this.#changed === undefined;
    this.#changed = [...(this.#changed ?? []), ...collections];
    if (!isFirst) return;
    // Posting takes a tenth of the time of a sale, and whoever sold waits for it: other tabs hear of it a moment later.
    nextTask(() => {
      const told = [...new Set(this.#changed)];
      this.#changed = undefined;
      this.broadcast({ kind: "changed", collections: told });
    });
  }

  /** Tells how it goes here, where this client has the turn. */
  report(answers?: string): void {
    const { state, retryAt } = this.#deps.loop;
    if (!isLeading(state)) return;
    this.broadcast({ kind: "leading", sync: state, retryAt, unauthorised: this.#deps.session.unauthorised, answers });
  }

  /** Tells what is known here of the server's clock, where this client has the turn. */
  contact(): void {
    const { session, loop } = this.#deps;
    const { sample } = session.clientState;
    if (sample === undefined || !isLeading(loop.state)) return;
    this.broadcast({ kind: "contact", offsetMs: sample.offsetMs, roundTripMs: sample.roundTripMs });
  }

  #heard(message: TabMessage): void {
    const { session, loop, clock } = this.#deps;
    switch (message.kind) {
      case "changed":
        void session.rereadAfter(message.collections);
        return;
      case "queued":
        loop.dispatch({ kind: "wake", why: "queued" });
        return;
      case "wake":
        loop.dispatch({ kind: "wake", why: "manual" });
        this.report(message.ask);
        return;
      case "asked":
        this.report();
        this.contact();
        return;
      case "leading":
        this.#leading = message;
        session.notice({ kind: "unauthorised", reason: message.unauthorised });
        session.refresh();
        session.feed.publish({});
        return;
      case "contact": {
        const { offsetMs, roundTripMs } = message;
        session.notice({ kind: "contact", sample: { offsetMs, roundTripMs, takenAt: clock.monotonic() } });
        session.refresh();
        return;
      }
    }
  }

  async #pollStore(): Promise<void> {
    const { session, clock, intervalMs } = this.#deps;
    const rested = () =>
      clock.sleep(intervalMs, session.closing).then(
        () => true,
        () => false, // closed
      );
    while (await rested()) await session.checkStore();
  }
}
