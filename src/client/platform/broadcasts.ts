/** Messages between the tabs of a browser, over BroadcastChannel. */
import { nextTask } from "../../shared/next-task.ts";
import type { Coordinator } from "../ports/coordinator.ts";

/** What this package uses of the platform's BroadcastChannel. */
export interface Channel<M> {
  onmessage: ((event: { readonly data: M }) => void) | null;
  postMessage(message: M): void;
  close(): void;
}
/** `undefined`: the platform has none, and tabs do not hear each other. */
export type OpenChannel = (<M>(name: string) => Channel<M>) | undefined;

/** A channel of each scope is open while somebody listens. It does not deliver to itself: a client never hears what it said. */
export function broadcasts(open: OpenChannel): Pick<Coordinator, "broadcast" | "subscribe"> {
  type Message = Parameters<Coordinator["broadcast"]>[1];
  interface Line {
    readonly channel: Channel<Message> | undefined;
    readonly listeners: Set<(message: Message) => void>;
  }
  const lines = new Map<string, Line>();
  const connect = (scope: string): Line => {
    const line: Line = { channel: open?.(`tillsync:${scope}`), listeners: new Set() };
    if (line.channel) {
      line.channel.onmessage = ({ data }) => {
        for (const listener of [...line.listeners]) listener(data);
      };
    }
    lines.set(scope, line);
    return line;
  };
  return {
    broadcast(scope, message) {
      // Two clients of this page share the line, which is silent to its own.
      const line = lines.get(scope);
      // Posting takes a tenth of the time of a sale, and whoever sold waits for it: other tabs hear of it a moment later.
      nextTask(() => line?.channel?.postMessage(message));
      for (const listener of [...(line?.listeners ?? [])]) listener(message);
    },
    subscribe(scope, listener) {
      const line = lines.get(scope) ?? connect(scope);
      line.listeners.add(listener);
      return () => {
        line.listeners.delete(listener);
        if (line.listeners.size > 0 || lines.get(scope) !== line) return;
        lines.delete(scope);
        // Behind what is still to be posted.
        nextTask(() => line.channel?.close());
      };
    },
  };
}
