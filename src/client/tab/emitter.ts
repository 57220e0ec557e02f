/** The client's events: eventemitter3 with typed payloads, and listeners that can't break what they listen to. */
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
    // A function of its own: the same listener may be added twice, and each is taken off by its own handle.
    const call = (payload: Events[E]) => listener(payload);
    this.#emitter.on(event, call as unknown as Listener);
    return unsubscribe(() => this.#emitter.off(event, call as unknown as Listener));
  }

  emit<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    for (const listener of this.#emitter.listeners(event)) {
      try {
        (listener as (payload: Events[E]) => void)(payload);
      } catch (cause) {
        // The listener of an error that throws has nowhere left to be told but the log.
        if (event === "error") this.#logger.error("A listener of `error` threw", { cause });
        else this.fail(cause, `A listener of \`${event}\` threw.`);
      }
    }
  }

  /** What has no caller to be thrown at. */
  fail(cause: unknown, message: string): void {
    const error = isTillSyncError(cause) ? cause : new TillSyncError("internal", message, {}, { cause });
    this.#logger.error(error.message, { code: error.code });
    this.emit("error", error as Events["error"]);
  }

  clear(): void {
    this.#emitter.removeAllListeners();
  }
}

/** A handle that works as a function and with `using`; where the platform has no `Symbol.dispose` yet, under its registered name. */
export function unsubscribe(stop: () => void): Unsubscribe {
  const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);
  return Object.assign(() => stop(), { [dispose]: () => stop() });
}
