/**
 * `sync()`: runs one round now, and returns its outcome.
 *
 * The machine knows only states, not rounds, so no single event ends a `sync()`. Instead the outcome is derived anew
 * after every commit and every step of the loop: `outcomeOf` returns `undefined` while a lane is busy or the store is
 * registering, and the outcome once the machine rests. This works the same whether the round runs here, or in another
 * tab that reports its machine's state.
 */
import type { Clock } from "../../shared/clock.ts";
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

/** How long to wait for the turn, or for a report of the client that has it. */
const TURN_MS = 1_000;

export class SyncNow {
  readonly #deps: SyncNowDeps;
  #moved = { pushed: 0, pulled: 0 };

  constructor(deps: SyncNowDeps) {
    this.#deps = deps;
  }

  /** Counts what this client has sent and received during the round. */
  notice(notice: SyncNotice): void {
    if (notice.kind !== "moved") return;
    this.#moved = { pushed: this.#moved.pushed + notice.pushed, pulled: this.#moved.pulled + notice.pulled };
  }

  /**
   * Never rejects because of the network. If no loop runs in the background, one is started for this round and stopped
   * after it.
   */
  async sync(signal: AbortSignal | undefined): Promise<SyncOutcome> {
    const { session, loop } = this.#deps;
    await session.open();
    this.#moved = { pushed: 0, pulled: 0 };
    const begun = !this.#deps.auto && loop.state.kind === "stopped";
    if (begun) loop.dispatch({ kind: "start" });
    const outcome = () => outcomeOf(session.statusInput(), this.#moved);
    try {
      if (loop.state.kind === "standby") await this.#turn(signal);
      loop.dispatch({ kind: "wake", why: "manual" });
      await session.until(() => outcome() !== undefined, signal);
      // This client may not know yet what another one has just sent.
      if (loop.state.kind === "standby") await session.checkStore();
      return outcome() ?? { outcome: "done", ...this.#moved, remaining: 0 };
    } finally {
      if (begun) loop.dispatch({ kind: "stop" });
    }
  }

  /** Another client of the store may keep the turn for good. It is asked for a round, and reports how that goes. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { session, loop, tabs, clock } = this.#deps;
    const ask = tabs.requestRound();
    const over = new AbortController();
    const turn = session.until(() => loop.state.kind !== "standby" || tabs.leader?.answers === ask, signal);
    const patience = clock.sleep(TURN_MS, over.signal);
    await Promise.race([turn, patience]).finally(() => over.abort());
    turn.catch(() => {}); // the race may have ended without it
    patience.catch(() => {});
  }
}
