/**
 * Finds out whether the holder of a turn is still at work.
 *
 * The browser passes on the lock of a closed or crashed tab, but not that of a **frozen** one: its page is alive, and
 * does nothing (measured: a lock is held for as long as the page stays frozen). So the clients that wait ask, and a
 * holder that is at work answers. It does not report regularly with its own timer, because a hidden tab's timers fire
 * once a minute, while its messages are handled immediately.
 * https://developer.chrome.com/blog/timer-throttling-in-chrome-88
 */

import type { Clock } from "../../shared/clock.ts";
import { deferred } from "../../shared/deferred.ts";
import type { Random } from "../../shared/random.ts";
import type { Channel, OpenChannel } from "./broadcasts.ts";

type Word = "anybody?" | "here";

/** The average time between two questions. With it, a turn changes hands within 15 seconds. */
const PAUSE_MS = 3_000;
const ANSWER_MS = 2_000;
/** More than one: a page that was frozen may run its overdue timer before the answer that has been waiting with it. */
const SILENCES = 2;

export interface RollCall {
  /** This client has the turn from now on, and answers questions. */
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
  /**
   * Whether an answer arrives in time. A new holder also sends one unasked, so a client that was about to take the turn
   * away waits.
   */
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
      patience.catch(() => {}); // it was still waiting
    }
  }
  return {
    hold() {
      holds = true;
      channel?.postMessage("here");
    },
    async silence(signal) {
      for (let silences = 0; silences < SILENCES; ) {
        // All waiting clients receive the answer to one of them, so one question in a pause is enough for all.
        if (await heard(PAUSE_MS * (0.5 + random.unit()), signal)) {
          silences = 0;
          continue;
        }
        channel?.postMessage("anybody?");
        // Without a channel no holder can be asked, so none ever counts as frozen.
        silences = channel === undefined || (await heard(ANSWER_MS, signal)) ? 0 : silences + 1;
      }
    },
    close() {
      channel?.close();
    },
  };
}
