/**
 * The channel to the other clients of this store, which are usually other tabs. It also finds out what they wrote
 * without a message.
 */
import type { Clock } from "../../shared/clock.ts";
import { nextTask } from "../../shared/next-task.ts";
import { isLeading, type SyncState } from "../decide/sync-machine.ts";
import type { Coordinator } from "../ports/coordinator.ts";
import type { SyncLoop } from "../sync/loop.ts";
import type { Session } from "./session.ts";

export type TabMessage =
  /** The sender has written rows of these collections or, if there are none, only its queue. */
  | { readonly kind: "changed"; readonly collections: readonly string[] }
  /** The sender has queued operations, so the client that has the turn has something to send. */
  | { readonly kind: "queued" }
  /** A person wants a round now. The client that has the turn begins one, and answers this `ask` with a report. */
  | { readonly kind: "wake"; readonly ask: string }
  /** The sender asks the client that has the turn for a report. */
  | { readonly kind: "asked" }
  | ({ readonly kind: "leading" } & LeaderReport)
  /**
   * The server has answered the client that has the turn: how far its clock is from this machine's wall clock, which
   * all of them share.
   */
  | { readonly kind: "contact"; readonly offsetMs: number; readonly roundTripMs: number };

/** The state of the client that has the turn. The status of all others is derived from it. */
export interface LeaderReport {
  readonly sync: SyncState;
  /** When its next request is due, in epoch ms. */
  readonly retryAt: number | undefined;
  readonly unauthorised: "no_token" | "refused";
  /** The `ask` of the `wake` that this report answers. */
  readonly answers?: string | undefined;
}

export interface TabChannelDeps {
  readonly session: Session;
  readonly loop: SyncLoop;
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  /** The longest time between two checks for what other clients may have written. */
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

  /**
   * The last report of the client that has the turn; `undefined` if this client has it. Each report is a new object.
   */
  get leader(): LeaderReport | undefined {
    return this.#deps.loop.state.kind === "standby" ? this.#leading : undefined;
  }

  /**
   * Starts to receive messages, and asks for a report. If messages can get lost, it also checks the store regularly.
   */
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

  /** Asks the client that has the turn for a round. Returns the `ask` that its report will name in `answers`. */
  requestRound(): string {
    this.#asks += 1;
    const ask = `${this.#deps.session.id} ${this.#asks}`;
    this.broadcast({ kind: "wake", ask });
    return ask;
  }

  /** Announces a commit. Commits that follow at once are announced in the same message. */
  changed(collections: readonly string[]): void {
    const isFirst = this.#changed === undefined;
    this.#changed = [...(this.#changed ?? []), ...collections];
    if (!isFirst) return;
    // Posting takes a tenth of the time of a sale, and the cashier waits for it, so other tabs are notified a moment
    // later.
    nextTask(() => {
      const told = [...new Set(this.#changed)];
      this.#changed = undefined;
      this.broadcast({ kind: "changed", collections: told });
    });
  }

  /** Reports the state of this client's loop, if it has the turn. */
  report(answers?: string): void {
    const { state, retryAt } = this.#deps.loop;
    if (!isLeading(state)) return;
    this.broadcast({ kind: "leading", sync: state, retryAt, unauthorised: this.#deps.session.unauthorised, answers });
  }

  /** Reports what this client knows of the server's clock, if it has the turn. */
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
