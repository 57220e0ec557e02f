/** Puts off what nobody waits for, until those who do have gone on. */

interface Platform {
  readonly setImmediate?: (run: () => void) => unknown;
}

const waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** In order, in a task of its own. Not by `setTimeout`: a hidden tab would do it a second later, or a minute. */
export function nextTask(run: () => void): void {
  const { setImmediate } = globalThis as Platform;
  // Node has both, and an open channel would keep its process from ending.
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
