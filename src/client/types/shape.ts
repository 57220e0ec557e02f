/** What the other public types are made of. */
import type { CollectionMap, CollectionShape } from "../../schema/types.ts";

/** Ends a subscription. Call it, or hold it with `using`. Calling it again does nothing. */
export type Unsubscribe = (() => void) & Disposable;

/** The names of the collections. */
export type Named<C extends CollectionMap> = keyof C & string;
/** The shape of the collection `N`. */
export type ShapeOf<C extends CollectionMap, N extends keyof C> = C[N]["~shape"];
/** The id of a record. */
export type IdIn<H extends CollectionShape> = H["record"]["id"];

/**
 * A value that can be read at once and subscribed to. React's `useSyncExternalStore` takes its two methods; it is a
 * Svelte store as it is. It reads nothing until it has a subscriber.
 */
export interface Live<T> {
  /** The current value: the same object until something changes. */
  getSnapshot(): T;
  /**
   * Calls the listener immediately and after every change. What the listener throws is reported as the event `error`.
   */
  subscribe(listener: (value: T) => void): Unsubscribe;
}
