/** The client's events: eventemitter3 with typed payloads. A listener that throws can't break the code that emits. */
import { EventEmitter } from "eventemitter3";
import { type AnyTillSyncError, isTillSyncError, TillSyncError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import type { Unsubscribe } from "../types/shape.ts";

type Listener = (...payload: unknown[]) => void;

export class Emitter<Events extends { error: AnyTillSyncError }> {
  readonly #emitter = new EventEmitter<string>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => void): Unsubscribe {
    // A separate function for each call: the same listener may be added twice, and each handle removes one of them.
    const call = (payload: Events[E]) => listener(payload);
    this.#emitter.on(event, call as unknown as Listener);
    return unsubscribe(() => this.#emitter.off(event, call as unknown as Listener));
  }

  emit<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    for (const listener of this.#emitter.listeners(event)) {
      try {
        (listener as (payload: Events[E]) => void)(payload);
      } catch (cause) {
        // If a listener of `error` throws, only the log is left to report that.
        if (event === "error") this.#logger.error("A listener of `error` threw", { cause });
        else this.fail(cause, `A listener of \`${event}\` threw.`);
      }
    }
  }

  /** Reports an error that has no caller to which it could be thrown. */
  fail(cause: unknown, message: string): void {
    const error = isTillSyncError(cause) ? cause : new TillSyncError("internal", message, {}, { cause });
    this.#logger.error(error.message, { code: error.code });
    this.emit("error", error as Events["error"]);
  }

  clear(): void {
    this.#emitter.removeAllListeners();
  }
}

/**
 * A handle that works as a function and with `using`. If the platform has no `Symbol.dispose` yet, it uses the
 * registered name.
 */
export function unsubscribe(stop: () => void): Unsubscribe {
  const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);
  return Object.assign(() => stop(), { [dispose]: () => stop() });
}
