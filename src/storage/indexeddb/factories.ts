/**
 * The factory that a store's databases are opened with: the page's own, and once that is of no use any more, a frame's.
 *
 * In WebKit another process has the databases. When it dies, as it does on iPads that are short of memory, no document
 * that was connected to it ever gets another connection, nor do its workers; a new document does. So a hidden frame,
 * which is a document of the same origin, brings the databases back without loading the page again. A worker has no
 * frames: there, the till fails until the page is loaded again. (docs/decisions/frame-for-databases.md)
 */
import { tryTo } from "./try-to.ts";

export interface Factories {
  current(): IDBFactory;
  /** Takes the factory of a new frame. If there can't be one, the current factory stays. */
  renew(): void;
  /** Removes the frame. Its connections end with it. */
  release(): void;
}

/** @param isPlatforms whether the factory is the platform's own; one that was passed is never replaced */
export function createFactories(factory: IDBFactory, isPlatforms: boolean): Factories {
  let current = factory;
  let frame: HTMLIFrameElement | undefined;
  const release = () => frame?.remove();
  return {
    current: () => current,
    renew() {
      if (!isPlatforms) return;
      tryTo(() => {
        release();
        frame = document.createElement("iframe");
        frame.hidden = true;
        document.documentElement.append(frame);
        const theirs = frame.contentWindow as Window & typeof globalThis;
        // `idb` recognises a request by `instanceof`.
        Object.setPrototypeOf(theirs.IDBRequest.prototype, IDBRequest.prototype);
        current = theirs.indexedDB;
      });
    },
    release,
  };
}
