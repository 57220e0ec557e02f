/** Messages between the tabs of a browser, over BroadcastChannel. */
import { nextTask } from "../../shared/next-task.ts";
import type { Coordinator } from "../ports/coordinator.ts";

/** What this package uses of the platform's BroadcastChannel. */
export interface Channel<M> {
  onmessage: ((event: { readonly data: M }) => void) | null;
  postMessage(message: M): void;
  close(): void;
}
/** `undefined`: the platform has no channels, so tabs receive nothing from each other. */
export type OpenChannel = (<M>(name: string) => Channel<M>) | undefined;

/**
 * Keeps one channel for each scope open while it has listeners. A channel does not deliver to itself, so the listeners
 * of this page are called directly.
 */
export function broadcasts(open: OpenChannel): Pick<Coordinator, "broadcast" | "subscribe"> {
  type Message = Parameters<Coordinator["broadcast"]>[1];
  interface Subscription {
    readonly channel: Channel<Message> | undefined;
    readonly listeners: Set<(message: Message) => void>;
  }
  const subscriptions = new Map<string, Subscription>();
  const connect = (scope: string): Subscription => {
    const subscription: Subscription = { channel: open?.(`tillsync:${scope}`), listeners: new Set() };
    if (subscription.channel) {
      subscription.channel.onmessage = ({ data }) => {
        for (const listener of [...subscription.listeners]) listener(data);
      };
    }
    subscriptions.set(scope, subscription);
    return subscription;
  };
  return {
    broadcast(scope, message) {
      // The clients of this page share one channel, which does not deliver to its own page.
      const subscription = subscriptions.get(scope);
      // Posting would take a tenth of the time of a sale, while its caller waits; so other tabs receive it a moment
      // later.
      nextTask(() => subscription?.channel?.postMessage(message));
      for (const listener of [...(subscription?.listeners ?? [])]) listener(message);
    },
    subscribe(scope, listener) {
      const subscription = subscriptions.get(scope) ?? connect(scope);
      subscription.listeners.add(listener);
      return () => {
        subscription.listeners.delete(listener);
        if (subscription.listeners.size > 0 || subscriptions.get(scope) !== subscription) return;
        subscriptions.delete(scope);
        // After the messages that are still to be posted.
        nextTask(() => subscription.channel?.close());
      };
    },
  };
}
