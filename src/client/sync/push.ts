/** Sends the head of the outbox, batch after batch. */
import { BLOCKED_RETRY_MS } from "../../protocol/constants.ts";
import {
  type Amount,
  afterAnswer,
  afterRefusal,
  afterServerError,
  afterTooSlow,
  fullSize,
  isTooSlow,
  type RequestSize,
} from "../decide/request-size.ts";
import type { BatchLimits, Selected } from "../decide/selection.ts";
import type { MachineEvent } from "../decide/sync-machine.ts";
import { toWire } from "../decide/wire.ts";
import type { TransportFailure } from "../ports/transport.ts";
import { type Batch, nextBatch } from "../scripts/next-batch.ts";
import { parkOperations } from "../scripts/park.ts";
import { unblockAll } from "../scripts/upkeep.ts";
import { isWaiting, type StoredOperation } from "../state/operation.ts";
import { type CallContext, failed } from "./call-context.ts";

export interface PushDeps {
  /** The most that a push may contain. */
  readonly batch: BatchLimits;
  /** The longest wait of the push lane at rest. */
  readonly intervalMs: number;
  /** The ids of the operations that are in a push right now. */
  readonly inFlight: Set<string>;
}

/**
 * Each push that finds nothing to send may unblock operations, but not more often than this: a busy till must not send
 * its blocked operations along with each sale.
 */
const WAKE_PAUSE_MS = 15_000;

export class Pusher {
  readonly #call: CallContext;
  readonly #deps: PushDeps;
  readonly #max: Amount;
  #size: RequestSize;
  #round = 0;
  #wokenAt = 0;
  /**
   * Operations on which the server keeps failing, and the monotonic time until which they are left out. Kept only in
   * memory: nothing is given up (L6).
   */
  readonly #setAside = new Map<string, number>();

  constructor(call: CallContext, deps: PushDeps) {
    this.#call = call;
    this.#deps = deps;
    this.#max = { count: deps.batch.maxOperations, bytes: deps.batch.maxBytes };
    this.#size = fullSize(this.#max);
  }

  /** Sends one batch, and applies its answer. */
  async push(fence: number, signal: AbortSignal): Promise<MachineEvent> {
    const { inFlight } = this.#deps;
    const batch = await this.#select();
    if (batch === undefined) return { kind: "pushed", more: await this.#wakeInTime() };
    this.#round += 1;
    const ids = batch.selected.map(({ operation }) => operation.id);
    for (const id of ids) inFlight.add(id);
    try {
      return await this.#send(batch, fence, signal);
    } finally {
      for (const id of ids) inFlight.delete(id);
    }
  }

  async #select(): Promise<Chosen | undefined> {
    const limits = { maxOperations: this.#size.count, maxBytes: this.#size.bytes };
    const request = { limits, round: this.#round, skip: (operation: StoredOperation) => this.#isSetAside(operation) };
    const { store } = this.#call;
    const { selected, identity, point } = await store.transact("select", "relaxed", [], () => nextBatch(request));
    const epoch = point?.epoch;
    if (selected.length === 0 || identity === undefined || point === undefined || epoch === undefined) return undefined;
    return { selected, identity, marks: point.marks, epoch };
  }

  async #send({ selected, identity, marks, epoch }: Chosen, fence: number, signal: AbortSignal): Promise<MachineEvent> {
    const call = this.#call;
    const { incarnation, deviceId: id } = identity;
    // The answer carries results that nothing asked for. A line that is slow for the batch is slow for them too.
    const bounds = call.answerBound(this.#size);
    const request = { device: { id, incarnation }, epoch, marks, operations: selected.map(toWire), ...bounds };
    const sentAt = call.clock.monotonic();
    const result = await call.transport.push(request, call.transportCall(identity, signal));
    const tookMs = call.clock.monotonic() - sentAt;
    if (!result.ok) return this.#afterFailure(result.failure, selected, fence, tookMs);
    call.contact(result.timing);
    const { results } = result.value;
    const answer = { ...result.value, serverTime: result.timing.serverTime };
    const outcome = await call.apply({ fence, epoch, incarnation }, answer);
    if (outcome.stale) return call.stale(fence);
    const answered = new Set(results.map((r) => r.id));
    if (!selected.some(({ operation }) => answered.has(operation.id))) {
      // A push whose answer has a result for none of its operations would be sent again at once, endlessly. It counts
      // as failed.
      return failed("push", { kind: "server_error", status: 200 });
    }
    this.#size = afterAnswer(this.#size, this.#max, amountOf(selected), tookMs);
    const pushed = outcome.events.filter((h) => h.kind !== "fault").length;
    call.notice({ kind: "moved", pushed, pulled: 0 });
    return { kind: "pushed", more: true };
  }

  /** A batch that is refused as a whole is halved, down to the one unit that causes it [C9]. */
  async #afterFailure(
    failure: TransportFailure,
    selected: readonly Selected[],
    fence: number,
    tookMs: number,
  ): Promise<MachineEvent> {
    const units = new Set(selected.map(({ operation }) => operation.group ?? operation.id)).size;
    if (failure.kind === "refused" && (failure.code === "malformed" || failure.code === "too_large")) {
      const { size, single } = afterRefusal(this.#size, selected.length, units);
      this.#size = size;
      const isMine = !single || (await this.#park(selected, fence, failure.code, failure.detail));
      return isMine ? { kind: "pushed", more: true } : { kind: "lost" };
    }
    if (failure.kind === "server_error" && failure.status === 500) {
      const { size, single } = afterServerError(this.#size, selected.length, units);
      this.#size = size;
      const until = this.#call.clock.monotonic() + BLOCKED_RETRY_MS;
      if (single) for (const { operation } of selected) this.#setAside.set(operation.id, until);
    }
    if (isTooSlow(failure, tookMs)) this.#size = afterTooSlow(this.#size, amountOf(selected), tookMs);
    return this.#call.afterFailure("push", failure, fence);
  }

  /** Returns false if another client has taken the fence. */
  async #park(selected: readonly Selected[], fence: number, code: string, message: string): Promise<boolean> {
    const { store } = this.#call;
    const collections = [...new Set(selected.map(({ operation }) => operation.collection))];
    const ids = selected.map(({ operation }) => operation.id);
    const park = () => parkOperations(store.collections, fence, ids, { code, message });
    return (await store.transact("park", "strict", collections, park, (value) => value ?? {})) !== undefined;
  }

  /**
   * Unblocks operations if that was last done a minute ago, or will have been at the next look [H2]. Returns whether
   * any were blocked, so there may be something to send.
   */
  async #wakeInTime(): Promise<boolean> {
    const { store, clock } = this.#call;
    const now = clock.monotonic();
    if (now - this.#wokenAt < Math.max(BLOCKED_RETRY_MS - this.#deps.intervalMs, WAKE_PAUSE_MS)) return false;
    this.#wokenAt = now;
    const blocked = await store.transact("wake", "relaxed", [], unblockAll, ({ queue }) => ({ queue }));
    return blocked.any;
  }

  #isSetAside(operation: StoredOperation): boolean {
    const until = this.#setAside.get(operation.id);
    if (until === undefined) return false;
    if (until > this.#call.clock.monotonic() && isWaiting(operation)) return true;
    this.#setAside.delete(operation.id);
    return false;
  }
}

function amountOf(selected: readonly Selected[]): Amount {
  return { count: selected.length, bytes: selected.reduce((sum, { operation }) => sum + operation.bytes, 0) };
}

interface Chosen {
  readonly selected: readonly Selected[];
  readonly identity: NonNullable<Batch["identity"]>;
  readonly marks: NonNullable<Batch["point"]>["marks"];
  readonly epoch: string;
}
