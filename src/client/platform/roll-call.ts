/**
 * Finds out whether the holder of a turn is still at work.
 *
 * A lock of a closed or crashed tab is given on by the browser. That of a **frozen** one is not: its page is alive, and does nothing
 * (measured: a lock is held for as long as the page stays frozen). So those who wait ask, and a holder that is at work answers.
 * It is asked, and does not report by a timer of its own: a hidden tab's timers fire once a minute, but its messages are handled at
 * once. https://developer.chrome.com/blog/timer-throttling-in-chrome-88
 */

import type { Clock } from "../../shared/clock.ts";
import { deferred } from "../../shared/deferred.ts";
import type { Random } from "../../shared/random.ts";
import type { Channel, OpenChannel } from "./broadcasts.ts";

type Word = "anybody?" | "here";

/** Between two questions, on average: a turn changes hands within a quarter of a minute. */
const PAUSE_MS = 3_000;
const ANSWER_MS = 2_000;
/** A page that wakes may run its overdue timer before the answer that has been waiting with it. */
const SILENCES = 2;

export interface RollCall {
  /** This one has the turn from now on, and says so when it is asked. */
  hold(): void;
  /** Resolves when the holder has been silent for too long. Rejects when `signal` aborts. */
  silence(signal: AbortSignal): Promise<void>;
  close(): void;
}

export function rollCall(name: string, open: OpenChannel, clock: Clock, random: Random): RollCall {
  const channel: Channel<Word> | undefined = open?.(name);
  let holds = false;
  let answer = deferred<void>();
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data === "anybody?" && holds) channel.postMessage("here");
      if (data !== "here") return;
      answer.resolve();
      answer = deferred();
    };
  }
  /** Also told unasked, by a new holder: whoever was about to take the turn away gives it time. */
  async function heard(ms: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const over = new AbortController();
    const end = () => over.abort(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    const patience = clock.sleep(ms, over.signal).then(() => false);
    try {
      return await Promise.race([answer.promise.then(() => true), patience]);
    } finally {
      signal.removeEventListener("abort", end);
      over.abort();
      patience.catch(() => {}); // it was left waiting
    }
  }
  return {
    hold() {
      holds = true;
      channel?.postMessage("here");
    },
    async silence(signal) {
      for (let silences = 0; silences < SILENCES; ) {
        // What one of those who wait is answered, all of them hear: so one question in a pause is enough for all.
        if (await heard(PAUSE_MS * (0.5 + random.unit()), signal)) {
          silences = 0;
          continue;
        }
        channel?.postMessage("anybody?");
        // Without a channel nobody can be asked, and a holder is never taken for frozen.
        silences = channel === undefined || (await heard(ANSWER_MS, signal)) ? 0 : silences + 1;
      }
    },
    close() {
      channel?.close();
    },
  };
}
