/** What the other public types are spelled with. */
import type { CollectionMap, CollectionShape } from "../../schema/types.ts";

export type Unsubscribe = (() => void) & Disposable;

export type Named<C extends CollectionMap> = keyof C & string;
export type ShapeOf<C extends CollectionMap, N extends keyof C> = C[N]["~shape"];
export type IdIn<H extends CollectionShape> = H["record"]["id"];

export interface Live<T> {
  /** The same object until something changes. */
  getSnapshot(): T;
  /** Calls the listener at once and after every change. */
  subscribe(listener: (value: T) => void): Unsubscribe;
}
