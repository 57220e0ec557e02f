/** The Coordinator of one process: its clients of one store take turns. The default if there are no tabs. */

import { orAborted } from "../../shared/abort.ts";
import { deferred } from "../../shared/deferred.ts";
import type { Coordinator, CoordinatorMessage } from "../ports/coordinator.ts";

interface Scope {
  /** Settles when the last client in the queue has left. */
  tail: Promise<void>;
  readonly listeners: Set<(message: CoordinatorMessage) => void>;
}

// Module state on purpose: one for the process, as `navigator.locks` is one for the browser. Two clients of one name in
// a page (StrictMode, hot reload) treat each other as two tabs.
const scopes = new Map<string, Scope>();

function scopeOf(name: string): Scope {
  const known = scopes.get(name);
  if (known) return known;
  const scope: Scope = { tail: Promise.resolve(), listeners: new Set() };
  scopes.set(name, scope);
  return scope;
}

export const inProcess: Coordinator = {
  "~port": "coordinator",
  reliable: true,
  async exclusive(name, signal, work) {
    const scope = scopeOf(name);
    const left = deferred<void>();
    const before = scope.tail;
    scope.tail = before.then(() => left.promise);
    try {
      await orAborted(before, signal);
      // Nothing takes this lock away: if a page is frozen, all of its clients are.
      await work(new AbortController().signal);
    } finally {
      left.resolve();
    }
  },
  broadcast(name, message) {
    for (const listener of [...scopeOf(name).listeners]) listener(message);
  },
  subscribe(name, listener) {
    const { listeners } = scopeOf(name);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
};
