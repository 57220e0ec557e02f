/** The I/O of the loop: each call is one request, one answer and one drain transaction. Its rules are in decide/. */

import type { FailedHandOver, MachineEvent } from "../decide/sync-machine.ts";
import { type Call, CallContext, type CallContextDeps, failed } from "./call-context.ts";
import { fullPage, pull } from "./pull.ts";
import { type PushDeps, Pusher } from "./push.ts";
import { type RegisterDeps, register } from "./register.ts";

export interface SyncCallsDeps extends CallContextDeps, PushDeps, Pick<RegisterDeps, "device"> {}

const RESTARTS_IN_A_ROW = 3;

export class SyncCalls {
  readonly #call: CallContext;
  readonly #pusher: Pusher;
  readonly #device: RegisterDeps["device"];
  readonly #page = fullPage();
  readonly #restarts = { register: 0, push: 0, pull: 0 };

  constructor(deps: SyncCallsDeps) {
    this.#call = new CallContext(deps);
    this.#pusher = new Pusher(this.#call, deps);
    this.#device = deps.device;
  }

  async register(fence: number, signal: AbortSignal): Promise<MachineEvent> {
    const deps: RegisterDeps = { device: this.#device, handOver: () => this.#handOver(fence, signal) };
    return this.#paced("register", await register(this.#call, deps, fence, signal));
  }

  async push(fence: number, signal: AbortSignal): Promise<MachineEvent> {
    return this.#paced("push", await this.#pusher.push(fence, signal));
  }

  async pull(fence: number, signal: AbortSignal): Promise<MachineEvent> {
    return this.#paced("pull", await pull(this.#call, this.#page, fence, signal));
  }

  async #handOver(fence: number, signal: AbortSignal): Promise<FailedHandOver | undefined> {
    let event = await this.push(fence, signal);
    let afterSuccess = false;
    while (event.kind === "pushed" && event.more && !signal.aborted) {
      afterSuccess = true;
      event = await this.push(fence, signal);
    }
    return event.kind === "failed" ? { failure: event.failure, afterSuccess } : undefined;
  }

  /**
   * Counts how often in a row a lane led to a new registration. From the fourth time on it counts as failed: otherwise
   * a server that asks for it every time would be called endlessly without a pause.
   */
  #paced(lane: Call, event: MachineEvent): MachineEvent {
    if (event.kind === "reregister") {
      this.#restarts[lane] += 1;
      return this.#restarts[lane] > RESTARTS_IN_A_ROW ? failed(lane, { kind: "server_error", status: 409 }) : event;
    }
    if (event.kind !== "failed") this.#restarts[lane] = 0;
    return event;
  }
}
