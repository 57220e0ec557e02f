/** Defers work that no caller awaits, until the callers that are waiting have resumed. */

interface Platform {
  readonly setImmediate?: (run: () => void) => unknown;
}

const waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

/**
 * Runs each function in a task of its own, in order. Not with `setTimeout`: in a hidden tab it waits a second or a
 * minute.
 */
export function nextTask(run: () => void): void {
  const { setImmediate } = globalThis as Platform;
  // Node has both; an open channel would keep its process alive.
  if (setImmediate !== undefined) {
    setImmediate(run);
    return;
  }
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  waiting.push(run);
  channel.port2.postMessage(undefined);
}
