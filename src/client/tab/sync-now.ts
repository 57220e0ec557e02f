/** `sync()`: one round now, and what came of it. */
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

/** How long it waits for its turn, or for a word of whoever has it. */
const TURN_MS = 1_000;

export class SyncNow {
  readonly #deps: SyncNowDeps;
  #moved = { pushed: 0, pulled: 0 };

  constructor(deps: SyncNowDeps) {
    this.#deps = deps;
  }

  notice(notice: SyncNotice): void {
    if (notice.kind !== "moved") return;
    this.#moved = { pushed: this.#moved.pushed + notice.pushed, pulled: this.#moved.pulled + notice.pulled };
  }

  /** Never rejects for the network. Without a background loop one is begun for this, and ended after it. */
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
      // What another client has just sent is not known here yet.
      if (loop.state.kind === "standby") await session.checkStore();
      return outcome() ?? { outcome: "done", ...this.#moved, remaining: 0 };
    } finally {
      if (begun) loop.dispatch({ kind: "stop" });
    }
  }

  /** Another client of the store may hold the turn for good: it is asked for a round, and says how that goes. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { session, loop, tabs, clock } = this.#deps;
    const ask = tabs.requestRound();
    const over = new AbortController();
    const turn = session.until(() => loop.state.kind !== "standby" || tabs.leader?.answers === ask, signal);
    const patience = clock.sleep(TURN_MS, over.signal);
    await Promise.race([turn, patience]).finally(() => over.abort());
    turn.catch(() => {}); // it may have been left waiting
    patience.catch(() => {});
  }
}
