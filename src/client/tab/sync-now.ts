/**
 * `sync()`: runs one round now, and returns its outcome.
 *
 * The machine knows only states, not rounds, so no single event ends a `sync()`. Instead the outcome is derived anew
 * after every commit and every step of the loop: `outcomeOf` returns `undefined` while a lane is busy or the store is
 * registering, and the outcome once the machine rests. This works the same whether the round runs here, or in another
 * tab that reports its machine's state.
 */
import type { Clock } from "../../shared/clock.ts";
import { deferred } from "../../shared/deferred.ts";
import { outcomeOf } from "../decide/status.ts";
import type { SyncNotice } from "../decide/sync-notice.ts";
import type { SyncLoop } from "../sync/loop.ts";
import type { SyncOutcome } from "../types/status.ts";
import type { Session } from "./session.ts";
import type { TabChannel } from "./tab-channel.ts";

export interface SyncNowDeps {
  readonly session: Session;
  readonly loop: SyncLoop;
  readonly tabs: TabChannel;
  readonly clock: Clock;
  /** Whether a loop runs in the background anyway. */
  readonly auto: boolean;
}

/** How long to wait for the turn, or for a report of the client that has it, before it is asked again. */
const TURN_MS = 1_000;
/** A client that has the turn and is frozen loses it within this time, and the next one answers. */
const MOST_ASKED = 30;

interface Moved {
  pushed: number;
  pulled: number;
}

export class SyncNow {
  readonly #deps: SyncNowDeps;
  /** What each round that is running has moved. */
  readonly #rounds = new Set<Moved>();
  #begun = false;

  constructor(deps: SyncNowDeps) {
    this.#deps = deps;
  }

  /** Counts what this client has sent and received during the round. */
  notice(notice: SyncNotice): void {
    if (notice.kind !== "moved") return;
    for (const moved of this.#rounds) {
      moved.pushed += notice.pushed;
      moved.pulled += notice.pulled;
    }
  }

  /**
   * Never rejects because of the network. If no loop runs in the background, one is started for this round and stopped
   * after it.
   *
   * The outcome is never that of an attempt that was under way before: the machine begins another one after it.
   */
  async sync(signal: AbortSignal | undefined): Promise<SyncOutcome> {
    const { session, loop } = this.#deps;
    await session.open();
    const moved: Moved = { pushed: 0, pulled: 0 };
    this.#rounds.add(moved);
    if (!this.#deps.auto && loop.state.kind === "stopped") {
      this.#begun = true;
      loop.dispatch({ kind: "start" });
    }
    const outcome = () => outcomeOf(session.statusInput(), moved);
    try {
      // A client that has yet to take the turn begins its attempts after this.
      if (loop.state.kind !== "standby") loop.dispatch({ kind: "wake", why: "manual" });
      else if (!(await this.#turn(signal)))
        return { outcome: "offline", cause: "unreachable", remaining: session.status.pending.count };
      const rested = await this.#rest(outcome, signal);
      // This client may not know yet what another one has just sent.
      if (loop.state.kind === "standby") await session.checkStore();
      // Meanwhile the machine may be at work again, for example because its next attempt was due.
      return outcome() ?? { ...rested, remaining: session.status.pending.count };
    } finally {
      this.#rounds.delete(moved);
      // Another round may still be running on the same loop.
      if (this.#begun && this.#rounds.size === 0) {
        this.#begun = false;
        loop.dispatch({ kind: "stop" });
      }
    }
  }

  /** The outcome with which the machine rests. */
  async #rest(outcome: () => SyncOutcome | undefined, signal: AbortSignal | undefined): Promise<SyncOutcome> {
    const { session } = this.#deps;
    const rested = deferred<SyncOutcome>();
    const look = () => {
      const now = outcome();
      if (now !== undefined) rested.resolve(now);
      return now !== undefined;
    };
    await session.until(look, signal);
    return rested.promise;
  }

  /**
   * Another client of the store may keep the turn for good. It is asked for a round, and reports how that goes. Returns
   * whether it has answered, or this client has got the turn.
   */
  async #turn(signal: AbortSignal | undefined): Promise<boolean> {
    const { session, loop, tabs, clock } = this.#deps;
    const asks = new Set<string | undefined>([tabs.requestRound()]);
    const isAnswered = () => loop.state.kind !== "standby" || asks.has(tabs.leader?.answers);
    const turn = session.until(isAnswered, signal).then(() => true);
    turn.catch(() => {}); // the last race may have ended without it
    for (let asked = 1; asked <= MOST_ASKED; asked += 1) {
      const over = new AbortController();
      const patience = clock.sleep(TURN_MS, over.signal).then(() => false);
      patience.catch(() => {});
      if (await Promise.race([turn, patience]).finally(() => over.abort())) return true;
      asks.add(tabs.requestRound());
      // A coordinator may deliver at once, before the new `ask` was known here.
      if (isAnswered()) return true;
    }
    return false;
  }
}
